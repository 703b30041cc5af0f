import type { InfoHash } from '../../events/index.ts'

// A source of peers that all public torrents of a client have in common: it starts with the first that takes part, and ends with
// the last.

export type SharedStatus = {
  readonly state: 'waiting' | 'announcing' | 'works' | 'fails'
  /** Why it does not work, a sentence. */
  readonly problem: string | undefined
  /** Endpoints that it named since this torrent takes part. */
  readonly peers: number
  /** ms since 1970 */
  readonly announcedAt: number | undefined
  /** Of a DHT that ours knows; undefined for what has none. */
  readonly nodes: number | undefined
}

/** One torrent's part in it. */
export interface SharedPart {
  readonly status: SharedStatus
  close(): void
}

export interface SharedSource {
  /** @param found of endpoints, `host:port`, on the word of strangers */
  join(infoHash: InfoHash, found: (endpoints: readonly string[]) => void): SharedPart
  close(): Promise<void>
}
