import type { NodeId } from '../../../src/events/index.ts'
import type { EventRow, Explanation, PublishResult, SearchHit, SearchResult, TorrentRow } from '../../../src/roles/index.ts'

// Rows as a node gives them, for the renderers' tests.

export const NODE_A = 'a'.repeat(64) as NodeId
export const NODE_B = 'b'.repeat(64) as NodeId
export const HASH = 'c12fe1c06bba254a9dc9f519b335aa7c1367a88a'

export const torrentRow = (change: Partial<TorrentRow> = {}): TorrentRow => ({
  infoHash: HASH,
  name: 'songs',
  state: 'downloading',
  why: '',
  problem: null,
  origin: 'download',
  directory: '/d',
  sizeBytes: 48_000_000,
  pieceCount: 48,
  piecesVerified: 0,
  piecesWanted: change.pieceCount ?? 48,
  piecesWantedVerified: change.piecesVerified ?? 0,
  sequential: false,
  downloadedBytes: 0,
  uploadedBytes: 0,
  downloadBytesPerSecond: 0,
  uploadBytesPerSecond: 0,
  timeLeftMs: null,
  peers: 0,
  unreached: 0,
  limits: { downloadBytesPerSecond: 0, uploadBytesPerSecond: 0, ratioGoalPercent: 0, seedGoalMs: 0 },
  corruptPercent: 0,
  magnet: `magnet:?xt=urn:btih:${HASH}`,
  ...change,
})

export const searchHit = (change: Partial<SearchHit> = {}): SearchHit => ({
  infoHash: HASH,
  title: 'Songs of the sea',
  sizeBytes: 48_000_000,
  fileCount: 12,
  tags: ['folk', 'music'],
  seeders: 2,
  seedersProven: 2,
  publisher: NODE_A,
  publishedAt: 1_000,
  magnet: `magnet:?xt=urn:btih:${HASH}`,
  ...change,
})

export const searchResult = (change: Partial<SearchResult> = {}): SearchResult => ({
  ...{ complete: true, parts: [], charged: [] },
  query: 'songs',
  corrected: null,
  hits: [searchHit()],
  truncated: false,
  cursor: null,
  keyword: 'songs',
  partition: 1,
  answeredBy: NODE_B,
  failed: [],
  elapsedMs: 12,
  ...change,
})

export const eventRow = (change: Partial<EventRow> = {}): EventRow => ({
  seq: 7,
  lamport: 42,
  at: 0,
  author: NODE_A,
  stream: 'gossip',
  authorSeq: 3,
  kind: 'node.stopped',
  event: { kind: 'node.stopped', reason: 'asked' } as unknown as EventRow['event'],
  ...change,
})

export const explanation = (change: Partial<Explanation> = {}): Explanation => ({
  peer: NODE_B,
  policy: 'seed-v1',
  score: -210,
  standing: 'banned',
  terms: [
    { name: 'bad pieces', value: -220, because: '22 bad pieces seen here' },
    { name: 'good pieces', value: 10, because: '100 good pieces seen here' },
  ],
  verdicts: [
    {
      seq: 12,
      lamport: 30,
      at: 0,
      reporter: NODE_A,
      kind: 'piece.judged',
      evidence: 'piece 4 of c12f… did not match its hash, and it was the only source',
      good: 0,
      bad: 1,
      scoreAfter: -210,
      standingAfter: 'banned',
      decisive: true,
    },
  ],
  decisive: [12],
  ...change,
})

const nothingSkipped = { count: 0, first: [] }

export const published = (change: Partial<PublishResult> = {}): PublishResult => ({
  infoHash: HASH,
  title: 'Songs of the sea',
  replaces: null,
  sizeBytes: 48_000_000,
  magnet: `magnet:?xt=urn:btih:${HASH}`,
  acknowledgedBy: [],
  partitions: 1,
  partitionsHeld: 0,
  acknowledged: false,
  pending: 1,
  refused: [],
  skipped: { hidden: nothingSkipped, links: nothingSkipped, special: nothingSkipped },
  ...change,
})
