import {
  type Envelope,
  type Event,
  type EventLog,
  KINDS,
  kindOfNumber,
  type NodeId,
  type NodeRole,
  type Party,
  type SignedEvent,
  type Timers,
  type VerifySignature,
} from '../../src/events/index.ts'
import { signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import {
  createOverlay,
  type NetworkRules,
  type OverlayOptions,
  type OverlayRuntime,
  type RememberedMember,
} from '../../src/network/index.ts'
import { isMemberEvent, MemberTable } from '../../src/network/membership/member-table.ts'
import { MemoryNetwork, type MemoryTransport } from '../../src/network/transport.memory.ts'
import { decodeWire } from '../../src/network/wire.ts'
import { TEST_NETWORK, verifySignature } from '../events/test-network.ts'
import { rulesUpTo } from '../network/open-rules.ts'
import { GatedLog } from './gated-log.ts'
import { forked } from './random.ts'
import { SharedEvents, SharedLog } from './shared-log.ts'
import { VirtualTime } from './virtual-time.ts'

/** Everything that makes one run what it is; the same record gives the same run. */
export type SimulationOptions = {
  seed: number
  nodes: number
  /** The last so many of them are clients, the first two bootstraps, the others index nodes. */
  clients?: number
  /** Or so many of all, 0 to 1. */
  clientShare?: number
  /** Share of messages lost, or delivered twice. */
  loss?: number
  duplication?: number
  /** One way, drawn for each message. */
  latencyMsMin?: number
  latencyMsMax?: number
  /** Share of nodes whose messages take `slowMs` longer. */
  slow?: number
  slowMs?: number
  discoveredLinks?: number
  /**
   * The network stands already: all logs hold what each node said of itself when it came, and the nodes go on with it.
   * Saves the million messages in which a thousand nodes that start at once tell each other so.
   */
  standing?: boolean
  /** Whether the logs keep the roll-ups of beats; if not said, up to 200 nodes. */
  keepsBeats?: boolean
}

/** Far above what honest nodes reach in a run: whoever stamps beyond it is refused. */
export const SIM_LAMPORT_MAX = 2 ** 30

type Run = { overlay: OverlayRuntime; transport: MemoryTransport; alive: { value: boolean } }

export class SimNode {
  readonly id: NodeId
  readonly index: number
  readonly role: NodeRole
  readonly log: SharedLog
  incarnation = 0
  /** Its first start is told in all logs already. */
  isStanding = false
  run: Run | undefined

  constructor(id: NodeId, index: number, role: NodeRole, log: SharedLog) {
    this.id = id
    this.index = index
    this.role = role
    this.log = log
  }

  get overlay(): OverlayRuntime {
    if (this.run === undefined) throw new Error(`node ${this.index} does not run`)
    return this.run.overlay
  }
}

/** They all came with one invitation. */
const CLIENTS: Party = { key: 'open', standing: 'client' }

/** Many nodes in one process: the real runtime and protocols on a virtual clock and network, every message encoded. */
export class Simulation implements AsyncDisposable {
  readonly options: Required<SimulationOptions>
  /** Of the network, for nodes that start from now on. */
  rules: NetworkRules = {
    ...rulesUpTo(SIM_LAMPORT_MAX),
    judge: ({ author, kind }) => (this.clientKeys.has(author) && isMembersOnly(kind) ? 'refuse' : 'take'),
    mayBe: (node, role) => this.clientKeys.has(node) === (role === 'client'),
    partyOf: (author) => (this.clientKeys.has(author) ? CLIENTS : { key: author, standing: 'member' }),
  }
  readonly time = new VirtualTime()
  readonly network: MemoryNetwork
  readonly nodes: SimNode[] = []
  /** What any runtime said of faults of its own: must stay empty. */
  readonly notices: string[] = []
  readonly traffic = { messages: 0, bytes: 0 }
  /** Who is admitted as a client; all others are members. */
  readonly clientKeys = new Set<NodeId>()
  readonly #random: () => number
  readonly #verify = rememberedVerify()

  constructor(options: SimulationOptions) {
    this.options = {
      clients: Math.round((options.clientShare ?? 0) * options.nodes),
      clientShare: 0,
      loss: 0,
      duplication: 0,
      latencyMsMin: 5,
      latencyMsMax: 40,
      slow: 0,
      slowMs: 400,
      discoveredLinks: 8,
      standing: false,
      keepsBeats: options.nodes <= 200,
      ...options,
    }
    const { seed, nodes, clients, loss, duplication, latencyMsMin, latencyMsMax, slow, slowMs, discoveredLinks } = this.options
    this.#random = forked(seed, 0)
    const latency = forked(seed, 1)
    const shared = new SharedEvents()
    for (let index = 0; index < nodes; index++) {
      const key = new Uint8Array(32)
      new DataView(key.buffer).setUint32(0, index + 1)
      new DataView(key.buffer).setUint32(4, seed)
      const signer = signerFromSeed(key, TEST_NETWORK)
      const role: NodeRole = index < 2 ? 'bootstrap' : index >= nodes - clients ? 'client' : 'index'
      const log = new SharedLog(signer, this.time, shared, this.options.keepsBeats)
      if (role === 'client') this.clientKeys.add(signer.id)
      this.nodes.push(new SimNode(signer.id, index, role, log))
    }
    const slowNodes = new Set(this.nodes.slice(0, Math.round(slow * nodes)).map(({ id }) => id))
    this.network = new MemoryNetwork({
      clock: this.time,
      timers: this.time,
      random: forked(seed, 2),
      loss,
      duplication,
      discoveredLinks,
      latencyMs: (from, to) =>
        latencyMsMin +
        latency() * (latencyMsMax - latencyMsMin) +
        (slowNodes.has(from) ? latency() * slowMs : 0) +
        (slowNodes.has(to) ? latency() * slowMs : 0),
      onMessage: (_from, _to, bytes) => {
        this.traffic.messages++
        this.traffic.bytes += bytes.length
      },
    })
  }

  get running(): SimNode[] {
    return this.nodes.filter(({ run }) => run !== undefined)
  }

  at(index: number): SimNode {
    const node = this.nodes[index]
    if (node === undefined) throw new RangeError(`no node ${index}`)
    return node
  }

  /** Starts all, spread over so many ms. */
  async startAll(overMs = 1_000): Promise<void> {
    if (this.options.standing) await this.#stand()
    for (const node of this.nodes) this.time.after(this.#random() * overMs, () => void this.start(node))
    await this.time.advance(overMs + 1)
  }

  /** Puts what each member said of itself at its start into all logs. */
  async #stand(): Promise<void> {
    for (const node of this.nodes) {
      const { id, index, role, log } = node
      node.isStanding = true
      const address = { host: '10.0.0.1', port: index + 1, dhtPort: 0 }
      const event = { kind: 'member.alive', subject: id, incarnation: 1, role, ...address } as const
      if (role === 'client') continue
      await log.append([{ event }])
    }
    const words: SignedEvent[] = []
    for (const { log } of this.nodes) if (log.head > 0) words.push(...(await log.readSignedAt([1])))
    for (const { log } of this.nodes) log.begin(words)
  }

  /** Starts a node, for the first time or again with the log it had. */
  async start(node: SimNode, more: Partial<OverlayOptions> = {}): Promise<void> {
    const { isStanding } = node
    node.incarnation = isStanding ? 1 : Math.max(node.incarnation, await ownIncarnationIn(node.log)) + 1
    node.isStanding = false
    const alive = { value: true }
    const timers: Timers = {
      after: (delayMs, run) =>
        this.time.after(delayMs, () => {
          if (alive.value) run()
        }),
    }
    const transport = this.network.create(node.id, { host: '10.0.0.1', port: node.index + 1 })
    const members = await membersIn(node.log)
    // Of a network that stands, the first start is told already.
    const log = new GatedLog(node.log, alive, isStanding)
    const overlay = createOverlay({
      role: node.role,
      software: 'simulation',
      incarnation: node.incarnation,
      transport,
      ...{ log, appender: log },
      verify: this.#verify,
      rules: this.rules,
      clock: this.time,
      timers,
      random: forked(this.options.seed, 100 + node.index * 1_000 + node.incarnation),
      onNotice: (text) => this.notices.push(`node ${node.index}: ${text}`),
      members,
      ...more,
    })
    node.run = { overlay, transport, alive }
    await overlay.start(new AbortController().signal)
  }

  /** Kill -9. */
  crash(node: SimNode): void {
    if (node.run === undefined) return
    node.run.alive.value = false
    node.run.transport.crash()
    node.run = undefined
  }

  /** A polite stop. */
  async stop(node: SimNode): Promise<void> {
    if (node.run === undefined) return
    const { overlay, alive } = node.run
    await this.time.wait(overlay.stop())
    alive.value = false
    node.run = undefined
  }

  /** Appends a gossip event by this node, as if its role had. */
  publish(node: SimNode, event: Event = torrentEvent(this.#random)): Promise<readonly Envelope[]> {
    return node.log.put([{ stream: 'gossip', event }])
  }

  /** From now on looks at how far events travel. @returns a function that stops it, and tells the longest way in hops */
  watchHops(): () => number {
    const { options } = this.network
    const before = options.onMessage
    let longest = 0
    options.onMessage = (from, to, bytes) => {
      before(from, to, bytes)
      const message = decodeWire(bytes)
      if (message.type === 'push') longest = Math.max(longest, ...message.events.map(({ hops }) => hops + 1))
    }
    return () => {
      options.onMessage = before
      return longest
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) {
      this.crash(node)
      await node.log[Symbol.asyncDispose]()
    }
  }
}

/** True of events that only members may sign. */
function isMembersOnly(kind: number): boolean {
  const name = kindOfNumber(kind)
  return name !== undefined && KINDS[name].by === 'member'
}

/** The highest incarnation that the node itself announced, refutations among it. */
async function ownIncarnationIn(log: EventLog): Promise<number> {
  let highest = 0
  for await (const { author, event } of log.read({ kinds: ['member.alive', 'member.refuted', 'member.left'] })) {
    if (author === log.author && 'subject' in event && event.subject === author && 'incarnation' in event)
      highest = Math.max(highest, event.incarnation)
  }
  return highest
}

/** What a liveness projection of this log would say: a restarted node is given that. */
async function membersIn(log: EventLog): Promise<RememberedMember[]> {
  const table = new MemberTable(10_000)
  for await (const { author, event, lamport } of log.read()) if (isMemberEvent(event)) table.fold(author, event, lamport)
  return [...table.all()].map(({ id, role, address, incarnation, state }) => ({ id, role, ...address, incarnation, state }))
}

export function torrentEvent(random: () => number): Event {
  const infoHash = Array.from({ length: 40 }, () => Math.floor(random() * 16).toString(16)).join('')
  return { kind: 'torrent.verified', infoHash, title: 'a torrent' } as Event
}

/** The real check of a signature, done once for equal bytes: a thousand nodes check the same event a thousand times. */
function rememberedVerify(): VerifySignature {
  const known = new Map<string, { body: Uint8Array; author: NodeId }>()
  return (purpose, body, signature, author) => {
    const key = Buffer.from(signature).toString('latin1')
    const before = known.get(key)
    if (before?.author === author && Buffer.compare(before.body, body) === 0) return true
    if (!verifySignature(purpose, body, signature, author)) return false
    known.set(key, { body: body.slice(), author })
    return true
  }
}
