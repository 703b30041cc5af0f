import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repairLog } from '../../../src/events/damage/repair-log.level.ts'
import { verifyLog } from '../../../src/events/damage/verify-log.fs.ts'
import {
  type Event,
  type Joining,
  KINDS,
  type Lamport,
  type Millis,
  readCredential,
  type SignedEvent,
  type Signer,
  signEvent,
  signRevocation,
} from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { allProjections, type ProjectionStates } from '../../../src/projections/all.ts'
import { createProjectionRunner, isRevoked, type ProjectionStore, search } from '../../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { newTurns } from '../../../src/projections/turns.system.ts'
import { Admittance } from '../../../src/roles/node/admittance.ts'
import { evictRevoked } from '../../../src/roles/node/eviction.ts'
import { countKept } from '../../../src/roles/node/kept-count.ts'
import { startRetention } from '../../../src/roles/node/retention.ts'
import { tail } from '../../../src/roles/node/tail.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'
import { joiningAs, TEST_JOINED, TEST_KEYS, TEST_NETWORK, TEST_OWNER, verifySignature } from '../../events/test-network.ts'
import { hash } from '../../projections/envelopes.ts'

const DAY_MS = 86_400_000
const AT = 1_800_000_000_000
const STILL = { after: () => () => {} }
const ME = signerOf(1)
const NAMES = ['admissions', 'kept', 'liveness', 'reputation', 'keyword-index', 'downloads'] as const

let lamport = 0

/** A key that says things, and the invitation that admits it. */
class Voice {
  readonly signer: Signer
  readonly #joining: Joining
  readonly #next = new Map<string, number>()

  constructor(number: number, invitation: string) {
    this.signer = signerOf(number)
    this.#joining = joiningAs('client', { name: invitation })
  }

