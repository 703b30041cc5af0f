import {
  type ContentRules,
  type Event,
  type EventLog,
  type InfoHash,
  type Lamport,
  type Millis,
  type NodeId,
  type SignedEvent,
  type Signer,
  signEvent,
  type TorrentPublished,
  type UnsignedEvent,
} from '../../src/events/index.ts'
import { signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import type { Overlay, RequestHandler } from '../../src/network/overlay.ts'
import { allProjections, type ProjectionStates } from '../../src/projections/all.ts'
import { createProjectionRunner, isRevoked, type ProjectionRunner, Turns } from '../../src/projections/index.ts'
import { partitionDigest } from '../../src/projections/keyword-index/index.ts'
import { documentAt } from '../../src/projections/keyword-index/index-state.ts'
import { openMemoryProjectionStore } from '../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../src/projections/sha256.system.ts'
import { HeldOffOwners, SLOW_MS } from '../../src/roles/client/held-off-owners.ts'
import { KeywordFrequencies } from '../../src/roles/client/keyword-frequencies.ts'
import { OwnClaims } from '../../src/roles/client/own-claims.ts'
import type { Evidence } from '../../src/roles/client/owner-answers.ts'
import { watchOwners } from '../../src/roles/client/owner-watch.ts'
import { Publications } from '../../src/roles/client/publications.ts'
import { Publisher } from '../../src/roles/client/publisher.ts'
import { searchNetwork } from '../../src/roles/client/search.ts'
import type { IndexMap } from '../../src/roles/index-node/index-map.ts'
import { createIndexNode, type IndexNode } from '../../src/roles/index-node/index-node.ts'
import { liveIndexMap } from '../../src/roles/index-node/live-index-map.ts'
import { PartitionLevels } from '../../src/roles/index-node/partition-levels.ts'
import type { SearchRequest, SearchResult } from '../../src/roles/services.ts'
import { noUpcast } from '../events/samples.ts'
import { TEST_KEYS, TEST_NETWORK, verifySignature } from '../events/test-network.ts'
import { OPEN_RULES } from '../network/open-rules.ts'
import { hash } from '../projections/envelopes.ts'
import { type SimNode, Simulation } from '../sim/simulation.ts'

const BOOTSTRAPS = 2

/**
 * `later`: index nodes that are not there at the start. `isLevelling`: they have to compare with one another before they are
 * level, as real ones; else they are from the start. `places`: documents of a keyword that owners keep.
 */
export type Size = { indexNodes: number; clients?: number; later?: number; isLevelling?: boolean; places?: number }

/** Real index nodes and clients, without engine and disk, on a virtual clock and network. */
export class IndexNetwork implements AsyncDisposable {
  readonly sim: Simulation
  readonly indexNodes: IndexPeer[] = []
  readonly clients: ClientPeer[] = []
  readonly #runners: ProjectionRunner<ProjectionStates>[] = []
  /** How the index nodes give others their turn. */
  yieldToEventLoop = async (): Promise<void> => {}

  readonly isLevelling: boolean
  readonly places: number | undefined
  readonly #later: SimNode[]

  private constructor({ indexNodes, clients = 0, later = 0, isLevelling = false, places }: Size) {
    const nodes = BOOTSTRAPS + indexNodes + later + clients
    this.sim = new Simulation({ seed: 7, nodes, clients, latencyMsMin: 5, latencyMsMax: 5, discoveredLinks: nodes })
    this.isLevelling = isLevelling
    this.places = places
    this.#later = this.sim.nodes.filter(({ role }) => role === 'index').slice(indexNodes)
  }

  /** Everyone runs and knows everyone. */
  static async start(size: Size): Promise<IndexNetwork> {
    const network = new IndexNetwork(size)
    const { sim } = network
    if (network.#later.length === 0) await sim.startAll(10)
    else for (const node of sim.nodes) if (!network.#later.includes(node)) await sim.start(node)
    for (const node of sim.nodes) if (node.role !== 'bootstrap' && !network.#later.includes(node)) await network.#run(node)
    await network.until('all index nodes are known everywhere', () =>
      network.maps.every((map) => map.indexNodes().length === size.indexNodes),
    )
    return network
  }

  /** Starts the next of the index nodes that come later. */
  async join(): Promise<IndexPeer> {
    const node = this.#later.shift()
    if (node === undefined) throw new RangeError('nobody is to come later')
    await this.sim.start(node)
    await this.#run(node)
    return this.indexNodes.at(-1) as IndexPeer
  }

  async #run(node: SimNode): Promise<void> {
    const states = createProjectionRunner<ProjectionStates>({
      log: node.log,
      store: openMemoryProjectionStore(),
      // An open network: the authors of these tests have no invitations.
      projections: allProjections(node.id, { ...TEST_KEYS, isOpen: true }),
      timers: this.sim.time,
      newSha256,
    })
    await states.open()
    this.#runners.push(states)
    if (node.role === 'index') this.indexNodes.push(new IndexPeer(this, node, states))
    else this.clients.push(new ClientPeer(this.sim, node, states))
  }

  get maps(): IndexMap[] {
    return [...this.indexNodes, ...this.clients].map(({ map }) => map)
  }

  index(place: number): IndexPeer {
    const peer = this.indexNodes[place]
    if (peer === undefined) throw new RangeError(`no index node ${place}`)
    return peer
  }

  client(place = 0): ClientPeer {
    const peer = this.clients[place]
    if (peer === undefined) throw new RangeError(`no client ${place}`)
    return peer
  }

  at(id: NodeId): IndexPeer {
    const peer = this.indexNodes.find((each) => each.id === id)
    if (peer === undefined) throw new RangeError(`no index node ${id}`)
    return peer
  }

  async until(what: string, condition: () => boolean, withinMs = 30_000): Promise<void> {
    if ((await this.sim.time.until(condition, withinMs)) === undefined) throw new Error(`in ${withinMs} ms not true: ${what}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.indexNodes) peer.index?.[Symbol.dispose]()
    for (const client of this.clients) client.publications.stop()
    for (const runner of this.#runners) await runner.close()
    await this.sim[Symbol.asyncDispose]()
  }
}

/** Of a node that was compared with the others before the test began. */
class LevelFromTheStart extends PartitionLevels {
  constructor(self: NodeId, map: IndexMap) {
    super({ self, map, now: () => 0 })
  }

  override isLevel(): boolean {
    return true
  }

  override get isLevelInAll(): boolean {
    return true
  }

  override get open(): readonly number[] {
    return []
  }

  override next(): undefined {}
}

export class IndexPeer {
  readonly map: IndexMap
  readonly states: ProjectionRunner<ProjectionStates>
  readonly node: SimNode
  readonly #network: IndexNetwork
  readonly #sim: Simulation
  index: IndexNode | undefined
  readonly notices: string[] = []
  /** What it answers requests with, by method. */
  readonly handlers = new Map<string, RequestHandler>()

  constructor(network: IndexNetwork, node: SimNode, states: ProjectionRunner<ProjectionStates>) {
    this.#network = network
    this.#sim = network.sim
    this.node = node
    this.states = states
    this.map = liveIndexMap(states, {
      isMember: (id) => !isRevoked(states.state('admissions'), id),
      stateOf: ({ state }) => state,
    })
    this.#run()
  }

  get id(): NodeId {
    return this.node.id
  }

  /** Begins to come level with the others by itself. */
  startRepair(): void {
    this.index?.start()
  }

  /** As a node that is told to stop. */
  async leave(): Promise<void> {
    const { index } = this
    if (index === undefined) throw new Error('it does not run')
    this.index = undefined
    await this.#sim.time.wait(Promise.resolve(index[Symbol.asyncDispose]()))
    this.#sim.crash(this.node)
  }

  crash(): void {
    this.index?.[Symbol.dispose]()
    this.index = undefined
    this.#sim.crash(this.node)
  }

  async restart(): Promise<void> {
    await this.#sim.start(this.node)
    this.#run()
  }

  #run(): void {
    this.index = createIndexNode({
      ...{ log: this.node.log, overlay: this.#noted(), states: this.states, map: this.map },
      admittance: {
        isShut: (author) => isRevoked(this.states.state('admissions'), author),
        isOverBudget: () => false,
      },
      notices: { post: (_level, code, text) => this.notices.push(`${code}: ${text}`) },
      ...(this.#network.places === undefined ? {} : { placesAKeyword: this.#network.places }),
      ...(this.#network.isLevelling ? {} : { levels: new LevelFromTheStart(this.id, this.map) }),
      ...{
        verify: verifySignature,
        upcast: noUpcast,
        clock: this.#sim.time,
        timers: this.#sim.time,
        newSha256,
        newTurns: () => new Turns({ now: () => 0, yieldToEventLoop: () => this.#network.yieldToEventLoop() }),
        yieldToEventLoop: () => this.#network.yieldToEventLoop(),
      },
    })
  }

  /** The node's overlay, which notes what is served. */
  #noted(): Overlay {
    return new Proxy(this.node.overlay, {
      get: (overlay, name) => {
        if (name === 'serve') {
          return (method: string, handler: RequestHandler) => {
            this.handlers.set(method, handler)
            overlay.serve(method, handler)
          }
        }
        const value: unknown = Reflect.get(overlay, name)
        return typeof value === 'function' ? value.bind(overlay) : value
      },
    })
  }

  /** Titles that it holds itself. */
  titles(): string[] {
    const state = this.states.state('keyword-index')
    const documents = [...state.documents.all()].map(({ ordinal }) => documentAt(state, ordinal)?.description?.title ?? [])
    return documents.flat().sort()
  }

  digest(partition: number): string {
    return partitionDigest(this.states.state('keyword-index'), partition)
  }
}

export class ClientPeer {
  readonly map: IndexMap
  readonly node: SimNode
  readonly claims: OwnClaims
  readonly problems: string[] = []
  /** A new one is a client that has met nobody. */
  heldOff: HeldOffOwners
  readonly slow: HeldOffOwners
  readonly frequencies = new KeywordFrequencies()
  readonly evidence: Evidence[] = []
  /** How much its clock is ahead of everybody's. */
  aheadMs = 0
  /** What it holds the authors of hits against. */
  rules: Pick<ContentRules, 'judge'> = OPEN_RULES
  readonly patience = {
    untilIndexKnown: async (_waitMs: number) => {},
    untilAdmitted: async (_attempt: () => boolean | Promise<boolean>) => {},
    yieldToEventLoop: async () => {},
  }
  publications: Publications
  publisher: Publisher
  readonly #sim: Simulation
  readonly #states: ProjectionRunner<ProjectionStates>

  constructor(sim: Simulation, node: SimNode, states: ProjectionRunner<ProjectionStates>) {
    this.#sim = sim
    this.node = node
    this.#states = states
    this.map = liveIndexMap(states, {
      isMember: (id) => !isRevoked(states.state('admissions'), id),
      stateOf: ({ state }) => state,
    })
    this.claims = new OwnClaims(node.id, this.map)
    this.heldOff = new HeldOffOwners(() => sim.time.now())
    this.slow = new HeldOffOwners(() => sim.time.now(), SLOW_MS)
    node.log.onAppended((envelopes) => this.claims.apply(envelopes))
    watchOwners(node.log, this.map, () => this.publications)
    this.publications = this.#newPublications()
    this.publisher = this.#newPublisher()
  }

  /** As a restart would: what was sent is forgotten, what is claimed is in the log. */
  forget(): void {
    this.publications.stop()
    this.publications = this.#newPublications()
    this.publisher = this.#newPublisher()
  }

  publish(title: string, more: Partial<TorrentPublished> = {}) {
    return this.#sim.time.wait(this.publisher.publish({ ...described(title), ...more }))
  }

  search(request: string | SearchRequest): Promise<SearchResult> {
    const { time } = this.#sim
    const { untilIndexKnown, ...patience } = this.patience
    const options = {
      ...{ overlay: this.node.overlay, timers: time, map: this.map, untilIndexKnown, heldOff: this.heldOff },
      slow: this.slow,
      ...{ now: () => time.now() + this.aheadMs, random: () => 0.5, frequencies: this.frequencies },
      onCharged: (evidence: Evidence) => void this.evidence.push(evidence),
      proofs: { verify: verifySignature, upcast: noUpcast, rules: this.rules, ...patience, now: () => time.now() },
    }
    return time.wait(searchNetwork(typeof request === 'string' ? { text: request } : request, options))
  }

  request(to: NodeId, method: string, body: Uint8Array): Promise<Uint8Array> {
    return this.#sim.time.wait(this.node.overlay.request(to, method, body))
  }

  get states(): ProjectionRunner<ProjectionStates> {
    return this.#states
  }

  #newPublications(): Publications {
    return new Publications({
      log: this.node.log,
      overlay: { request: (...request) => this.node.overlay.request(...request) },
      timers: this.#sim.time,
      ownersOf: this.map.ownersOf,
      current: () => this.claims.publications(),
      onProblem: (text) => this.problems.push(text),
    })
  }

  #newPublisher(): Publisher {
    const { map, publications, claims } = this
    return new Publisher({ appender: this.node.log, map, publications, claims })
  }
}

export const described = (title: string): Omit<TorrentPublished, 'kind'> => ({
  infoHash: hash(title) as InfoHash,
  title,
  sizeBytes: 1_000,
  fileCount: 1,
  tags: [],
})

/** Somebody far away, whose signed events came to us. */
export class Author {
  readonly log: EventLog
  readonly id: NodeId
  readonly #signer: Signer

  constructor(seed: number) {
    const key = new Uint8Array(32)
    new DataView(key.buffer).setUint32(8, seed)
    const signer = signerFromSeed(key, TEST_NETWORK)
    this.#signer = signer
    this.id = signer.id
    const clock = { now: () => 1_800_000_000_000 as ReturnType<Simulation['time']['now']> }
    this.log = openMemoryLog({ signer, clock, upcast: (_kind, _version, payload) => payload })
  }

  /** Signs what no log of its own would append. */
  signs(event: UnsignedEvent): SignedEvent {
    return signEvent(event, { lamport: 1 as Lamport, authorSeq: 1_000, at: 1_800_000_000_000 as Millis }, this.#signer)
  }

  async publishes(...titles: string[]): Promise<SignedEvent[]> {
    return this.#says(titles.map((title) => ({ kind: 'torrent.published', ...described(title) })))
  }

  async verifies(...titles: string[]): Promise<SignedEvent[]> {
    return this.#says(titles.map((title) => ({ kind: 'torrent.verified', infoHash: described(title).infoHash, title })))
  }

  async renews(times: number): Promise<SignedEvent[]> {
    return this.#says(Array.from({ length: times }, () => ({ kind: 'offers.renewed' })))
  }

  async #says(events: readonly Event[]): Promise<SignedEvent[]> {
    const envelopes = await this.log.append(events.map((event) => ({ event })))
    return [...(await this.log.readSignedAt(envelopes.map(({ seq }) => seq)))]
  }
}
