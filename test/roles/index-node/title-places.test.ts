import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Event,
  type InfoHash,
  type Joining,
  KINDS,
  type Lamport,
  type Millis,
  type NodeId,
  type SignedEvent,
  type Signer,
  scanBody,
  signEvent,
} from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { allProjections, type ProjectionStates } from '../../../src/projections/all.ts'
import {
  createProjectionRunner,
  hashKeyword,
  keywordsOf,
  partitionDigest,
  partitionOf,
  search,
  Turns,
} from '../../../src/projections/index.ts'
import { segmentKey } from '../../../src/projections/keyword-index/segments/segment-keys.ts'
import { openMemoryProjectionStore } from '../../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { newTurns } from '../../../src/projections/turns.system.ts'
import { dropTitles } from '../../../src/roles/index-node/drop-titles.ts'
import { ingestIndexEvents } from '../../../src/roles/index-node/index-requests.ts'
import { isIndexKind } from '../../../src/roles/index-node/index-view.ts'
import { TitlePlaces, type TitlePlacesOptions, TURNED_AWAY_MAX } from '../../../src/roles/index-node/title-places.ts'
import { Admittance } from '../../../src/roles/node/admittance.ts'
import { countKept } from '../../../src/roles/node/kept-count.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'
import { joiningAs, TEST_JOINED, TEST_KEYS, verifySignature } from '../../events/test-network.ts'
import { hash } from '../../projections/envelopes.ts'
import { mergeFrom, writeSegment } from '../../projections/keyword-index/index-states.ts'

const AT = 1_800_000_000_000
const STILL = { after: () => () => {} }
const ME = signerOf(1)
const OTHER = signerOf(2).id
const PLACES = 20
const OWNED = new Set(['orbit', 'quiet'].map(partitionOf))
let lamport = 0

/** An info hash whose owner is somebody else, or this node. */
function hashOf(name: string, isOwned = false): InfoHash {
  for (let at = 0; ; at++) {
    const infoHash = hash(`${name} ${at}`)
    if (OWNED.has(partitionOf(hashKeyword(infoHash))) === isOwned) return infoHash
  }
}

/** A key with an invitation of its own. */
class Voice {
  readonly signer: Signer
  readonly #joining: Joining
  readonly #next = new Map<string, number>()

  constructor(number: number) {
    this.signer = signerOf(number)
    this.#joining = joiningAs('client', { name: `guest ${number}` })
  }

