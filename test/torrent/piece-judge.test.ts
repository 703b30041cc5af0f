import assert from 'node:assert/strict'
import type { BadPiece, PeerId, PieceRange } from '../../src/events/index.ts'
import { PieceJudge } from '../../src/torrent/piece-judge.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

const liar = 'ip:liar' as PeerId
const other = 'ip:other' as PeerId
const yes = () => true

function judging(decide: () => void | Promise<void> = () => {}, onThinIce: ReadonlySet<PeerId> = new Set()) {
  const time = new VirtualTime()
  const said = {
    ...{ cancelled: [] as PeerId[], suspected: [] as [number, readonly PeerId[]][], bad: [] as PeerId[], updates: 0 },
    ...{ verified: [] as PieceRange[], good: [] as [PeerId, readonly PieceRange[]][], evidence: [] as BadPiece[] },
  }
  const judge = new PieceJudge(
    { sha1, expected: () => '', clock: time, timers: time, onThinIce },
    {
      verified: (pieces) => said.verified.push(...pieces),
      judged: (subject, good, bad) => {
        if (good.length > 0) said.good.push([subject, good])
        said.evidence.push(...bad)
        if (bad.length === 0) return
        said.bad.push(subject)
        return decide()
      },
      suspected: (index, sources) => said.suspected.push([index, sources]),
      cancelRequests: (peer) => said.cancelled.push(peer),
      update: () => {
        said.updates++
      },
    },
  )
  const fails = (index: number, ...peers: PeerId[]) => {
    for (const [offset, peer] of peers.entries()) judge.accept(index, offset, peer, Uint8Array.of(index))
    judge.failed(index)
  }
  return { judge, said, time, fails }
}

