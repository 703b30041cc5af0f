import assert from 'node:assert/strict'
import { newWindow, pushPieces, windowOf, windowText } from '../../../src/projections/reputation/piece-window.ts'

describe('the window of the last pieces', () => {
  it('forgets the oldest and counts the bad ones that are left', () => {
    const window = newWindow(3)
    pushPieces(window, 2, true)
    pushPieces(window, 1, false)
    assert.deepEqual([windowText(window), window.bad, window.size], ['110', 2, 3])
    pushPieces(window, 1, false)
    assert.deepEqual([windowText(window), window.bad, window.size], ['100', 1, 3])
    pushPieces(window, 1_000_000, true)
    assert.deepEqual([windowText(window), window.bad, window.size], ['111', 3, 3])
  })

  it('that becomes smaller keeps the newest', () => {
    const window = windowOf('11001', 3)
    assert.deepEqual([windowText(window), window.bad], ['001', 1])
    assert.equal(windowText(windowOf('01', 3)), '01')
  })
})
