import {
  type Event,
  type InfoHash,
  type Lamport,
  type Millis,
  type NodeId,
  type SignedEvent,
  type Stream,
  signEvent,
} from '../../../src/events/index.ts'
import { Gossip, type GossipOptions } from '../../../src/network/gossip/gossip.ts'
import type { GossipEffect, GossipInput } from '../../../src/network/gossip/gossip-protocol.ts'
import type { GossipMessage } from '../../../src/network/wire.ts'
import { rulesUpTo } from '../open-rules.ts'

export const SELF = '0'.repeat(64) as NodeId
export const peerOf = (number: number): NodeId => `f${number.toString(16).padStart(63, '0')}` as NodeId
export const authorOf = (number: number): NodeId => `a${number.toString(16).padStart(63, '0')}` as NodeId

const WITHDRAWN: Event = { kind: 'torrent.withdrawn', infoHash: '1'.repeat(40) as InfoHash, title: 'x' }

/** Highest stamp that the door admits unless a test says otherwise. */
export const DOOR_LAMPORT_MAX = 2 ** 20

/** A week, unless a test says otherwise. */
export const DOOR_RETENTION_MS = 7 * 86_400_000

type More = { lamport?: number; at?: number; event?: Event; stream?: Stream; forged?: boolean }

/** An event whose signature is 64 bytes of 1, or of 0 if it is forged: what `Door` takes for a sound one, and a forged one. */
export function eventOf(author: NodeId, authorSeq: number, more: More = {}): SignedEvent {
  const { lamport = authorSeq, at = 0, event = WITHDRAWN, stream = 'gossip', forged = false } = more
  const signer = { id: author, seed: new Uint8Array(32), sign: () => new Uint8Array(64).fill(forged ? 0 : 1) }
  return signEvent({ stream, event }, { authorSeq, lamport: lamport as Lamport, at: at as Millis }, signer)
}

/** The gossip of one node, fed at its door; the log holds what a test says. */
export class Door {
  readonly held = new Map<NodeId, number>()
  /** Held above a gap. */
  readonly apart = new Map<NodeId, ReadonlySet<number>>()
  /** Signatures that were checked. */
  checked = 0
  lamport = 0
  now = 1_000_000_000
  readonly gossip: Gossip

  constructor(options: Partial<GossipOptions> = {}) {
    const held: GossipOptions['held'] = {
      ...{ lamport: 0, versionVector: () => this.held },
      has: ({ author, authorSeq }) =>
        authorSeq <= (this.held.get(author) ?? 0) || this.apart.get(author)?.has(authorSeq) === true,
    }
    const verify: GossipOptions['verify'] = (_purpose, _bytes, signature) => {
      this.checked++
      return signature[0] === 1
    }
    Object.defineProperty(held, 'lamport', { get: () => this.lamport })
    this.gossip = new Gossip({
      self: SELF,
      isClient: false,
      held,
      verify,
      rules: rulesUpTo(DOOR_LAMPORT_MAX),
      random: () => 0.5,
      retentionMs: DOOR_RETENTION_MS,
      isRecovering: () => false,
      ...options,
    })
    this.feed({ type: 'start' })
  }

  feed(input: GossipInput): GossipEffect[] {
    return this.gossip.handle(input, this.now)
  }

  link(...peers: NodeId[]): void {
    for (const peer of peers) this.feed({ type: 'link-up', peer, initiator: false })
  }

  hears(from: NodeId, message: GossipMessage): GossipEffect[] {
    return this.feed({ type: 'message', from, message })
  }

  push(from: NodeId, ...events: SignedEvent[]): GossipEffect[] {
    return this.hears(from, { type: 'push', events: events.map((event) => ({ event, hops: 0 })) })
  }

  /** The neighbour says which heads it has. */
  heads(from: NodeId, ...heads: { author: NodeId; authorSeq: number }[]): GossipEffect[] {
    return this.hears(from, { type: 'vector', buckets: new Uint8Array(8), heads, reply: true })
  }

  due(name: Extract<GossipInput, { type: 'timer' }>['timer']['name']): GossipEffect[] {
    return this.feed({ type: 'timer', timer: { name } })
  }
}

type MessageOf<T extends GossipMessage['type']> = Extract<GossipMessage, { type: T }>

/** The messages of one type among what is wanted, each with whom it is for. */
export function sent<T extends GossipMessage['type']>(effects: readonly GossipEffect[], type: T) {
  return effects.flatMap((effect) =>
    effect.do === 'send' && effect.message.type === type ? [{ to: effect.to, message: effect.message as MessageOf<T> }] : [],
  )
}

export const charges = (effects: readonly GossipEffect[]): Extract<GossipEffect, { do: 'charge' }>[] =>
  effects.filter((effect) => effect.do === 'charge')

/** Why peers are charged. */
export const charged = (effects: readonly GossipEffect[]): string[] =>
  effects.flatMap((effect) => (effect.do === 'charge' ? [effect.reason] : []))

/** How many events are pushed to this peer. */
export const pushedTo = (effects: readonly GossipEffect[], peer: NodeId): number =>
  sent(effects, 'push').reduce((sum, { to, message }) => sum + (to === peer ? message.events.length : 0), 0)
