import { deepEqual } from 'node:assert/strict'
import type { Event } from '../../../src/events/index.ts'
import { relevantEvents } from '../../../src/roles/node/relevant-events.ts'
import { hash, node } from '../../projections/envelopes.ts'
import { judged } from '../../projections/reputation/scenes.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'

describe('the events that bear on a peer', () => {
  const [peer, other, third] = [node('peer'), node('other'), node('third')]
  let own: SmallLog
  let eve: SmallLog
  let mallory: SmallLog
  beforeEach(async () => {
    ;[own, eve, mallory] = await Promise.all([openSmallLog(1), openSmallLog(2), openSmallLog(3)])
  })
  afterEach(async () => {
    for (const each of [own, eve, mallory]) await each[Symbol.asyncDispose]()
  })
  const says = (...events: Event[]) => own.log.append(events.map((event) => ({ event })))
  const relevant = async (of = peer) => {
    const isRelevant = relevantEvents(own.states.state('reputation'), of)
    const found: number[] = []
    for await (const envelope of own.log.read()) if (isRelevant(envelope)) found.push(envelope.seq)
    return found
  }

  it('are those about it: verdicts, suspicions and the operator’s word', async () => {
    await says(judged(peer, 1, 0), judged(other, 1, 0))
    const suspected = (sources: string[]) => ({ kind: 'piece.suspected', infoHash: hash('x'), index: 1, sources }) as Event
    await says(suspected([other, peer]), suspected([other]))
    await says(
      { kind: 'operator.banned', subject: peer, reason: 'x' },
      { kind: 'operator.unbanned', subject: peer, reason: 'x' },
    )
    await says(
      { kind: 'operator.banned', subject: other, reason: 'x' },
      { kind: 'operator.unbanned', subject: other, reason: 'x' },
    )
    deepEqual(await relevant(), [1, 3, 5, 6])
  })

  it('are every policy, and nothing that is no word about peers', async () => {
    await says({ kind: 'policy.adopted', policy: 'mild', parameters: {} }, { kind: 'node.stopped', reason: 'x' })
    deepEqual(await relevant(), [1])
  })

  it('are all that those who reported it have said, and nothing that others said of others', async () => {
    await hears(own, eve, judged(peer, 0, 1), judged(other, 1, 0))
    await hears(own, mallory, judged(other, 1, 0), judged(third, 1, 0))
    deepEqual(await relevant(), [1, 2])
  })

  it('are our own words about what its reporters reported, by which they are measured, and not about the rest', async () => {
    await hears(own, eve, judged(peer, 0, 1), judged(other, 1, 0))
    await hears(own, mallory, judged(third, 1, 0))
    await says(judged(other, 2, 0), judged(third, 2, 0), judged(node('nobody'), 1, 0))
    deepEqual(await relevant(), [1, 2, 4])
    deepEqual(await relevant(third), [3, 5])
  })

  it('of one that nobody spoke of are none', async () => {
    await hears(own, eve, judged(other, 1, 0))
    await says(judged(other, 1, 0))
    deepEqual(await relevant(), [])
  })
})
