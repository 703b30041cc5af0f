import { createHash } from 'node:crypto'
import HyperDHT from 'hyperdht'
import { AnnounceSchedule, type InfoHash, isDialable, type Timers, toHex, type Visit } from '../events/index.ts'
import { boundReceived } from './bounded-receive.hyperswarm.ts'
import type { FoundStreams, PeerStream, PeerStreams } from './peer-streams.ts'
import { within } from './rendezvous.hyperswarm.ts'
import type { Endpoint } from './transport.ts'

/** Streams at a time, either side's making, and with one peer: each torrent has one of its own. */
const STREAMS_MAX = 32
const STREAMS_PER_PEER_MAX = 8
/** Dialled for one torrent in one go, and looked at in one look-up. */
const OPEN_MAX = 4
const FOUND_MAX = 64
const LOOKUP_MS_MAX = 5_000
/** What taking leave of the DHT may cost at the end. */
const LEAVE_MS_MAX = 600
/** Making holes in two routers takes up to 10 s; with a random port at one side longer, and seldom works. */
const OPEN_MS_MAX = 15_000
/** Routers forget a hole that nothing passes: some after 30 s. */
const KEEP_ALIVE_MS = 5_000
const SILENCE_MS_MAX = 20_000
/** Offers of all torrents together. Each is signed for twenty nodes, and costs several times what one in the Mainline DHT does. */
const OFFER_BUDGET = { underWayMax: 8, perSecond: 10, burst: 10 }
/** An offer ends here even if nodes do not answer. */
const OFFER_MS_MAX = 10_000

/**
 * Streams over the private HyperDHT, which knows who offers which torrent and brings the two together to punch holes.
 * The key is a new one at each start and says nothing: who a peer is, it proves on the BitTorrent wire.
 */
export class HyperStreams implements PeerStreams {
  readonly #dht: HyperDHT
  readonly #timers: Timers
  readonly #keyPair = HyperDHT.keyPair()
  readonly #server: HyperDHT.Server
  /** Each with the key of its peer, and the torrent we opened it for. */
  readonly #streams = new Map<HyperDHT.SecretStream, { key: string; infoHash: InfoHash | undefined }>()
  readonly #offers = new AnnounceSchedule(OFFER_BUDGET)
  #cancelOffers: (() => void) | undefined
  #onStream: (stream: PeerStream) => void = (stream) => stream.destroy()
  #closed = false

  constructor(dht: HyperDHT, timers: Timers) {
    this.#dht = dht
    this.#timers = timers
    this.#server = dht.createServer({ firewall: () => this.#isFull }, (stream) => {
      const taken = this.#take(stream, undefined)
      if (taken !== undefined) this.#onStream(taken)
    })
    // Nobody to announce it at yet, or the end of the node: an offer comes again, and then finds it listening.
    this.#server.listen(this.#keyPair).catch(() => {})
    this.#offers.joined(performance.now())
  }

  listen(onStream: (stream: PeerStream) => void): void {
    this.#onStream = onStream
  }

  offer(infoHash: InfoHash): void {
    if (this.#closed || this.#offers.has(infoHash)) return
    this.#offers.add(infoHash, false, performance.now())
    this.#offerMore()
  }

  withdraw(infoHash: InfoHash): void {
    this.#offers.delete(infoHash)
  }

  async open(infoHash: InfoHash): Promise<FoundStreams> {
    const found = new Map<string, readonly Endpoint[]>()
    await within(this.#lookUp(infoHash, found), LOOKUP_MS_MAX, this.#timers)
    for (const stream of this.#streams.values()) if (stream.infoHash === infoHash) found.delete(stream.key)
    const chosen = [...found].slice(0, OPEN_MAX)
    const opened = await Promise.all(chosen.map(([key, relays]) => this.#dial(key, relays, infoHash)))
    return { offered: found.size, opened: opened.filter((stream) => stream !== undefined) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancelOffers?.()
    this.#offers.clear()
    for (const stream of [...this.#streams.keys()]) stream.destroy()
    await within(this.#server.close(), LEAVE_MS_MAX, this.#timers)
  }

  get #isFull(): boolean {
    return this.#closed || this.#streams.size >= STREAMS_MAX
  }

  /** Makes the offers that are due, and comes again when more are. */
  #offerMore(): void {
    this.#cancelOffers?.()
    this.#cancelOffers = undefined
    if (this.#closed || this.#dht.destroyed) return
    const now = performance.now()
    for (let visit = this.#offers.next(now); visit !== undefined; visit = this.#offers.next(now)) void this.#makeOffer(visit)
    const wakeAt = this.#offers.wakeAt(now)
    if (wakeAt !== undefined)
      this.#cancelOffers = this.#timers.after(Math.max(1, Math.ceil(wakeAt - now)), () => this.#offerMore())
  }

  async #makeOffer(visit: Visit): Promise<void> {
    let wasHeard = false
    const announce = async () => {
      await this.#dht.announce(topicOf(visit.infoHash), this.#keyPair, this.#server.relayAddresses).finished()
      wasHeard = true
    }
    await within(announce(), OFFER_MS_MAX, this.#timers)
    this.#offers.ended(visit, { wasHeard, isWanting: false }, performance.now())
    this.#offerMore()
  }

  async #lookUp(infoHash: InfoHash, found: Map<string, readonly Endpoint[]>): Promise<void> {
    const own = toHex(this.#keyPair.publicKey)
    for await (const { peers } of this.#dht.lookup(topicOf(infoHash))) {
      for (const { publicKey, relayAddresses } of peers) {
        const key = toHex(publicKey)
        if (key !== own && found.size < FOUND_MAX) found.set(key, relayAddresses.filter(isDialable))
      }
    }
  }

  async #dial(key: string, relayAddresses: readonly Endpoint[], infoHash: InfoHash): Promise<PeerStream | undefined> {
    if (this.#isFull) return undefined
    const stream = this.#dht.connect(Buffer.from(key, 'hex'), { relayAddresses, keyPair: this.#keyPair })
    stream.on('error', () => {})
    const cancel = this.#timers.after(OPEN_MS_MAX, () => stream.destroy())
    const opened = await stream.opened
    cancel()
    return opened ? this.#take(stream, infoHash) : undefined
  }

  #take(stream: HyperDHT.SecretStream, infoHash: InfoHash | undefined): PeerStream | undefined {
    const key = toHex(stream.remotePublicKey)
    const ofPeer = [...this.#streams.values()].filter((each) => each.key === key).length
    stream.on('error', () => {})
    if (this.#isFull || ofPeer >= STREAMS_PER_PEER_MAX) {
      stream.destroy()
      return undefined
    }
    this.#streams.set(stream, { key, infoHash })
    stream.on('close', () => this.#streams.delete(stream))
    stream.setKeepAlive(KEEP_ALIVE_MS)
    stream.setTimeout(SILENCE_MS_MAX)
    boundReceived(stream)
    const { remoteHost, remotePort } = stream.rawStream ?? { remoteHost: null, remotePort: 0 }
    // As a socket has them, for whoever talks over it.
    return Object.assign(stream, { remoteAddress: remoteHost ?? '0.0.0.0', remotePort, setNoDelay: () => {} })
  }
}

const topicOf = (infoHash: InfoHash): Buffer => createHash('sha256').update(`p2pt/torrent/${infoHash}`).digest()
