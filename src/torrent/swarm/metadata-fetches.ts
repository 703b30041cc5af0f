import { TORRENT_FILE_BYTES_MAX } from '../metainfo.ts'
import { METADATA, MetadataFetch, type MetadataMessage } from './metadata-fetch.ts'
import type { Peer } from './peer.ts'

/** A peer whose info dictionary does not go on for so long is given up. */
const STALLED_MS = 5_000
/** Peers that the info dictionary is taken from at a time. */
const PEERS_MAX = 3

export type MetadataFetchesOptions = {
  now(): number
  peers(): Iterable<Peer>
  /** True if it is the info dictionary of the torrent. */
  isRight(info: Uint8Array): boolean
  /** Told once. */
  fetched(info: Uint8Array): void
  violated(peer: Peer, what: string): void
}

/** Fetches the info dictionary of a magnet link from several peers, each of which sends all of it (BEP 9). */
export class MetadataFetches {
  readonly #options: MetadataFetchesOptions
  readonly #fetches = new Map<Peer, { fetch: MetadataFetch; at: number }>()
  /** Peers that said no, stalled, or sent what does not hash right. */
  readonly #unfit = new WeakSet<Peer>()
  #isOver = false

  constructor(options: MetadataFetchesOptions) {
    this.#options = options
  }

  /** Nothing more is fetched. */
  end(): void {
    this.#isOver = true
    this.#fetches.clear()
  }

  /** Asks whom it can. */
  go(): void {
    if (this.#isOver) return
    for (const peer of this.#options.peers()) {
      if (this.#fetches.size >= PEERS_MAX) return
      const bytes = peer.metadataBytes
      if (bytes === undefined || bytes > TORRENT_FILE_BYTES_MAX || !peer.sendsMetadata) continue
      if (this.#fetches.has(peer) || this.#unfit.has(peer)) continue
      const fetch = new MetadataFetch(bytes)
      this.#fetches.set(peer, { fetch, at: this.#options.now() })
      peer.askMetadata(fetch.ask())
    }
  }

  received(peer: Peer, { type, piece, block }: MetadataMessage): void {
    const fetching = this.#fetches.get(peer)
    if (fetching === undefined) return
    if (type === METADATA.reject) {
      this.#giveUp(peer)
      this.go()
      return
    }
    fetching.at = this.#options.now()
    if (fetching.fetch.data(piece, block)) this.#complete(peer, fetching.fetch.bytes)
    else peer.askMetadata(fetching.fetch.ask())
  }

  left(peer: Peer): void {
    this.#fetches.delete(peer)
  }

  /** Once a second. */
  tick(): void {
    const now = this.#options.now()
    for (const [peer, { at }] of this.#fetches) if (now - at > STALLED_MS) this.#giveUp(peer)
    this.go()
  }

  #complete(peer: Peer, info: Uint8Array): void {
    const { isRight, fetched, violated } = this.#options
    if (isRight(info)) {
      this.end()
      fetched(info)
      return
    }
    this.#giveUp(peer)
    violated(peer, 'metadata that does not match its hash')
    this.go()
  }

  #giveUp(peer: Peer): void {
    this.#fetches.delete(peer)
    this.#unfit.add(peer)
  }
}