  get invitation() {
    return readCredential(this.#joining.credentialOf(this.signer.id), this.signer.id, TEST_OWNER.id, verifySignature)
  }

  says(event: Exclude<Event, { kind: 'unknown' }>, at = AT): SignedEvent {
    const { stream } = KINDS[event.kind]
    const authorSeq = (this.#next.get(stream) ?? 0) + 1
    this.#next.set(stream, authorSeq)
    return signEvent({ stream, event }, { lamport: ++lamport as Lamport, authorSeq, at: at as Millis }, this.signer)
  }

  shows(by: Joining = this.#joining): SignedEvent {
    return this.says({ kind: 'node.admitted', credential: by.credentialOf(this.signer.id) })
  }

  publishes(title: string, name = title): SignedEvent {
    return this.says({ kind: 'torrent.published', infoHash: hash(name), title, sizeBytes: 1, fileCount: 1, tags: [] })
  }

  judges(subject: Voice): SignedEvent {
    const infoHash = hash('judged')
    const pieces = { good: [{ first: 1, count: 1 }], bad: [] }
    return this.says({ kind: 'piece.judged', subject: subject.signer.id, infoHash, ...pieces })
  }
}

describe('what revoked nodes published', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-eviction-'))
  let directories = 0
  let now = AT
  const clock = { now: () => now as Millis }
  beforeEach(() => {
    now = AT
  })
  after(() => rmSync(root, { recursive: true }))

  async function start(directory = join(root, String(directories++)), store: ProjectionStore = openMemoryProjectionStore()) {
    const admittance: Admittance = new Admittance({
      ...{ joined: TEST_JOINED, verify: verifySignature, clock },
      admissions: () => states.state('admissions'),
    })
    const log = await openLevelLog({
      ...{ directory, signer: ME, clock, upcast: noUpcast, create: true, rules: admittance },
    })
    const states = createProjectionRunner<ProjectionStates>({
      ...{ log, store, projections: allProjections(ME.id, TEST_KEYS), timers: STILL, newSha256, newTurns },
    })
    await states.open()
    countKept(admittance.budgets, log, states)
    const posted: string[] = []
    const notices = { post: (_level: string, code: string, text: string) => posted.push(`${code}: ${text}`) }
    const parts = {
      ...{ log, states, budgets: admittance.budgets, clock, timers: STILL, notices },
      isRevoked: (author: Signer['id']) => admittance.isRevoked(author),
    }
    const found = (text: string) =>
      search(states.state('keyword-index'), text)
        .hits.map(({ title }) => title)
        .sort()
    /** Each state is that of a replay from nothing, whatever is stored. */
    const assertReplayed = async () => {
      for (const name of NAMES) assert.equal(states.digest(name), await states.digestAt(name), name)
    }
    const close = async () => {
      await states.close()
      await log[Symbol.asyncDispose]()
    }
    return { directory, store, admittance, log, states, posted, parts, found, assertReplayed, close }
  }
  type Started = Awaited<ReturnType<typeof start>>

  const revoke = ({ log }: Pick<Started, 'log'>, key: Signer['id'], at = AT) => {
    const signed = signRevocation({ key, at: at as Millis, reason: 'spam' }, TEST_OWNER)
    return log.append([{ event: { kind: 'access.revoked', ...signed } }])
  }

  /** Two keys of one guest and a friend, who publish in turns: 300 titles each, and a few more at the end of the log. */
  async function lived() {
    const node = await start()
    const [spammer, second, friend] = [new Voice(20, 'guest'), new Voice(21, 'guest'), new Voice(22, 'friend')]
    const voices = [spammer, second, friend]
    const said = voices.map((voice) => voice.shows())
    await node.log.ingest(said)
    for (let at = 0; at < 300; at++) {
      const events = voices.map((voice, place) => voice.publishes(`${place === 2 ? 'quiet' : 'cheap'} orbit ${place} ${at}`))
      if (at % 50 === 0) events.push(spammer.judges(friend), friend.judges(spammer), second.publishes('other', 'shared'))
      said.push(...events)
      await node.log.ingest(events)
    }
    for (const event of [friend.publishes('mine', 'shared'), spammer.publishes('cheap orbit at last')]) {
      said.push(event)
      await node.log.ingest([event])
    }
    const { key } = spammer.invitation
    await revoke(node, key)
    const gone = 300 + 300 + 6 + 1
    return { ...node, spammer, second, friend, said, gone, guests: key }
  }

  const publishedBy = async ({ log }: Pick<Started, 'log'>, { signer }: Voice) => {
    let events = 0
    for await (const { author } of log.read({ kinds: ['torrent.published'] })) if (author === signer.id) events += 1
    return events
  }
  const kindsOf = async ({ log }: Pick<Started, 'log'>, kind: 'piece.judged' | 'node.admitted' | 'access.revoked') => {
    let events = 0
    for await (const _ of log.read({ kinds: [kind] })) events += 1
    return events
  }
  /** True if these words stand anywhere in the files of the log. */
  const onDisk = (directory: string, words: string): boolean =>
    readdirSync(join(directory, 'log')).some((name) => readFileSync(join(directory, 'log', name)).includes(words))

  it('stays for a day, and then goes from the log, the index and the budgets, and nothing else does', async () => {
    const node = await lived()
    const { directory, log, states, parts, posted, admittance, spammer, second, friend, said, gone, guests } = node
    const before = { judged: await kindsOf(node, 'piece.judged'), admitted: await kindsOf(node, 'node.admitted') }
    const [head, vector, mark] = [log.head, new Map(log.versionVector()), (await log.verify()).headDigest]
    const clients = admittance.budgets.clients.index.events
    const retention = startRetention(parts, {})
    now = AT + DAY_MS - 1
    assert.equal(await retention.run(), 0)
    assert.equal(await publishedBy(node, spammer), 301)
    assert.equal(onDisk(directory, 'cheap orbit'), true)

    now = AT + DAY_MS
    assert.equal(await retention.run(), gone)
    assert.deepEqual(posted, [`index.evicted: ${gone} publications of revoked nodes were removed from the log`])
    assert.deepEqual([await publishedBy(node, spammer), await publishedBy(node, second)], [0, 0])
    assert.equal(await publishedBy(node, friend), 301)
    assert.deepEqual([node.found('cheap'), node.found('quiet').length > 0, node.found('mine')], [[], true, ['mine']])
    await node.assertReplayed()
    assert.equal(onDisk(directory, 'cheap orbit'), false)
    assert.equal(onDisk(directory, 'quiet orbit'), true)

    // What bans and the network rest on is there, and the log is what it was.
    assert.deepEqual({ judged: await kindsOf(node, 'piece.judged'), admitted: await kindsOf(node, 'node.admitted') }, before)
    assert.equal(await kindsOf(node, 'access.revoked'), 1)
    assert.deepEqual([log.head, new Map(log.versionVector())], [head, vector])
    const live = await log.verify({ signaturesOf: TEST_NETWORK })
    assert.deepEqual([live.ranges, live.pruned, live.headDigest], [[], gone, mark])
    // Room for what clients together may publish, and nothing of the guests' is counted.
    assert.equal(admittance.budgets.clients.index.events, clients - gone)
    assert.equal(states.state('kept').authors.get(spammer.signer.id)?.index.events ?? 0, 0)
    assert.equal(admittance.partyOf(spammer.signer.id).key, guests)

    // Known, so that nobody can bring it back.
    const outcomes = new Set((await log.ingest(said)).map(({ outcome }) => outcome))
    assert.deepEqual(outcomes, new Set(['duplicate']))
    assert.equal(await retention.run(), 0)
    assert.equal(posted.length, 1)
    await retention[Symbol.asyncDispose]()
    await node.close()
  })

  it('is gone after a restart and after a rebuild, and the log goes on', async () => {
    const node = await lived()
    now = AT + DAY_MS
    assert.equal(await evictRevoked(node.parts), node.gone)
    const digests = NAMES.map((name) => node.states.digest(name))
    await node.close()
    const verdict = await verifyLog(node.directory, { signaturesOf: TEST_NETWORK })
    assert.deepEqual([verdict.ranges, verdict.problems, verdict.pruned], [[], [], node.gone])

    for (const store of [node.store, openMemoryProjectionStore()]) {
      const again = await start(node.directory, store)
      assert.deepEqual(
        NAMES.map((name) => again.states.digest(name)),
        digests,
      )
      assert.deepEqual([again.found('cheap'), again.found('mine')], [[], ['mine']])
      assert.equal(await evictRevoked(again.parts), 0)
      for (const name of NAMES) {
        const { digestBefore, digestAfter } = await again.states.rebuild(name)
        assert.equal(digestAfter, digestBefore, name)
      }
      assert.equal((await again.log.ingest([node.friend.publishes(`later ${Math.random()}`)]))[0]?.outcome, 'appended')
      await again.assertReplayed()
      digests.splice(0, digests.length, ...NAMES.map((name) => again.states.digest(name)))
      await again.close()
      assert.equal((await verifyLog(node.directory, { signaturesOf: TEST_NETWORK })).intact, true)
    }
  })

  it('does not come back with a repair of the log, though files of before are still there', async () => {
    const node = await lived()
    const old = readdirSync(join(node.directory, 'log')).filter((name) => /\.(ldb|log)$/.test(name))
    const copies = old.map((name) => ({ name, bytes: readFileSync(join(node.directory, 'log', name)) }))
    now = AT + DAY_MS
    await evictRevoked(node.parts)
    const { events } = await node.log.verify()
    await node.close()
    // As LevelDB leaves them when it is killed before it removes what it has compacted.
    for (const { name, bytes } of copies) writeFileSync(join(node.directory, 'log', name), bytes)
    assert.equal(onDisk(node.directory, 'cheap orbit'), true)
    rmSync(join(node.directory, 'head'))
    const { after, lost } = await repairLog(node.directory, { author: ME.id, network: TEST_NETWORK })
    assert.deepEqual([after.intact, after.events, after.pruned, lost], [true, events, node.gone, []])
    const again = await start(node.directory)
    assert.deepEqual([await publishedBy(again, node.spammer), again.found('cheap')], [0, []])
    assert.deepEqual(new Set((await again.log.ingest(node.said)).map(({ outcome }) => outcome)), new Set(['duplicate']))
    await again.close()
    assert.equal(onDisk(node.directory, 'cheap orbit'), false)
  })

  it('leaves places that a look at the past and a tail pass over', async () => {
    const node = await lived()
    now = AT + DAY_MS
    const middle = Math.floor(node.log.head / 2)
    await evictRevoked(node.parts)
    const past = await node.states.digestAt('keyword-index', middle)
    assert.notEqual(past, await node.states.digestAt('keyword-index', 0))
    assert.notEqual(past, await node.states.digestAt('keyword-index'))
    const rows: string[] = []
    const { head } = node.log
    for await (const row of tail(node.log, { from: 0, kinds: ['torrent.published', 'access.revoked'] })) {
      rows.push(row.kind)
      if (row.seq === head) break
    }
    assert.deepEqual([rows.length, rows.at(-1)], [302, 'access.revoked'])
    await node.close()
  })

  it('keeps its place where it was the whole end of the log', async () => {
    const node = await start()
    const spammer = new Voice(30, 'guest at the end')
    await node.log.ingest([spammer.shows()])
    await revoke(node, spammer.signer.id)
    // Taken before the revocation came to the one that passed it on: as an import would.
    const titles = Array.from({ length: 200 }, (_, at) => spammer.publishes(`end ${at}`))
    const { log } = node
    await node.close()
    const open = await openLevelLog({ directory: node.directory, signer: ME, clock, upcast: noUpcast })
    await open.ingest(titles)
    const head = open.head
    await open[Symbol.asyncDispose]()
    assert.equal(head, log.head + 200)

    now = AT + DAY_MS
    const again = await start(node.directory, node.store)
    assert.equal(await evictRevoked(again.parts), 200)
    await again.assertReplayed()
    await again.close()
    const after = await start(node.directory, node.store)
    assert.equal(after.log.head, head)
    await after.log.append([{ event: { kind: 'node.stopped', reason: 'goes on' } }])
    assert.equal(after.log.head, head + 1)
    await after.assertReplayed()
    await after.close()
    assert.equal((await verifyLog(node.directory, { signaturesOf: TEST_NETWORK })).intact, true)
  })

  it('stays of one that was invited anew before its day was over', async () => {
    const node = await lived()
    now = AT + DAY_MS / 2
    await node.log.ingest([node.second.shows(joiningAs('client', { name: 'second try' }))])
    now = AT + DAY_MS
    assert.equal(await evictRevoked(node.parts), 301)
    assert.deepEqual([await publishedBy(node, node.spammer), await publishedBy(node, node.second)], [0, 306])
    await node.assertReplayed()
    await node.close()
  })

  it('goes from the states with the next round where a crash came between', async () => {
    const node = await lived()
    now = AT + DAY_MS
    const crash = new AbortController()
    crash.abort()
    await assert.rejects(evictRevoked(node.parts, crash.signal))
    assert.equal(await publishedBy(node, node.spammer), 0)
    assert.notEqual(node.states.digest('keyword-index'), await node.states.digestAt('keyword-index'))
    await node.close()
    const again = await start(node.directory, node.store)
    assert.equal(await evictRevoked(again.parts), 0)
    await again.assertReplayed()
    assert.equal(again.admittance.budgets.clients.index.events, 301)
    await again.close()
  })

  it('goes without what its author publishes anew, invited again while it goes', async () => {
    const node = await lived()
    now = AT + DAY_MS
    const { second } = node
    const fresh = new Set<string>()
    const states: typeof node.states = Object.create(node.states, {
      state: { value: node.states.state },
      rebuild: { value: node.states.rebuild },
      forget: {
        value: async (...asked: Parameters<typeof node.states.forget>) => {
          if (fresh.size === 0) {
            await node.log.ingest([second.shows(joiningAs('client', { name: 'third try' }))])
            const [told] = await node.log.ingest([second.publishes('other again', 'shared')])
            fresh.add(told?.outcome ?? '')
          }
          return node.states.forget(...asked)
        },
      },
    })
    assert.equal(await evictRevoked({ ...node.parts, states }), node.gone)
    assert.deepEqual([...fresh], ['appended'])
    assert.equal(isRevoked(node.states.state('admissions'), second.signer.id), false)
    const offers = node.states.state('keyword-index').documents.find(hash('shared'))?.offers
    assert.equal(offers?.find(({ author }) => author === second.signer.id)?.description?.title, 'other again')
    await node.assertReplayed()
    await node.close()
  })
})
