import assert from 'node:assert/strict'
import type { BadPiece, PeerId, PieceRange } from '../../src/events/index.ts'
import { BATCH_PIECES_MAX, BATCH_WAIT_MS, VerdictBatch } from '../../src/torrent/verdict-batch.ts'

const peer = 'ip:a' as PeerId

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
