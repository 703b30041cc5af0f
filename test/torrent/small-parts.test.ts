import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { BadPiece, Millis, PeerId, PieceRange } from '../../src/events/index.ts'
import { flipped, isCorrupted } from '../../src/torrent/corruption.ts'
import { diskProblem } from '../../src/torrent/disk-problem.ts'
import { bitfieldOf, countBits, rangesOf, rangesOfBitfield } from '../../src/torrent/piece-ranges.ts'
import { PieceRetries, RETRY_WAIT_MS } from '../../src/torrent/piece-retries.ts'
import { BATCH_PIECES_MAX, BATCH_WAIT_MS, VerdictBatch } from '../../src/torrent/verdict-batch.ts'

const peer = 'ip:a' as PeerId

describe('piece ranges', () => {
  it('hold the same pieces as a set, merged and sorted, and through a bitfield and back', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(99)), (indexes) => {
        const expected = [...new Set(indexes)].sort((a, b) => a - b)
        const ranges = rangesOf(indexes)
        assert.deepEqual(
          ranges.flatMap(({ first, count }) => Array.from({ length: count }, (_, at) => first + at)),
          expected,
        )
        const bitfield = bitfieldOf(ranges, 100)
        assert.equal(bitfield.length, 13)
        assert.equal(countBits(bitfield), expected.length)
        assert.deepEqual(rangesOfBitfield(bitfield, 100), ranges)
      }),
    )
  })

  it('are cut at the end of the torrent', () => {
    assert.deepEqual([...bitfieldOf([{ first: 6, count: 100 }], 9)], [0b00000011, 0b10000000])
  })
})

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

describe('retries of a bad piece', () => {
  it('wait 2 s, then 4, then 8, for this peer and this piece alone', () => {
    const retries = new PieceRetries()
    const at = (ms: number) => () => ms as Millis
    assert.equal(retries.failed(peer, 1, 0 as Millis), RETRY_WAIT_MS)
    assert.equal(retries.mayAsk(peer, 1, at(RETRY_WAIT_MS - 1)), false)
    assert.equal(retries.mayAsk(peer, 2, at(0)), true)
    assert.equal(retries.mayAsk('ip:b' as PeerId, 1, at(0)), true)
    assert.equal(retries.mayAsk(peer, 1, at(RETRY_WAIT_MS)), true)
    assert.equal(retries.failed(peer, 1, 0 as Millis), 2 * RETRY_WAIT_MS)
    assert.equal(retries.failed(peer, 1, 0 as Millis), 4 * RETRY_WAIT_MS)
  })

  it('wait ten minutes at most', () => {
    const retries = new PieceRetries()
    const waits = Array.from({ length: 12 }, () => retries.failed(peer, 1, 0 as Millis))
    assert.deepEqual(waits.slice(8), [512_000, 600_000, 600_000, 600_000])
  })

  it('remember 16,384 failures, and forget the oldest for one more', () => {
    const retries = new PieceRetries()
    const mayAsk = (index: number) => retries.mayAsk(peer, index, () => 0 as Millis)
    for (let index = 0; index < 16_384; index++) retries.failed(peer, index, 0 as Millis)
    assert.equal(mayAsk(0), false)
    retries.failed(peer, 16_384, 0 as Millis)
    assert.deepEqual([0, 1, 16_384].map(mayAsk), [true, false, false])
  })
})

describe('a batch of verdicts', () => {
  type Said = { verified: PieceRange[][]; judged: [PeerId, readonly PieceRange[], readonly BadPiece[]][] }
  function batch() {
    const said: Said = { verified: [], judged: [] }
    const timers: { delayMs: number; run: () => void }[] = []
    const it = new VerdictBatch(
      {
        verified: (pieces) => said.verified.push([...pieces]),
        judged: (...verdict) => {
          said.judged.push(verdict)
        },
      },
      {
        after: (delayMs, run) => {
          timers.push({ delayMs, run })
          return () => timers.splice(0)
        },
      },
    )
    return { it, said, timers }
  }
  const bad: BadPiece = { index: 9, evidence: 'sole-source', offset: 0, length: 1, expected: '', received: '' }

  it('waits with good news, and says it once', () => {
    const { it, said, timers } = batch()
    for (const index of [2, 1, 5]) {
      it.verified(index)
      it.good(peer, index)
    }
    assert.deepEqual(said, { verified: [], judged: [] })
    assert.deepEqual(
      timers.map((each) => each.delayMs),
      [BATCH_WAIT_MS],
    )
    timers[0]?.run()
    const ranges = [
      { first: 1, count: 2 },
      { first: 5, count: 1 },
    ]
    assert.deepEqual(said, { verified: [ranges], judged: [[peer, ranges, []]] })
    it.flush()
    assert.equal(said.judged.length, 1)
  })

  it('says bad news at once, with what was good before it', () => {
    const { it, said } = batch()
    it.good(peer, 1)
    void it.bad(peer, bad)
    assert.deepEqual(said.judged, [[peer, [{ first: 1, count: 1 }], [bad]]])
  })

  it('does not wait for a full batch', () => {
    const { it, said } = batch()
    for (let index = 0; index < BATCH_PIECES_MAX; index++) it.verified(2 * index)
    assert.equal(said.verified[0]?.length, BATCH_PIECES_MAX)
  })

  it('waits as long as it is a piece short of full, and counts anew after that', () => {
    const { it, said } = batch()
    for (let round = 1; round <= 2; round++) {
      for (let index = 1; index < BATCH_PIECES_MAX; index++) it.verified(2 * index)
      assert.equal(said.verified.length, round - 1)
      it.verified(0)
      assert.equal(said.verified.length, round)
    }
  })

  it('names no pieces where none was verified', () => {
    const { it, said } = batch()
    it.good(peer, 1)
    it.flush()
    assert.deepEqual([said.verified, said.judged.length], [[], 1])
  })
})

describe('a problem of the disk', () => {
  it('says what to do', () => {
    assert.match(
      diskProblem(Object.assign(new Error('x'), { code: 'ENOSPC' }), '/data'),
      /the disk of \/data is full: make room, then resume/,
    )
    assert.equal(diskProblem(new Error('something else'), '/data'), 'something else')
  })
})
