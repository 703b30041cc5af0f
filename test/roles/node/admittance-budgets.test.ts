import assert from 'node:assert/strict'
import {
  CLIENT_LIMITS,
  type Event,
  type EventLog,
  type InfoHash,
  KINDS,
  type Lamport,
  type Millis,
  SHUT_MS,
  type SignedEvent,
  type Signer,
  signEvent,
  upcaster,
} from '../../../src/events/index.ts'
import { signerFromSeed } from '../../../src/events/keys/signer.sodium.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { systemTimers } from '../../../src/events/model/time.system.ts'
import { allProjections, createProjectionRunner, type ProjectionStates } from '../../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { newTurns } from '../../../src/projections/turns.system.ts'
import { Admittance } from '../../../src/roles/node/admittance.ts'
import { countKept } from '../../../src/roles/node/kept-count.ts'
import { joiningAs, TEST_JOINED, TEST_KEYS, TEST_NETWORK, verifySignature } from '../../events/test-network.ts'

const HOUR_MS = 3_600_000
const signerOf = (number: number): Signer => signerFromSeed(new Uint8Array(32).fill(number), TEST_NETWORK)
const own = signerOf(1)

/** A key that says things, and what admits it. */
class Voice {
  readonly signer: Signer
  readonly credential: Uint8Array
  readonly #next = new Map<string, number>()

  constructor(number: number, joining = joiningAs('client')) {
    this.signer = signerOf(number)
    this.credential = joining.credentialOf(this.signer.id)
  }

