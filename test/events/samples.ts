import type { Event, InfoHash, Millis, NodeId, SignedEvent, Signer, Stream, UnsignedEvent } from '../../src/events/index.ts'
import { addressId, signEvent } from '../../src/events/index.ts'
import { randomSeed, signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import type { Lamport } from '../../src/events/model/ids.ts'
import { TEST_NETWORK } from './test-network.ts'

// Real keys and one event of every kind, for tests, the golden log and benches.

/** A signer whose key is always the same for the same number. */
export function signerOf(number: number): Signer {
  const seed = new Uint8Array(32).fill(7)
  new DataView(seed.buffer).setUint32(0, number)
  return signerFromSeed(seed, TEST_NETWORK)
}

export const randomSigner = (): Signer => signerFromSeed(randomSeed(), TEST_NETWORK)

/** A clock that moves a millisecond each time it is asked. */
export function tickingClock(start = 1_800_000_000_000): { now(): Millis } {
  let now = start
  return { now: () => now++ as Millis }
}

export const noUpcast = (_kind: number, _version: number, payload: Uint8Array): Uint8Array => payload

const hash = (digit: string): InfoHash => digit.repeat(40) as InfoHash
const node = (digit: string): NodeId => digit.repeat(64) as NodeId
const address = { host: '127.0.0.1', port: 49737, dhtPort: 0 }

/** One of each kind, with every field away from its default. */
export const EVERY_KIND: readonly { stream: Stream; event: Event }[] = [
  { stream: 'local', event: { kind: 'node.started', role: 'client', software: 'p2pt/0.1.0', incarnation: 3 } },
  { stream: 'local', event: { kind: 'network.joined', genesis: new Uint8Array([1, 2, 3]), credential: new Uint8Array([4]) } },
  { stream: 'gossip', event: { kind: 'node.admitted', credential: new Uint8Array([5, 6]) } },
  {
    stream: 'gossip',
    event: { kind: 'access.revoked', revocation: new Uint8Array([7, 8]), ownerSignature: new Uint8Array(64).fill(9) },
  },
  { stream: 'local', event: { kind: 'node.stopped', reason: 'asked to' } },
  { stream: 'local', event: { kind: 'policy.adopted', policy: 'standard', parameters: { banAt: -500, corrupt: 100 } } },
  { stream: 'local', event: { kind: 'operator.banned', subject: node('a'), reason: 'sent garbage' } },
  { stream: 'local', event: { kind: 'operator.unbanned', subject: addressId('10.0.0.7'), reason: 'a mistake' } },
  { stream: 'gossip', event: { kind: 'member.alive', subject: node('b'), incarnation: 1, role: 'index', ...address } },
  { stream: 'gossip', event: { kind: 'member.suspect', subject: node('b'), incarnation: 1, role: 'index', ...address } },
  { stream: 'gossip', event: { kind: 'member.dead', subject: node('b'), incarnation: 1, role: 'index', ...address } },
  { stream: 'gossip', event: { kind: 'member.refuted', subject: node('b'), incarnation: 2, role: 'index', ...address } },
  { stream: 'gossip', event: { kind: 'member.left', subject: node('b'), incarnation: 2, role: 'bootstrap', ...address } },
  {
    stream: 'local',
    event: {
      kind: 'heartbeat.rolled-up',
      subject: node('c'),
      beatsSeen: 29,
      beatsMissed: 1,
      roundTripMicrosMin: 180,
      roundTripMicrosMedian: 420,
      roundTripMicrosMax: 90_000,
      firstAt: 1_800_000_000_000,
      lastAt: 1_800_000_300_000,
    },
  },
  {
    stream: 'gossip',
    event: {
      kind: 'piece.judged',
      subject: node('d'),
      infoHash: hash('1'),
      good: [
        { first: 0, count: 12 },
        { first: 40, count: 1 },
      ],
      bad: [
        {
          index: 13,
          evidence: 'block-differs',
          offset: 16_384,
          length: 16_384,
          expected: '2'.repeat(40),
          received: '3'.repeat(40),
        },
      ],
    },
  },
  {
    stream: 'local',
    event: { kind: 'piece.suspected', infoHash: hash('1'), index: 14, sources: [node('d'), addressId('10.0.0.7')] },
  },
  {
    stream: 'index',
    event: {
      kind: 'torrent.published',
      infoHash: hash('4'),
      title: 'Ästhetik 電影 1080p',
      sizeBytes: 6_442_450_944,
      fileCount: 3,
      tags: ['film', 'hd'],
    },
  },
  { stream: 'index', event: { kind: 'torrent.withdrawn', infoHash: hash('4'), title: 'Ästhetik 電影 1080p' } },
  { stream: 'index', event: { kind: 'torrent.verified', infoHash: hash('4'), title: 'Ästhetik 電影 1080p' } },
  { stream: 'index', event: { kind: 'offers.renewed' } },
  {
    stream: 'local',
    event: {
      kind: 'owner.charged',
      owner: node('d'),
      fault: 'omitted',
      keyword: '電影',
      infoHash: hash('4'),
      author: node('f'),
      authorSeq: 9,
    },
  },
  {
    stream: 'local',
    event: {
      kind: 'download.added',
      infoHash: hash('5'),
      name: 'film',
      title: 'A film, restored',
      directory: '/data/film',
      origin: 'download',
      magnet: `magnet:?xt=urn:btih:${hash('5')}`,
      torrentFile: new Uint8Array([100, 101]),
      overwrite: true,
    },
  },
  {
    stream: 'local',
    event: {
      kind: 'download.described',
      infoHash: hash('5'),
      name: 'film',
      sizeBytes: 1_000_000,
      pieceCount: 62,
      pieceLengthBytes: 16_384,
      torrentFile: new Uint8Array([100, 1, 2, 101]),
    },
  },
  { stream: 'local', event: { kind: 'download.verified', infoHash: hash('5'), pieces: [{ first: 3, count: 4 }] } },
  { stream: 'local', event: { kind: 'download.checked', infoHash: hash('5'), pieces: [{ first: 0, count: 60 }] } },
  {
    stream: 'local',
    event: { kind: 'download.stamped', infoHash: hash('5'), stamps: [{ file: 2, stamp: '1000000-1700000000123456789-4711' }] },
  },
  { stream: 'local', event: { kind: 'download.changed', infoHash: hash('5'), file: 2, path: 'film/two.bin', how: 'modified' } },
  {
    stream: 'local',
    event: {
      kind: 'download.selected',
      infoHash: hash('5'),
      priorities: '2031',
      others: 2,
      sequential: true,
      pieces: [{ first: 3, count: 40 }],
    },
  },
  {
    stream: 'local',
    event: {
      kind: 'download.limited',
      infoHash: hash('5'),
      downloadBytesPerSecond: 1_000_000,
      uploadBytesPerSecond: 250_000,
      ratioGoalPercent: 150,
      seedGoalMs: 86_400_000,
    },
  },
  {
    stream: 'local',
    event: {
      kind: 'download.sourced',
      infoHash: hash('5'),
      public: true,
      trackers: ['udp://tracker.example:6969/announce'],
      webSeeds: ['https://mirror.example/film/'],
      dht: true,
      local: true,
    },
  },
  {
    stream: 'local',
    event: { kind: 'download.transferred', infoHash: hash('5'), downloadedBytes: 1_000_000, uploadedBytes: 250_000 },
  },
  {
    stream: 'local',
    event: {
      kind: 'download.moving',
      infoHash: hash('5'),
      directory: '/srv/films',
      names: [
        { file: null, name: 'Film' },
        { file: 0, name: 'film.mkv' },
      ],
    },
  },
  { stream: 'local', event: { kind: 'download.moved', infoHash: hash('5') } },
  { stream: 'local', event: { kind: 'download.tidied', infoHash: hash('5') } },
  {
    stream: 'local',
    event: {
      kind: 'client.configured',
      downloadBytesPerSecond: 5_000_000,
      uploadBytesPerSecond: 1_000_000,
      localDownloadBytesPerSecond: 0,
      localUploadBytesPerSecond: 50_000_000,
      remoteDownloadBytesPerSecond: 4_000_000,
      remoteUploadBytesPerSecond: 900_000,
      connectionsMax: 200,
      uploadSlots: 8,
      downloadsMax: 3,
      seedsMax: 5,
      ratioGoalPercent: 200,
      seedGoalMs: 604_800_000,
      schedule: [{ when: '0 8 * * 1-5', downloadBytesPerSecond: 500_000, uploadBytesPerSecond: 100_000 }],
    },
  },
  { stream: 'local', event: { kind: 'download.completed', infoHash: hash('5') } },
  { stream: 'local', event: { kind: 'download.paused', infoHash: hash('5') } },
  { stream: 'local', event: { kind: 'download.resumed', infoHash: hash('5') } },
  { stream: 'local', event: { kind: 'download.removed', infoHash: hash('5'), filesDeleted: true } },
  {
    stream: 'local',
    event: {
      kind: 'event.quarantined',
      sender: node('e'),
      reason: 'flood',
      author: node('f'),
      authorSeq: 9,
      lamport: 12,
      count: 40,
    },
  },
]

/** A gossiped draft that is small and tells its number. */
export const numbered = (number: number): UnsignedEvent => ({
  stream: 'gossip',
  event: { kind: 'member.left', subject: node('b'), incarnation: number, role: 'index', ...address },
})

/** An event of somebody else, signed, with the stamps given. */
export function foreign(
  signer: Signer,
  authorSeq: number,
  lamport: number,
  draft: UnsignedEvent = numbered(authorSeq),
): SignedEvent {
  return signEvent(draft, { lamport: lamport as Lamport, authorSeq, at: 1_800_000_000_000 as Millis }, signer)
}
