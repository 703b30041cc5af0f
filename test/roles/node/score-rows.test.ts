import { deepEqual, equal } from 'node:assert/strict'
import type { NodeId, PeerId } from '../../../src/events/index.ts'
import { findPeer, scoreRow, scoreRows } from '../../../src/roles/node/score-rows.ts'
import { judged } from '../../projections/reputation/scenes.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'

const peerOf = (start: string): PeerId => start.padEnd(64, '0') as NodeId

describe('the rows of scores', () => {
  const [good, bad, other] = [peerOf('aa'), peerOf('ab'), peerOf('c')]
  let own: SmallLog
  let eve: SmallLog
  let mallory: SmallLog
  beforeEach(async () => {
    ;[own, eve, mallory] = await Promise.all([openSmallLog(1), openSmallLog(2), openSmallLog(3)])
    await own.log.append([{ event: judged(good, 40, 0) }, { event: judged(bad, 3, 21) }])
    await hears(own, eve, judged(other, 0, 2), judged(bad, 0, 1))
    await hears(own, mallory, judged(other, 0, 2))
  })
  afterEach(async () => {
    for (const each of [own, eve, mallory]) await each[Symbol.asyncDispose]()
  })
  const ledger = () => own.states.state('reputation')
  const nobody = () => false

  it('say what we saw ourselves, how many others reported, and what comes of it', () => {
    const row = scoreRow(ledger(), bad, nobody)
    deepEqual([row.peer, row.ownGood, row.ownBad, row.reporters, row.standing], [bad, 3, 21, 1, 'banned'])
    const of = scoreRow(ledger(), other, nobody)
    deepEqual([of.ownGood, of.ownBad, of.reporters], [0, 0, 2])
    equal(row.score < scoreRow(ledger(), good, nobody).score, true)
  })

  it('count no reporter that was put out', () => {
    const isRevoked = (id: NodeId) => id === eve.id
    deepEqual([scoreRow(ledger(), other, isRevoked).reporters, scoreRow(ledger(), bad, isRevoked).reporters], [1, 0])
  })

  it('of a peer of whom nothing is known are those of anybody', () => {
    const row = scoreRow(ledger(), peerOf('f'), nobody)
    deepEqual([row.score, row.standing, row.ownGood, row.ownBad, row.reporters], [100, 'good', 0, 0, 0])
  })

  it('are all there are, the worst first, and equal ones by their ids', async () => {
    await own.log.append([{ event: judged(peerOf('e'), 1, 0) }, { event: judged(peerOf('d'), 1, 0) }])
    const rows = scoreRows(ledger(), nobody)
    deepEqual(new Set(rows.map(({ peer }) => peer)), new Set([good, bad, other, peerOf('d'), peerOf('e')]))
    equal(rows[0]?.peer, bad)
    deepEqual(
      rows.map(({ score }) => score),
      rows.map(({ score }) => score).sort((a, b) => a - b),
    )
    const equals = rows.filter(({ peer }) => peer === peerOf('d') || peer === peerOf('e')).map(({ peer }) => peer)
    deepEqual(equals, [peerOf('d'), peerOf('e')])
  })

  it('are found by a whole id, or the beginning of just one', () => {
    equal(findPeer(ledger(), bad), bad)
    equal(findPeer(ledger(), bad.toUpperCase()), bad)
    deepEqual(
      ['c', 'AB', 'a', 'f', '', `${bad}0`].map((text) => findPeer(ledger(), text)),
      [other, bad, 'several', 'none', 'none', 'none'],
    )
  })
})
