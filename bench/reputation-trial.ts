import type { Envelope, NodeId } from '../src/events/index.ts'
import { judge } from '../src/projections/reputation/index.ts'
import { type Ledger, newLedger } from '../src/projections/reputation/ledger.ts'
import type { Policy } from '../src/projections/reputation/policy.ts'
import { foldInto } from '../src/projections/reputation/replay-reputation.ts'
import type { Attack } from './reputation-attacks.ts'
import { randomFrom } from './seeded-random.ts'

// One network under one attack and one policy, in rounds. Each peer takes pieces from others of its neighbourhood and tells everybody
// what it got; some nodes are watched: they have ledgers of their own, by the code that runs in a node, hear what all others say, each
// in an order of its own, and take nothing more from whom they ban.

/** Watched nodes, all of them honest; fewer in a large network, of which each one hears ten times as much. */
const observersOf = (peers: number): number => (peers >= 1000 ? 5 : 10)
const NEIGHBOURS = 30
const SOURCES_PER_ROUND = 4
const PIECES_PER_SOURCE = 64
const ROUNDS = 60
/** A piece of a usual torrent, bytes. */
export const PIECE_BYTES = 256 * 1024
/** Whoever took so many pieces of a corrupter has seen enough to ban it, at one bad piece in twenty too. */
const ENOUGH_PIECES = 600
/** Two nodes can agree about a peer from which both took so many pieces. */
const MET_PIECES = 100

export type Outcome = {
  /** Honest peers that at least one watched node bans, and all of them. */
  readonly honestBanned: number
  readonly honest: number
  /** Of pairs of a watched node and a corrupter: those with a ban, of those in which enough was taken or a ban was made. */
  readonly corruptersBanned: number
  readonly corruptersMet: number
  /** Median of pieces that a watched node took of a corrupter before it banned it. */
  readonly piecesToBan: number
  /** Bad pieces that a watched node accepted, on average. */
  readonly badPieces: number
  /** Share of pairs of watched nodes that agree about a peer whom both know, of all peers. */
  readonly agreement: number
  /** Events folded by the watched nodes, and ms of processor time that took. */
  readonly events: number
  readonly foldMs: number
}

type Peer = {
  id: NodeId
  readonly number: number
  readonly kind: 'honest' | 'slanderer' | 'corrupter'
  readonly bad: number
  readonly isVictim: boolean
  readonly neighbours: readonly Peer[]
  readonly sybils: readonly NodeId[]
  /** Pieces sent to each, for those that go on and off. */
  readonly sent: Map<Peer, number>
}
type Saying = { author: NodeId; subject: NodeId; good: number; bad: number }
type Observer = {
  readonly peer: Peer
  readonly ledger: Ledger
  seq: number
  readonly taken: Map<NodeId, number>
  badTaken: number
}

/** By processor time: what else the machine does counts less. */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const idOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId

export class Trial {
  readonly #attack: Attack
  readonly #policy: Policy
  readonly #random: () => number
  readonly #peers: Peer[] = []
  readonly #observers: Observer[]
  #nextId = 1
  #events = 0
  #foldMs = 0

  constructor(attack: Attack, policy: Policy, peers: number, seed: number) {
    this.#attack = attack
    this.#policy = policy
    this.#random = randomFrom(seed)
    this.#build(peers)
    this.#observers = this.#peers
      .filter(({ kind, isVictim, bad }) => kind === 'honest' && !isVictim && bad === 0)
      .slice(0, observersOf(peers))
      .map((peer) => ({ peer, ledger: newLedger(peer.id, policy), seq: 0, taken: new Map(), badTaken: 0 }))
  }

  run(): Outcome {
    for (let round = 0; round < ROUNDS; round++) this.#round()
    return this.#outcome()
  }

