import assert from 'node:assert/strict'
import fc from 'fast-check'
import { flipped, isCorrupted } from '../../src/torrent/corruption.ts'

describe('corruption', () => {
  it('takes the same share of pieces every time, all at 100 and none at 0', () => {
    const share = (percent: number) =>
      Array.from({ length: 10_000 }, (_, index) => isCorrupted('salt', index, percent)).filter(Boolean).length
    assert.equal(share(0), 0)
    assert.equal(share(100), 10_000)
    assert.ok(Math.abs(share(20) - 2_000) < 150, `${share(20)}`)
    assert.ok(Math.abs(share(0.5) - 50) < 25, `${share(0.5)}`)
    assert.equal(share(20), share(20))
  })

  it('takes more of the same pieces at a higher share', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(100),
        fc.nat(100),
        (index, a, b) => isCorrupted('s', index, Math.max(a, b)) || !isCorrupted('s', index, Math.min(a, b)),
      ),
    )
  })

  it('changes a copy', () => {
    const block = Uint8Array.of(1, 2)
    assert.deepEqual([...flipped(block)], [254, 2])
    assert.deepEqual([...block], [1, 2])
  })
})
