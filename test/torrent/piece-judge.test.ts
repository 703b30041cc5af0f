import assert from 'node:assert/strict'
import type { PeerId } from '../../src/events/index.ts'
import { PieceJudge } from '../../src/torrent/piece-judge.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

const liar = 'ip:liar' as PeerId
const other = 'ip:other' as PeerId
const yes = () => true

function judging(decide: () => void | Promise<void> = () => {}) {
  const time = new VirtualTime()
  const said = { cancelled: [] as PeerId[], suspected: [] as [number, readonly PeerId[]][], bad: [] as PeerId[], updates: 0 }
  const judge = new PieceJudge(
    { sha1, expected: () => '', clock: time, timers: time, onThinIce: new Set() },
    {
      verified: () => {},
      judged: (subject, _, bad) => {
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
})
