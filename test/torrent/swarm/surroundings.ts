import type { PeerId, TorrentSources } from '../../../src/events/index.ts'
import type { PublicSources } from '../../../src/torrent/sources/public-sources.ts'
import type { PieceFiles } from '../../../src/torrent/swarm/peer-swarm.ts'
import type { WantedPieces } from '../../../src/torrent/swarm.ts'

// What stands around a swarm in its tests, and says and keeps nothing.

export const PUBLIC: TorrentSources = { public: true, trackers: [], webSeeds: [], dht: false, local: false }
export const NO_SOURCES = {
  ready: () => {},
  completed: () => {},
  close: async () => {},
  status: () => [],
} as unknown as PublicSources
export const all: WantedPieces = { priorities: undefined, sequential: true, isFileWanted: () => true }
export const only = (...priorities: number[]): WantedPieces => ({ ...all, priorities: Uint8Array.from(priorities) })
export const blocksOf = (...pieces: number[]): string[] =>
  pieces.flatMap((index) => [0, 1, 2, 3].map((block) => `${index}:${block}`))
export const filesOf = (more: Partial<PieceFiles> = {}): PieceFiles => ({
  ...{ read: async () => {}, write: async () => {}, createEmptyFiles: async () => {} },
  ...{ settle: async () => [], close: async () => {} },
  ...more,
})

/** Events of a torrent of which who came and went is kept. */
export function eventsOf(told: string[]) {
  return {
    ...{ described: () => {}, openDisk: async () => undefined, checked: () => {}, verified: () => {} },
    ...{ judged: () => {}, suspected: () => {}, completed: () => {}, failed: () => {} },
    peer: (_: unknown, what: string, id: PeerId) => void told.push(`${what} ${id}`),
  }
}
