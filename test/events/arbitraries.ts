import fc from 'fast-check'
import {
  type Event,
  type EventKind,
  type InfoHash,
  type MemberAddress,
  type NodeId,
  type PeerId,
  PIECES_PER_VERDICT_MAX,
  TAGS_MAX,
} from '../../src/events/index.ts'

// Any event of any kind, as far as its codec allows.

/** As decoding makes them. */
const plain = { noNullPrototype: true } as const

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => Buffer.from(array).toString('hex'))
export const nodeIds = hex(32) as fc.Arbitrary<NodeId>
const infoHashes = hex(20) as fc.Arbitrary<InfoHash>
/** IPv4 addresses of one machine. */
export const ipv4s: fc.Arbitrary<string> = fc
  .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255))
  .map((numbers) => numbers.join('.'))
const addresses = fc.oneof(ipv4s, fc.ipV6()).map((host) => `ip:${host}`) as fc.Arbitrary<PeerId>
const peers: fc.Arbitrary<PeerId> = fc.oneof(nodeIds, addresses)
const uint32 = fc.nat(2 ** 31 - 1)
const uint53 = fc.nat(Number.MAX_SAFE_INTEGER)
const text = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: 'grapheme', maxLength: Math.floor(maxLength / 16) })
const bytes = fc.uint8Array({ maxLength: 300, size: 'max' }).map((array) => new Uint8Array(array))
const roles = fc.constantFrom('bootstrap' as const, 'index' as const, 'client' as const)
const runs = fc.array(fc.record({ first: uint32, count: fc.integer({ min: 1, max: 2 ** 31 }) }, plain), {
  maxLength: Math.min(40, PIECES_PER_VERDICT_MAX),
})
const rates = { downloadBytesPerSecond: uint53, uploadBytesPerSecond: uint53 }
const goals = { ratioGoalPercent: uint53, seedGoalMs: uint53 }
const address: { [K in keyof MemberAddress]: fc.Arbitrary<MemberAddress[K]> } = {
  host: ipv4s,
  port: fc.integer({ min: 1, max: 65_535 }),
  dhtPort: fc.nat(65_535),
}

const bytesUpTo = (maxLength: number) => fc.uint8Array({ maxLength })