describe('the judge of pieces', () => {
  it('takes back what was asked of a liar once, as it is put on parole', () => {
    const { judge, said, fails } = judging()
    fails(1, liar)
    fails(2, liar)
    assert.deepEqual([said.bad, said.cancelled], [[liar, liar], [liar]])
    assert.equal(judge.onParole(liar), true)
    judge.close()
  })

  it('suspects several sources, and nobody where there is one', () => {
    const { judge, said, fails } = judging()
    fails(1, liar)
    assert.deepEqual(said.suspected, [])
    fails(2, liar, other)
    assert.deepEqual([said.suspected, said.cancelled], [[[2, [liar, other]]], [liar, other]])
    judge.close()
  })

  it('asks nothing of a peer whose ban is being decided, until all decisions have come', async () => {
    const decisions: PromiseWithResolvers<void>[] = []
    const { judge, said, time, fails } = judging(() => {
      const decision = Promise.withResolvers<void>()
      decisions.push(decision)
      return decision.promise
    })
    fails(1, liar)
    fails(2, liar)
    assert.equal(judge.mayAsk(liar, 3, yes), false)
    decisions[0]?.resolve()
    await time.advance(0)
    assert.deepEqual([judge.mayAsk(liar, 3, yes), said.updates], [false, 1])
    decisions[1]?.reject(new Error('it could not be decided'))
    await time.advance(0)
    assert.deepEqual([judge.mayAsk(liar, 3, yes), said.updates], [true, 2])
    judge.close()
  })

  it('does not ask a peer again at once for what it sent wrong, and takes it off parole when a piece passes', async () => {
    const { judge, time, fails } = judging()
    fails(1, liar)
    assert.equal(judge.mayAsk(liar, 1, yes), false)
    assert.equal(judge.mayAsk(liar, 2, yes), true)
    judge.accept(2, 0, liar, Uint8Array.of(2))
    judge.passed(2)
    assert.equal(judge.onParole(liar), false)
    assert.equal(judge.mayAsk(liar, 1, yes), false)
    await time.advance(2_000)
    assert.equal(judge.mayAsk(liar, 1, yes), true)
    judge.close()
  })

  it('tells of pieces that passed after a moment, at once when it is asked to or closed, and of each once', async () => {
    const { judge, said, time } = judging()
    judge.accept(1, 0, other, Uint8Array.of(1))
    judge.passed(1)
    judge.passed(2)
    await time.advance(199)
    assert.deepEqual([said.verified, said.good], [[], []])
    await time.advance(1)
    assert.deepEqual(said.verified, [{ first: 1, count: 2 }])
    assert.deepEqual(said.good, [[other, [{ first: 1, count: 1 }]]], 'what was found on the disk is nobody’s')
    judge.passed(4)
    judge.flush()
    assert.deepEqual(said.verified.splice(1), [{ first: 4, count: 1 }])
    judge.passed(5)
    judge.close()
    assert.deepEqual(said.verified.splice(1), [{ first: 5, count: 1 }])
    await time.advance(10_000)
    assert.deepEqual([said.verified.length, said.good.length], [1, 1])
  })

  it('convicts, when the piece passes, the one of several whose block differs, and thanks the others', async () => {
    const { judge, said, time } = judging()
    judge.accept(1, 0, other, Uint8Array.of(1))
    judge.accept(1, 1, liar, Uint8Array.of(0))
    judge.failed(1)
    assert.deepEqual([said.bad, judge.onParole(other), judge.onParole(liar)], [[], true, true])
    for (const offset of [0, 1]) judge.accept(1, offset, other, Uint8Array.of(1))
    judge.passed(1)
    assert.deepEqual([said.bad, judge.onParole(other), judge.onParole(liar)], [[liar], false, true])
    assert.deepEqual(
      said.evidence.map(({ index, evidence, offset }) => [index, evidence, offset]),
      [[1, 'block-differs', 1]],
    )
    await time.advance(200)
    assert.deepEqual(said.good, [[other, [{ first: 1, count: 1 }]]])
    judge.close()
  })

  it('holds nothing against anybody for blocks that were thrown away', () => {
    const { judge, said } = judging()
    judge.accept(1, 0, liar, Uint8Array.of(0))
    judge.forget(1)
    judge.failed(1)
    judge.accept(1, 0, liar, Uint8Array.of(0))
    judge.forget(1)
    judge.passed(1)
    assert.deepEqual([said.bad, said.suspected, judge.onParole(liar)], [[], [], false])
    judge.close()
    assert.deepEqual(said.good, [])
  })

  it('gives the piece of a peer on parole to nobody else, until the piece has its verdict or the peer has left', () => {
    const { judge, fails } = judging()
    fails(9, liar)
    const claims = (index: number): boolean => judge.mayAsk(liar, index, yes) && !judge.mayAsk(other, index, yes)
    assert.ok(claims(1))
    assert.equal(judge.mayAsk(liar, 2, yes), false, 'one piece at a time')
    judge.left(liar)
    assert.equal(judge.mayAsk(other, 1, yes), true)
    assert.ok(claims(2))
    fails(2, liar)
    assert.equal(judge.mayAsk(other, 2, yes), true)
    assert.ok(claims(3))
    // It came from elsewhere.
    judge.passed(3)
    assert.ok(claims(4))
    judge.close()
  })

  it('takes a piece back from a peer on thin ice that stalls, to the second, and lets others ask for it', async () => {
    const { judge, said, time } = judging(undefined, new Set([liar]))
    assert.equal(judge.onParole(liar), true)
    assert.ok(judge.mayAsk(liar, 1, yes))
    await time.advance(4_000)
    judge.accept(1, 0, liar, Uint8Array.of(1))
    await time.advance(1_000)
    assert.deepEqual([said.cancelled, judge.mayAsk(other, 1, yes)], [[], false], 'a block puts it off')
    const before = said.updates
    await time.advance(1_000)
    assert.deepEqual([said.cancelled, judge.mayAsk(other, 1, yes)], [[liar], true])
    assert.equal(said.updates, before + 1)
    judge.close()
    await time.advance(10_000)
    assert.equal(said.updates, before + 1, 'it is closed')
  })

  it('looks for nothing each second while nobody is on parole, and each second while somebody is', async () => {
    const { judge, said, time, fails } = judging()
    await time.advance(5_000)
    assert.equal(said.updates, 0)
    fails(1, liar)
    await time.advance(3_000)
    assert.equal(said.updates, 3, 'what waits for a second try is tried without a word of anybody')
    judge.close()
  })
})
