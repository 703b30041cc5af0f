import type { InfoHash } from '../events/index.ts'

// The port for ways through routers. Adapter: peer-streams.hyperswarm.ts.

/** A way for bytes to a peer, both ways, in order. What it is beyond that is known to the adapters at its two ends. */
export interface PeerStream {
  /** Where its datagrams go. */
  readonly remoteAddress: string
  readonly remotePort: number
  destroy(error?: Error): unknown
}

export type FoundStreams = {
  /** How many offer one for this torrent, besides ourselves and those with whom we have one for it. */
  readonly offered: number
  readonly opened: readonly PeerStream[]
}

/** Streams between peers of a torrent whom no TCP connection reaches, as both sit behind routers. */
export interface PeerStreams extends AsyncDisposable {
  /** Tells who looks for this torrent that we can be reached, now and again until `withdraw`. */
  offer(infoHash: InfoHash): void
  withdraw(infoHash: InfoHash): void
  /** Opens streams to some who offer it. Takes as long as making holes in two routers takes. Never rejects. */
  open(infoHash: InfoHash): Promise<FoundStreams>
  /** Called with each stream that somebody else opens; set once. */
  listen(onStream: (stream: PeerStream) => void): void
}
