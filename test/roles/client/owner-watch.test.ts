import { deepEqual, equal } from 'node:assert/strict'
import { type Event, type Millis, type NodeId, signRevocation } from '../../../src/events/index.ts'
import { watchOwners } from '../../../src/roles/client/owner-watch.ts'
import { liveIndexMap } from '../../../src/roles/index-node/live-index-map.ts'
import { joiningAs, TEST_OWNER } from '../../events/test-network.ts'
import { hash, node } from '../../projections/envelopes.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

type Said = 'member.alive' | 'member.suspect' | 'member.dead'

describe('the watch over owners', () => {
  const [ada, bob] = [node('ada'), node('bob')]
  let own: SmallLog
  let reconsidered: number
  let stop: () => void
  beforeEach(async () => {
    own = await openSmallLog()
    reconsidered = 0
    const publications = { reconsider: () => void reconsidered++ }
    stop = watchOwners(own.log, liveIndexMap(own.states), () => publications)
  })
  afterEach(() => own[Symbol.asyncDispose]())
  const member = (kind: Said, subject: NodeId, incarnation = 1, role: 'index' | 'client' = 'index'): Event => ({
    ...{ kind, subject, incarnation, role },
    ...{ host: '127.0.0.1', port: 4_000, dhtPort: 0 },
  })
  /** @returns how often publications were reconsidered by it */
  const reconsideredBy = async (...events: Event[]): Promise<number> => {
    const before = reconsidered
    await own.log.append(events.map((event) => ({ event })))
    return reconsidered - before
  }

  it('has publications reconsidered when an index node comes, and when one goes', async () => {
    equal(await reconsideredBy(member('member.alive', ada)), 1)
    equal(await reconsideredBy(member('member.alive', bob)), 1)
    equal(await reconsideredBy(member('member.dead', ada)), 1)
  })

  it('does so once for all that comes together', async () => {
    equal(await reconsideredBy(member('member.alive', ada), member('member.alive', bob)), 1)
  })

  it('does so when an index node is back before anybody missed it: it may have lost what it held', async () => {
    await reconsideredBy(member('member.alive', ada))
    equal(await reconsideredBy(member('member.alive', ada, 2)), 1)
  })

  it('does so when the owner of the network puts an index node out', async () => {
    await reconsideredBy(member('member.alive', ada))
    const word = signRevocation({ key: ada, at: 1 as Millis, reason: '' }, TEST_OWNER)
    const map = liveIndexMap(own.states, {
      isMember: (id) => !own.states.state('admissions').revoked.has(id),
      stateOf: (m) => m.state,
    })
    stop()
    stop = watchOwners(own.log, map, () => ({ reconsider: () => void reconsidered++ }))
    equal(await reconsideredBy({ kind: 'access.revoked', ...word }), 1)
    deepEqual(map.indexNodes(), [])
  })

  it('does so when a node that was heard of is admitted', async () => {
    await reconsideredBy(member('member.alive', ada))
    const index = joiningAs('index')
    stop()
    let isAdmitted = false
    const map = liveIndexMap(own.states, { isMember: () => isAdmitted, stateOf: (m) => m.state })
    stop = watchOwners(own.log, map, () => ({ reconsider: () => void reconsidered++ }))
    deepEqual(map.indexNodes(), [])
    isAdmitted = true
    equal(await reconsideredBy({ kind: 'node.admitted', credential: index.credentialOf(ada) }), 1)
    deepEqual(map.indexNodes(), [ada])
  })

  it('sees what bears on owners among what does not', async () => {
    const stopped: Event = { kind: 'node.stopped', reason: 'asked to' }
    equal(await reconsideredBy(stopped, member('member.alive', ada), stopped), 1)
    equal(await reconsideredBy(stopped, member('member.alive', ada, 2)), 1)
  })

  it('does not look for owners where nothing bears on them', async () => {
    stop()
    const map = liveIndexMap(own.states)
    let looked = 0
    const indexNodes = () => {
      looked += 1
      return map.indexNodes()
    }
    stop = watchOwners(own.log, { ...map, indexNodes }, () => ({ reconsider: () => void reconsidered++ }))
    await reconsideredBy({ kind: 'node.stopped', reason: 'asked to' })
    equal(looked, 1)
    await reconsideredBy(member('member.suspect', ada))
    equal(looked, 2)
  })

  it('does not where a client comes, a node is only suspected, or something else is said', async () => {
    await reconsideredBy(member('member.alive', ada))
    equal(await reconsideredBy(member('member.alive', bob, 1, 'client')), 0)
    equal(await reconsideredBy(member('member.suspect', ada)), 0)
    equal(await reconsideredBy({ kind: 'torrent.verified', infoHash: hash('orbit'), title: 'orbit' }), 0)
    equal(await reconsideredBy({ kind: 'node.stopped', reason: 'asked to' }), 0)
  })

  it('ends when it is stopped', async () => {
    stop()
    equal(await reconsideredBy(member('member.alive', ada)), 0)
  })
})
