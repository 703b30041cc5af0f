import assert from 'node:assert/strict'
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
  signEvent,
} from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { allProjections, type ProjectionStates } from '../../../src/projections/all.ts'
import { createProjectionRunner, hashKeyword, keywordsOf, partitionOf, search } from '../../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { newTurns } from '../../../src/projections/turns.system.ts'
import { dropTitles } from '../../../src/roles/index-node/drop-titles.ts'
import { ingestIndexEvents } from '../../../src/roles/index-node/index-requests.ts'
import { isIndexKind } from '../../../src/roles/index-node/index-view.ts'
import { TitlePlaces, type TitlePlacesOptions } from '../../../src/roles/index-node/title-places.ts'
import { Admittance } from '../../../src/roles/node/admittance.ts'
import { countKept } from '../../../src/roles/node/kept-count.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'
import { joiningAs, TEST_JOINED, TEST_KEYS, verifySignature } from '../../events/test-network.ts'
import { hash } from '../../projections/envelopes.ts'

// For tests of which titles an owner keeps: an owner, and publishers who fill its places.

const AT = 1_800_000_000_000
const STILL = { after: () => () => {} }
export const ME = signerOf(1)
const OTHER = signerOf(2).id
export const PLACES = 20
export const OWNED = new Set(['orbit', 'quiet'].map(partitionOf))
let lamport = 0

/** An info hash whose owner is somebody else, or this node. */
export function hashOf(name: string, isOwned = false): InfoHash {
  for (let at = 0; ; at++) {
    const infoHash = hash(`${name} ${at}`)
    if (OWNED.has(partitionOf(hashKeyword(infoHash))) === isOwned) return infoHash
  }
}

/** A key with an invitation of its own. */
export class Voice {
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

/** An owner of two words, with twenty places for each, over a log on disk. */
export async function startOwner(directory: string, more: Partial<TitlePlacesOptions> = {}) {
  const clock = { now: () => AT as Millis }
  const admittance: Admittance = new Admittance({
    ...{ joined: TEST_JOINED, verify: verifySignature, clock },
    admissions: () => states.state('admissions'),
  })
  const log = await openLevelLog({
    ...{ directory, signer: ME, clock, upcast: noUpcast, create: true, rules: admittance },
  })
  const states = createProjectionRunner<ProjectionStates>({
    ...{ log, store: openMemoryProjectionStore(), projections: allProjections(ME.id, TEST_KEYS), timers: STILL },
    ...{ newSha256, newTurns },
  })
  await states.open()
  countKept(admittance.budgets, log, states)
  const close = async () => {
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
    for (const name of ['kept', 'keyword-index'] as const) assert.equal(states.digest(name), await states.digestAt(name), name)
  }
  return { log, states, options, places, say, voices, titles, assertReplayed, close }
}
export type Started = Awaited<ReturnType<typeof startOwner>>

/** Six parties publish five titles each under one word, of which the first `backed` are held by two others too. */
export async function crowd({ say, voices }: Started, backed = 30): Promise<SignedEvent[]> {
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
