import assert from 'node:assert/strict'
import { magnetOf, titleOfMagnet } from '../../src/roles/magnet.ts'
import { hash } from '../projections/envelopes.ts'

describe('a magnet link', () => {
  it('carries any title and gives it back', () => {
    for (const title of ['Quiet Orbit', 'a&b=c?d#e%20', '水の星', '']) {
      assert.equal(titleOfMagnet(magnetOf(hash('x'), title)), title)
    }
    assert.equal(titleOfMagnet('magnet:?xt=urn:btih:00'), undefined)
    assert.equal(titleOfMagnet('nothing'), undefined)
  })

  it('is made of a title with half a character in it, which a stranger may have sent', () => {
    assert.equal(titleOfMagnet(magnetOf(hash('x'), 'broken \ud800 title')), 'broken \ufffd title')
  })
})
