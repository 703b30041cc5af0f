import type { Timers } from '../../events/index.ts'
import { held } from '../held-callback.ts'
import { planUnchoked } from './choker.ts'
import type { Peer } from './peer.ts'

/** Slots are handed out again so soon after a peer is interested, or not any more: whatever a peer says, not more often. */
const RECHOKE_MS = 50
/** Slots move on to others, by chance and while seeding, every so many times that they are handed out by the clock (BEP 3: 30 s). */
const TURN_ROUNDS = 3

export type UploadSlotsOptions = {
  timers: Timers
  random(): number
  now(): number
  /** Peers that are served at a time, besides one more that is tried. */
  slots(): number
  /** Those that may be served. */
  welcome(): Peer[]
  isWelcome(peer: Peer): boolean
  isSeeding(): boolean
  failed(reason: string): void
}

/** Hands out the slots of a torrent: who is choked. */
export class UploadSlots {
  readonly #options: UploadSlotsOptions
  /** Since they were handed out last. */
  #free: number
  #cancel: (() => void) | undefined
  /** Times that they were handed out by the clock. */
  #round = 0
  #closed = false

  constructor(options: UploadSlotsOptions) {
    this.#options = options
    this.#free = options.slots()
  }

  /** It is interested, or is not any more. */
  interestChanged(peer: Peer): void {
    this.planSoon()
    // What it asks for before it has a slot is turned down: where there is one, it has it at once.
    if (this.#free <= 0 || !peer.isInterested || !peer.amChoking || peer.isSeed || !this.#options.isWelcome(peer)) return
    this.#free--
    peer.choke(false)
  }

  planSoon(): void {
    if (!this.#closed) this.#cancel ??= this.#options.timers.after(RECHOKE_MS, this.#planOutOfTurn)
  }

  /** By the clock, each ten seconds. What it throws, as out of turn, stops this torrent with a problem, and nothing else. */
  readonly plan = held(
    () => this.#plan(++this.#round % TURN_ROUNDS === 0),
    (reason) => this.#options.failed(reason),
  )

  /** Whoever comes and goes must not have those that are served lose their slots. */
  readonly #planOutOfTurn = held(
    () => this.#plan(false),
    (reason) => this.#options.failed(reason),
  )

  close(): void {
    this.#closed = true
    this.#cancel?.()
  }

  #plan(isTurn: boolean): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#closed) return
    const { random, isSeeding, welcome } = this.#options
    const slots = this.#options.slots()
    const now = this.#options.now()
    const peers = welcome()
    const unchoked = planUnchoked(
      peers.map((peer) => ({
        key: peer,
        isInterested: peer.isInterested && !peer.isSeed,
        isUnchoked: !peer.amChoking,
        isSnubbed: peer.isSnubbed,
        waitsSince: peer.waitsSince,
        receivedPerSecond: peer.downloaded.perSecond(now),
        sentPerSecond: peer.uploaded.perSecond(now),
      })),
      { slots, isSeeding: isSeeding(), isTurn, random },
    )
    this.#free = slots - unchoked.size
    for (const peer of peers) peer.choke(!unchoked.has(peer))
  }
}