  says(event: Exclude<Event, { kind: 'unknown' }>): SignedEvent {
    const { stream } = KINDS[event.kind]
    const authorSeq = (this.#next.get(stream) ?? 0) + 1
    this.#next.set(stream, authorSeq)
    return signEvent({ stream, event }, { lamport: ++lamport as Lamport, authorSeq, at: AT as Millis }, this.signer)
  }

  shows(): SignedEvent {
    return this.says({ kind: 'node.admitted', credential: this.#joining.credentialOf(this.signer.id) })
  }

  publishes(title: string, infoHash = hashOf(title)): SignedEvent {
    return this.says({ kind: 'torrent.published', infoHash, title, sizeBytes: 1, fileCount: 1, tags: [] })
  }

  verifies(title: string): SignedEvent {
    return this.says({ kind: 'torrent.verified', infoHash: hashOf(title), title })
  }

  withdraws(title: string): SignedEvent {
    return this.says({ kind: 'torrent.withdrawn', infoHash: hashOf(title), title })
  }
}

describe('the places that an owner gives to titles', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-places-'))
  let directories = 0
  let close = async () => {}
  afterEach(() => close())
  after(() => rmSync(root, { recursive: true }))

  async function started(more: Partial<TitlePlacesOptions> = {}) {
    const clock = { now: () => AT as Millis }
    const admittance: Admittance = new Admittance({
      ...{ joined: TEST_JOINED, verify: verifySignature, clock },
      admissions: () => states.state('admissions'),
    })
    const log = await openLevelLog({
      ...{ directory: join(root, String(directories++)), signer: ME, clock, upcast: noUpcast, create: true, rules: admittance },
    })
    const states = createProjectionRunner<ProjectionStates>({
      ...{ log, store: openMemoryProjectionStore(), projections: allProjections(ME.id, TEST_KEYS), timers: STILL },
      ...{ newSha256, newTurns },
    })
    await states.open()
    countKept(admittance.budgets, log, states)
    close = async () => {
      await states.close()
      await log[Symbol.asyncDispose]()
    }
    const ownersOf = (word: string): NodeId[] => [OWNED.has(partitionOf(word)) ? ME.id : OTHER]
    const options: TitlePlacesOptions = {
      index: () => states.state('keyword-index'),
      map: {
        keywordsOf: (infoHash, title) => [...keywordsOf(title), hashKeyword(infoHash)],
        ownersOf,
        rankedOwners: (partition) => [OWNED.has(partition) ? ME.id : OTHER],
      },
      ...{ own: ME.id, upcast: noUpcast, newTurns, places: PLACES },
      drop: (torrents) => dropTitles(torrents, { log, states, budgets: admittance.budgets }),
      ...more,
    }
    const places = new TitlePlaces(options)
    const say = (...events: SignedEvent[]) =>
      ingestIndexEvents(events, {
        ...{ log, verify: verifySignature, isOverBudget: () => false, places },
        view: { isIndexKind } as Parameters<typeof ingestIndexEvents>[1]['view'],
      })
    const voices = Array.from({ length: 9 }, (_, number) => new Voice(20 + number))
    await log.ingest(voices.map((voice) => voice.shows()))
    const titles = () => search(states.state('keyword-index'), 'orbit', { limit: 100 }).hits.map(({ title }) => title)
    const assertReplayed = async () => {
      for (const name of ['kept', 'keyword-index'] as const)
        assert.equal(states.digest(name), await states.digestAt(name), name)
    }
    return { log, states, options, places, say, voices, titles, assertReplayed }
  }
  type Started = Awaited<ReturnType<typeof started>>

  /** Six parties publish five titles each under one word, of which the first `backed` are held by two others too. */
  async function crowd({ say, voices }: Started, backed = 30): Promise<SignedEvent[]> {
    const said: SignedEvent[] = []
    for (let number = 0; number < 30; number++) {
      const title = `orbit n${number}`
      said.push((voices[number % 6] as Voice).publishes(title))
      for (const by of number < backed ? [1, 2] : []) said.push((voices[(number + by) % 6] as Voice).verifies(title))
    }
    const outcomes = await say(...said)
    assert.ok(outcomes.every((outcome) => outcome === 'stored'))
    return said
  }

  it('are those of the best: the rest is let go of, from the log and the index, as if it had never come', async () => {
    const node = await started()
    const said = await crowd(node, 22)
    const partition = partitionDigest(node.states.state('keyword-index'), partitionOf('orbit'))
    assert.equal(await node.places.round(), 8 + 2 * 3)
    assert.equal(node.titles().length, PLACES)
    assert.notEqual(partitionDigest(node.states.state('keyword-index'), partitionOf('orbit')), partition)
    await node.assertReplayed()
    // Sent again, it is told what became of it, and not that it is held.
    const again = await node.say(...said)
    assert.equal(again.filter((outcome) => outcome === 'below-rank').length, 14)
    assert.equal(again.filter((outcome) => outcome === 'duplicate').length, said.length - 14)
    await node.assertReplayed()
  })

  it('are cut only when a fifth more has come, and then to what they are', async () => {
    const node = await started()
    await crowd(node, 0)
    await node.places.round()
    assert.equal(node.titles().length, PLACES)
    // Newcomers have places: three more are over the boundary, and stay until there are four.
    const [a, b, c] = node.voices.slice(6) as [Voice, Voice, Voice]
    await node.say(a.publishes('orbit more1'), b.publishes('orbit more2'), c.publishes('orbit more3'))
    assert.equal(await node.places.round(), 0)
    assert.equal(node.titles().length, PLACES + 3)
    await node.say(a.publishes('orbit more4'), b.publishes('orbit more5'))
    assert.equal(await node.places.round(), 5)
    assert.equal(node.titles().length, PLACES)
    await node.assertReplayed()
  })

  it('are all taken: who has none is sent away at the door, and let in when enough parties offer it', async () => {
    const node = await started()
    await crowd(node)
    await node.places.round()
    const [a, b, c] = node.voices.slice(6) as [Voice, Voice, Voice]
    const head = node.log.head
    const first = a.publishes('orbit unknown')
    assert.deepEqual(await node.say(first, b.verifies('orbit unknown')), ['below-rank', 'below-rank'])
    // The same key twice is no other party.
    assert.deepEqual(await node.say(first, b.verifies('orbit unknown')), ['below-rank', 'below-rank'])
    assert.equal(node.log.head, head)
    const { author, authorSeq } = scanBody(first.body)
    assert.ok(node.places.isDeclined({ author, authorSeq }))
    assert.ok(!node.places.isDeclined({ author, authorSeq: authorSeq + 1 }))
    assert.deepEqual(await node.say(c.verifies('orbit unknown'), first), ['stored', 'stored'])
    assert.ok(node.titles().includes('orbit unknown'))
  })

  it('are of one word: what another word or the info hash has a place for is kept, and so is what is known or taken back', async () => {
    const node = await started()
    await crowd(node)
    await node.places.round()
    const newcomer = node.voices[8] as Voice
    const known = node.titles()[0] as string
    assert.deepEqual(
      await node.say(
        newcomer.publishes('orbit alone'),
        newcomer.publishes('quiet orbit'),
        newcomer.publishes('orbit by hash', hashOf('orbit by hash', true)),
        newcomer.verifies(known),
        newcomer.withdraws('orbit alone'),
      ),
      ['below-rank', 'stored', 'stored', 'stored', 'stored'],
    )
    // They are in the list of the full word as well, and no reason to let go of anything else, or of them.
    assert.equal(node.titles().length, PLACES + 2)
    assert.equal(await node.places.round(), 0)
    await node.assertReplayed()
  })

  it('are not given to what nobody signed, and nothing is remembered of it', async () => {
    const node = await started()
    await crowd(node)
    await node.places.round()
    const event = (node.voices[8] as Voice).publishes('orbit forged')
    assert.deepEqual(await node.say({ ...event, signature: new Uint8Array(64) }), ['forged'])
    assert.ok(!node.places.isDeclined(scanBody(event.body)))
    // Somebody whose admission has not come is the log's to judge.
    assert.deepEqual(await node.say(new Voice(60).publishes('orbit stranger')), ['deferred'])
  })

  it('are not taken by what is said of a torrent while it is let go of, and what was let through before is waited for', async () => {
    const told: unknown[] = []
    const ingesting = Promise.withResolvers<void>()
    const node: Started = await started({
      async drop(torrents) {
        told.push('drop', torrents.size)
        const [one] = [...torrents].map((infoHash) => Number.parseInt(infoHash, 16))
        assert.ok(one !== undefined)
        const titles = Array.from({ length: 30 }, (_, number) => `orbit n${number}`)
        const leaving = titles.find((title) => torrents.has(hashOf(title)))
        assert.ok(leaving)
        told.push(...(await node.say((node.voices[8] as Voice).verifies(leaving))))
        return 0
      },
    })
    await crowd(node, 0)
    const waited = node.places.during(ingesting.promise)
    const round = node.places.round()
    for (let turn = 0; turn < 50; turn++) await new Promise((next) => setImmediate(next))
    assert.deepEqual(told, [])
    ingesting.resolve()
    await Promise.all([waited, round])
    assert.deepEqual(told, ['drop', 10, 'below-rank'])
  })

  it('are given out again where a round was cut off between the log and the index', async () => {
    const node = await started()
    await crowd(node, 0)
    const cutOff = new TitlePlaces({
      ...node.options,
      async drop(torrents) {
        const gone = ({ event }: { event: Event }) => 'infoHash' in event && torrents.has(event.infoHash as InfoHash)
        await node.log.prune({ to: node.log.head, kinds: ['torrent.published'], throughEnd: true, drop: gone })
        throw new Error('the machine stopped')
      },
    })
    await assert.rejects(cutOff.round(), /stopped/)
    assert.equal(node.titles().length, 30)
    await node.places.round()
    assert.equal(node.titles().length, PLACES)
    assert.equal(node.states.digest('keyword-index'), await node.states.digestAt('keyword-index'))
  })

  it('are counted in segments that are merged meanwhile, and never read where those stood', async () => {
    let between = () => {}
    let ms = 0
    const now = () => {
      ms += 100
      return ms
    }
    const yieldToEventLoop = async () => between()
    const node = await started({ newTurns: () => new Turns({ now, yieldToEventLoop }) })
    const state = node.states.state('keyword-index')
    await crowd(node, 0)
    writeSegment(state)
    const newcomers = node.voices.slice(6).map((voice, at) => voice.publishes(`orbit more${at}`))
    await node.say(...newcomers)
    writeSegment(state)
    let turns = 0
    between = () => {
      turns += 1
      if (turns > 1) return
      const before = state.listings.segments
      mergeFrom(state)
      for (const { mark } of before) state.rows.clear(segmentKey(mark.number), segmentKey(mark.number + 1))
    }
    await node.places.round()
    assert.ok(turns > 1)
    assert.equal(node.titles().length, PLACES)
    await node.assertReplayed()
  })

  it('are given to whoever was sent away as long as there is room to remember who offers what', async () => {
    const node = await started()
    await crowd(node)
    await node.places.round()
    const [a, b, c] = node.voices.slice(6) as [Voice, Voice, Voice]
    const takes = (event: SignedEvent) => node.places.takes(scanBody(event.body))
    assert.ok(!takes(a.publishes('orbit first')))
    assert.ok(!takes(b.verifies('orbit first')))
    // So many others come between; one more, and the first is forgotten with those who offered it.
    let number = 0
    const others = (count: number) => {
      for (let left = count; left > 0; number++) {
        const infoHash = number.toString(16).padStart(40, 'a') as InfoHash
        if (OWNED.has(partitionOf(hashKeyword(infoHash)))) continue
        assert.ok(!takes(a.publishes('orbit other', infoHash)))
        left -= 1
      }
    }
    others(TURNED_AWAY_MAX - 1)
    assert.ok(takes(c.verifies('orbit first')), 'it is remembered')
    assert.ok(!takes(a.publishes('orbit second')))
    assert.ok(!takes(b.verifies('orbit second')))
    others(TURNED_AWAY_MAX)
    assert.ok(!takes(c.verifies('orbit second')), 'it is forgotten')
  })

  it('are told: how many are kept of a word, of how many that are known', async () => {
    const node = await started()
    await crowd(node)
    assert.equal(node.places.of('orbit'), undefined)
    await node.places.round()
    assert.deepEqual(node.places.of('orbit'), { kept: PLACES, known: 30 })
    assert.ok(node.places.isCut(partitionOf('orbit')))
    assert.ok(!node.places.isCut(partitionOf('quiet')))
    await node.say((node.voices[8] as Voice).publishes('orbit more'))
    assert.deepEqual(node.places.of('orbit'), { kept: PLACES, known: 31 })
    assert.equal(node.places.of('n1'), undefined)
  })
})