  #build(count: number): void {
    const { corrupters, slanderers, bad, badDisks, sybils } = this.#attack
    const [corrupting, slandering] = [Math.round(count * corrupters), Math.round(count * slanderers)]
    for (let number = 0; number < count; number++) {
      const kind = number < corrupting ? 'corrupter' : number < corrupting + slandering ? 'slanderer' : 'honest'
      const isDiskBad = kind === 'honest' && (number % 100) / 100 >= 1 - badDisks
      this.#peers.push({
        ...{ id: this.#newId(), number, kind, neighbours: [], sent: new Map() },
        bad: kind === 'corrupter' ? (bad[number % bad.length] ?? 0) : isDiskBad ? 0.002 : 0,
        isVictim: kind === 'honest' && number % 10 === 9,
        sybils: kind === 'slanderer' ? Array.from({ length: sybils }, () => this.#newId()) : [],
      })
    }
    for (const peer of this.#peers) {
      const chosen = new Set<Peer>()
      while (chosen.size < Math.min(NEIGHBOURS, count - 1)) {
        const other = this.#pick(this.#peers)
        if (other !== peer) chosen.add(other)
      }
      Object.assign(peer, { neighbours: [...chosen] })
    }
  }

  #newId(): NodeId {
    return idOf(this.#nextId++)
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T
  }

  #round(): void {
    const said: Saying[] = []
    const watched = new Map(this.#observers.map((observer) => [observer.peer, observer]))
    for (const peer of this.#peers) {
      for (let source = 0; source < SOURCES_PER_ROUND; source++) {
        const from = this.#pick(peer.neighbours)
        const observer = watched.get(peer)
        if (observer === undefined) this.#says(said, peer, from)
        else this.#takes(said, observer, from)
      }
    }
    for (const observer of this.#observers) this.#hears(observer, said)
    if (this.#attack.whitewashBelow > 0) this.#whitewash()
  }

  /** One piece more from `from` to `to`. @returns true if it is bad */
  #isBad(from: Peer, to: Peer): boolean {
    if (from.bad === 0) return false
    const { sends } = this.#attack
    if (from.kind === 'corrupter' && sends === 'selective' && to.number % 2 === 0) return false
    if (from.kind === 'corrupter' && sends === 'on-off') {
      const sent = from.sent.get(to) ?? 0
      from.sent.set(to, sent + 1)
      return sent % 60 >= 50
    }
    return this.#random() < from.bad
  }

  /** What a peer that is not watched says of the pieces that it took. */
  #says(said: Saying[], peer: Peer, from: Peer): void {
    let bad = 0
    for (let piece = 0; piece < PIECES_PER_SOURCE; piece++) if (this.#isBad(from, peer)) bad += 1
    const truth = { good: PIECES_PER_SOURCE - bad, bad }
    const words = this.#word(peer, from, truth)
    said.push({ author: peer.id, subject: from.id, ...words })
    for (const author of peer.sybils) said.push({ author, subject: from.id, ...words })
    if (!this.#attack.isRing || peer.kind !== 'corrupter') return
    const friend = this.#pick(this.#peers.filter(({ kind }) => kind === 'corrupter'))
    if (friend !== peer) said.push({ author: peer.id, subject: friend.id, good: PIECES_PER_SOURCE, bad: 0 })
  }

  #word(peer: Peer, from: Peer, truth: { good: number; bad: number }): { good: number; bad: number } {
    const isRingTalk = this.#attack.isRing && peer.kind === 'corrupter' && from.kind === 'corrupter'
    if (isRingTalk) return { good: PIECES_PER_SOURCE, bad: 0 }
    if (peer.kind !== 'slanderer') return truth
    const isLie = this.#attack.slander === 'all' ? from.kind !== 'slanderer' : from.isVictim
    if (!isLie) return truth
    return from.kind === 'corrupter' ? { good: PIECES_PER_SOURCE, bad: 0 } : { good: 0, bad: PIECES_PER_SOURCE }
  }

  /** A watched node takes pieces one by one, until it bans their sender. */
  #takes(said: Saying[], observer: Observer, from: Peer): void {
    let [good, bad] = [0, 0]
    const { id } = from
    const start = cpuMs()
    for (let piece = 0; piece < PIECES_PER_SOURCE; piece++) {
      if (judge(observer.ledger, id).standing === 'banned') break
      const isBad = this.#isBad(from, observer.peer)
      observer.taken.set(id, (observer.taken.get(id) ?? 0) + 1)
      if (isBad) {
        bad += 1
        observer.badTaken += 1
      } else good += 1
      this.#fold(observer, { author: observer.peer.id, subject: id, good: isBad ? 0 : 1, bad: isBad ? 1 : 0 })
    }
    this.#foldMs += cpuMs() - start
    if (good + bad > 0) said.push({ author: observer.peer.id, subject: id, good, bad })
  }

  #hears(observer: Observer, said: readonly Saying[]): void {
    const order = Uint32Array.from({ length: said.length }, (_, index) => index)
    for (let index = order.length - 1; index > 0; index--) {
      const other = Math.floor(this.#random() * (index + 1))
      const moved = order[index] as number
      order[index] = order[other] as number
      order[other] = moved
    }
    const start = cpuMs()
    for (const index of order) {
      const saying = said[index] as Saying
      if (saying.author !== observer.peer.id) this.#fold(observer, saying)
    }
    this.#foldMs += cpuMs() - start
  }

  #fold(observer: Observer, { author, subject, good, bad }: Saying): void {
    observer.seq += 1
    this.#events += 1
    const event = {
      kind: 'piece.judged',
      subject,
      infoHash: '',
      good: good === 0 ? [] : [{ first: 0, count: good }],
      bad: BAD[bad],
    }
    foldInto(observer.ledger, { seq: observer.seq, author, event } as unknown as Envelope, this.#policy)
  }

  #whitewash(): void {
    for (const peer of this.#peers) {
      if (peer.kind !== 'corrupter') continue
      const { whitewashBelow } = this.#attack
      const isKnown = this.#observers.some(
        ({ ledger, taken }) => taken.has(peer.id) && judge(ledger, peer.id).score < whitewashBelow,
      )
      if (isKnown) peer.id = this.#newId()
    }
  }

  #outcome(): Outcome {
    const isBanned = ({ ledger }: Observer, { id }: Peer): boolean => judge(ledger, id).standing === 'banned'
    const decent = this.#peers.filter(({ kind }) => kind !== 'corrupter')
    const honest = decent.filter(({ kind }) => kind === 'honest')
    const honestBanned = honest.filter((peer) =>
      this.#observers.some((observer) => observer.peer !== peer && isBanned(observer, peer)),
    )
    let [met, banned, agreed, compared] = [0, 0, 0, 0]
    const pieces: number[] = []
    for (const peer of this.#peers) {
      const knowing = this.#observers.filter(({ taken }) => (taken.get(peer.id) ?? 0) >= MET_PIECES)
      // A ban made before so much was taken is knowledge too.
      const all = this.#observers.filter(
        (observer) => knowing.includes(observer) || (observer.taken.has(peer.id) && isBanned(observer, peer)),
      )
      for (const [index, one] of all.entries())
        for (const other of all.slice(index + 1)) {
          compared += 1
          if (isBanned(one, peer) === isBanned(other, peer)) agreed += 1
        }
      if (peer.kind !== 'corrupter') continue
      for (const observer of this.#observers) {
        const taken = observer.taken.get(peer.id) ?? 0
        const isSpared = this.#attack.sends === 'selective' && observer.peer.number % 2 === 0
        if (isSpared || taken === 0) continue
        if (isBanned(observer, peer)) {
          banned += 1
          met += 1
          pieces.push(taken)
        } else if (taken >= ENOUGH_PIECES) met += 1
      }
    }
    pieces.sort((a, b) => a - b)
    return {
      ...{ honestBanned: honestBanned.length, honest: honest.length, corruptersBanned: banned, corruptersMet: met },
      piecesToBan: pieces[pieces.length >> 1] ?? Number.NaN,
      badPieces: this.#observers.reduce((sum, { badTaken }) => sum + badTaken, 0) / this.#observers.length,
      agreement: compared === 0 ? 1 : agreed / compared,
      ...{ events: this.#events, foldMs: this.#foldMs },
    }
  }
}

/** Lists that a fold counts and does not read. */
const BAD = Array.from({ length: PIECES_PER_SOURCE + 1 }, (_, length) => new Array(length))