const fieldsOf: { readonly [K in EventKind]: object } = {
  'node.started': { role: roles, software: text(128), incarnation: uint53 },
  'network.joined': { genesis: bytesUpTo(256), credential: bytesUpTo(320) },
  'node.admitted': { credential: bytesUpTo(320) },
  'access.revoked': { revocation: bytesUpTo(192), ownerSignature: fc.uint8Array({ minLength: 64, maxLength: 64 }) },
  'node.stopped': { reason: text(1024) },
  'policy.adopted': {
    policy: text(128),
    parameters: fc.dictionary(fc.string({ minLength: 1 }), fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), {
      noNullPrototype: true,
    }),
  },
  'operator.banned': { subject: peers, reason: text(1024) },
  'operator.unbanned': { subject: peers, reason: text(1024) },
  'member.alive': { subject: nodeIds, incarnation: uint53, role: roles, ...address },
  'member.suspect': { subject: nodeIds, incarnation: uint53, role: roles, ...address },
  'member.dead': { subject: nodeIds, incarnation: uint53, role: roles, ...address },
  'member.refuted': { subject: nodeIds, incarnation: uint53, role: roles, ...address },
  'member.left': { subject: nodeIds, incarnation: uint53, role: roles, ...address },
  'heartbeat.rolled-up': {
    subject: nodeIds,
    beatsSeen: uint32,
    beatsMissed: uint32,
    roundTripMicrosMin: uint32,
    roundTripMicrosMedian: uint32,
    roundTripMicrosMax: uint32,
    firstAt: uint53,
    lastAt: uint53,
  },
  'piece.judged': {
    subject: peers,
    infoHash: infoHashes,
    good: runs,
    bad: fc.array(
      fc.record(
        {
          index: uint32,
          evidence: fc.constantFrom('sole-source' as const, 'block-differs' as const),
          offset: uint32,
          length: uint32,
          expected: hex(20),
          received: hex(20),
        },
        plain,
      ),
      { maxLength: 8 },
    ),
  },
  'piece.suspected': { infoHash: infoHashes, index: uint32, sources: fc.array(peers, { maxLength: 8 }) },
  'torrent.published': {
    infoHash: infoHashes,
    title: text(512),
    sizeBytes: uint53,
    fileCount: uint32,
    tags: fc.array(text(64), { maxLength: Math.min(8, TAGS_MAX) }),
  },
  'torrent.withdrawn': { infoHash: infoHashes, title: text(512) },
  'torrent.verified': { infoHash: infoHashes, title: text(512) },
  'offers.renewed': {},
  'download.added': {
    infoHash: infoHashes,
    name: text(512),
    title: text(512),
    directory: text(512),
    origin: fc.constantFrom('download' as const, 'publish' as const),
    magnet: text(512),
    torrentFile: bytes,
    overwrite: fc.boolean(),
  },
  'download.checked': { infoHash: infoHashes, pieces: runs },
  'download.stamped': {
    infoHash: infoHashes,
    stamps: fc.array(fc.record({ file: uint32, stamp: text(96) }, plain), { maxLength: 5 }),
  },
  'download.changed': {
    infoHash: infoHashes,
    file: uint32,
    path: text(512),
    how: fc.constantFrom('gone' as const, 'shorter' as const, 'modified' as const, 'bad-piece' as const),
  },
  'download.selected': {
    infoHash: infoHashes,
    priorities: fc.string({ unit: fc.constantFrom('0', '1', '2', '3'), maxLength: 40 }),
    others: fc.constantFrom(0 as const, 1 as const, 2 as const, 3 as const),
    sequential: fc.boolean(),
    pieces: runs,
  },
  'download.limited': { infoHash: infoHashes, ...rates, ...goals },
  'download.sourced': {
    infoHash: infoHashes,
    public: fc.boolean(),
    trackers: fc.array(text(60), { maxLength: 4 }),
    webSeeds: fc.array(text(60), { maxLength: 4 }),
    dht: fc.boolean(),
    local: fc.boolean(),
  },
  'download.transferred': { infoHash: infoHashes, downloadedBytes: uint53, uploadedBytes: uint53 },
  'download.moving': {
    infoHash: infoHashes,
    directory: text(40),
    names: fc.array(fc.record({ file: fc.option(fc.nat(65_535)), name: text(20) }, { noNullPrototype: true }), {
      maxLength: 4,
    }),
  },
  'download.moved': { infoHash: infoHashes },
  'download.tidied': { infoHash: infoHashes },
  'client.configured': {
    ...rates,
    ...goals,
    localDownloadBytesPerSecond: uint53,
    localUploadBytesPerSecond: uint53,
    remoteDownloadBytesPerSecond: uint53,
    remoteUploadBytesPerSecond: uint53,
    connectionsMax: uint32,
    uploadSlots: uint32,
    downloadsMax: uint32,
    seedsMax: uint32,
    schedule: fc.array(fc.record({ when: text(40), ...rates }, plain), { maxLength: 4 }),
  },
  'download.described': {
    infoHash: infoHashes,
    name: text(512),
    sizeBytes: uint53,
    pieceCount: uint32,
    pieceLengthBytes: uint32,
    torrentFile: bytes,
  },
  'download.verified': { infoHash: infoHashes, pieces: runs },
  'download.completed': { infoHash: infoHashes },
  'download.paused': { infoHash: infoHashes },
  'download.resumed': { infoHash: infoHashes },
  'download.removed': { infoHash: infoHashes, filesDeleted: fc.boolean() },
  'owner.charged': {
    owner: nodeIds,
    fault: fc.constantFrom('forged' as const, 'omitted' as const),
    keyword: text(512),
    infoHash: infoHashes,
    author: fc.option(nodeIds),
    authorSeq: uint53,
  },
  'event.quarantined': {
    sender: nodeIds,
    reason: fc.constantFrom(
      'clock-jump' as const,
      'bad-signature' as const,
      'malformed' as const,
      'flood' as const,
      'equivocation' as const,
    ),
    author: fc.option(nodeIds),
    authorSeq: uint53,
    lamport: uint53,
    count: uint32,
  },
}

/** Any event of this kind. */
export const eventOfKind = (kind: EventKind): fc.Arbitrary<Event> => {
  const fields: { [field: string]: fc.Arbitrary<unknown> } = { kind: fc.constant(kind), ...fieldsOf[kind] }
  return fc.record(fields, plain) as fc.Arbitrary<unknown> as fc.Arbitrary<Event>
}