  says(event: Event, lamport = 1, stream: 'gossip' | 'index' = 'gossip'): SignedEvent {
    const authorSeq = (this.#next.get(stream) ?? 0) + 1
    this.#next.set(stream, authorSeq)
    return signEvent({ stream, event }, { lamport: lamport as Lamport, authorSeq, at: 5 as Millis }, this.signer)
  }

  shows(lamport = 1): SignedEvent {
    return this.says({ kind: 'node.admitted', credential: this.credential }, lamport)
  }

  publishes(count: number): SignedEvent[] {
    return Array.from({ length: count }, (_, index) => {
      const infoHash = index.toString(16).padStart(40, '0') as InfoHash
      const event: Event = {
        kind: 'torrent.published',
        infoHash,
        title: `title ${index}`,
        sizeBytes: 1,
        fileCount: 1,
        tags: [],
      }
      return this.says(event, 1, 'index')
    })
  }
}

/** A node's log under the rules of its network, and what follows from it. */
async function node(before?: EventLog, at = { ms: 1_600_000_000_001 }) {
  const over: string[] = []
  const clock = { now: () => at.ms as Millis }
  const admittance: Admittance = new Admittance({
    ...{ joined: TEST_JOINED, verify: verifySignature, clock },
    admissions: () => states.state('admissions'),
    onOverBudget: (author) => over.push(author),
  })
  const log = before ?? openMemoryLog({ signer: own, clock, upcast: upcaster([]), rules: admittance })
  const states = createProjectionRunner<ProjectionStates>({
    ...{ log, store: openMemoryProjectionStore(), newSha256, newTurns, timers: systemTimers, onNotice: () => {} },
    projections: allProjections(own.id, TEST_KEYS),
  })
  await states.open()
  const stop = countKept(admittance.budgets, log, states)
  const take = async (events: readonly SignedEvent[]) => (await log.ingest(events)).map(({ outcome }) => outcome)
  return { log, admittance, at, over, take, states, stop }
}

const tally = (outcomes: readonly string[]): Record<string, number> =>
  Object.fromEntries(Object.entries(Object.groupBy(outcomes, (one) => one)).map(([name, list]) => [name, list?.length ?? 0]))

describe('what is kept of an invitation', () => {
  it('ends with its budget, for all of its keys, on a log that knows it again after a restart', async () => {
    const { log, take, over, at, admittance, states, stop } = await node()
    const [ada, bob] = [new Voice(2), new Voice(3)]
    const guest = new Voice(4, joiningAs('client', { name: 'guest' }))
    await take([ada, bob, guest].map((voice) => voice.shows()))
    const { stock } = CLIENT_LIMITS.index
    assert.deepEqual(tally(await take(ada.publishes(stock.events - 100))), { appended: stock.events - 100 })
    assert.deepEqual(over, [])
    assert.deepEqual(tally(await take(bob.publishes(101))), { appended: 100, 'over-budget': 1 })
    assert.deepEqual(over, [bob.signer.id])
    assert.equal(admittance.isShut(ada.signer.id, 'index'), true)
    assert.equal(admittance.isShut(ada.signer.id, 'gossip'), false)
    assert.deepEqual(await take(guest.publishes(1)), ['appended'])
    const header = { author: ada.signer.id, at: 5 as Millis, lamport: 1 as Lamport, kind: 20, stream: 'index' } as const
    assert.equal(admittance.judge(header, undefined), 'over-budget')
    // That it is there it may go on to say.
    assert.equal(admittance.judge({ ...header, kind: KINDS['offers.renewed'].number }, undefined), 'take')
    assert.deepEqual(await take([ada.says({ kind: 'offers.renewed' }, 1, 'index')]), ['appended'])

    stop()
    await states.close()
    const again = await node(log, at)
    assert.equal(again.admittance.budgets.forCommit().take(bob.signer.id, 'index', 10), false)
    assert.equal(again.admittance.budgets.forCommit().take(guest.signer.id, 'index', 10), true)
    at.ms += SHUT_MS
    assert.equal(again.admittance.isShut(ada.signer.id, 'index'), false)
    assert.equal(again.admittance.budgets.forCommit().take(ada.signer.id, 'index', 10), true)
    await again.states.close()
  })

  it('grows by the hour, so that one that comes late takes at once what the others have', async () => {
    const at = { ms: 1_600_000_000_001 + 1_000 * HOUR_MS }
    const { take, states } = await node(undefined, at)
    const ada = new Voice(2)
    await take([ada.shows()])
    const { stock, most } = CLIENT_LIMITS.index
    assert.ok(stock.events + 5_000 < most.events)
    assert.deepEqual(tally(await take(ada.publishes(stock.events + 5_000))), { appended: stock.events + 5_000 })
    await states.close()
  })
})

describe('an invitation for a member', () => {
  const joining = joiningAs('index', { name: 'one node' })
  const [first, second] = [5, 6].map((number) => new Voice(number, joining)) as [Voice, Voice]

  it('lets in the links of one node, and of no other', async () => {
    const { admittance, states } = await node()
    const refusals = [first, second, first].map(({ signer, credential }) => admittance.refusal(signer.id, credential))
    assert.deepEqual(refusals, [undefined, 'used', undefined])
    assert.equal(admittance.standingOf(second.signer.id), undefined)
    await states.close()
  })

  it('admits the first by its stamp, whatever came first', async () => {
    const stamps = [3, 4]
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { admittance, take, states } = await node()
      const shown = [first, second].map(({ signer, credential }, index) => {
        const stamp = { lamport: stamps[index] as Lamport, authorSeq: 1, at: 5 as Millis }
        return signEvent({ stream: 'gossip', event: { kind: 'node.admitted', credential } }, stamp, signer)
      })
      for (const index of order) await take([shown[index] as SignedEvent])
      const standings = [first, second].map(({ signer }) => admittance.standingOf(signer.id))
      assert.deepEqual(standings, ['member', undefined], order.join())
      assert.equal(admittance.refusal(second.signer.id, second.credential), 'used')
      assert.equal(admittance.refusal(first.signer.id, first.credential), undefined)
      await states.close()
    }
  })

  it('stores nothing of one that comes too late, nor what it says', async () => {
    const { take, log, states } = await node()
    const [ada, eve] = [8, 10].map((number) => new Voice(number, joining)) as [Voice, Voice]
    assert.deepEqual(await take([ada.shows(1)]), ['appended'])
    const head = log.head
    assert.deepEqual(await take([eve.shows(3), ...eve.publishes(1)]), ['rejected', 'deferred'])
    assert.equal(log.head, head)
    await states.close()
  })

  it('puts out nobody who has a string of their own, however its keys are stamped', async () => {
    const { take, admittance, states } = await node()
    const ada = new Voice(8, joiningAs('index', { name: 'Ada' }))
    assert.deepEqual(await take([ada.shows(9)]), ['appended'])
    for (let key = 20; key < 40; key++) await take([new Voice(key, joining).shows(1)])
    assert.equal(admittance.standingOf(ada.signer.id), 'member')
    await states.close()
  })
})
