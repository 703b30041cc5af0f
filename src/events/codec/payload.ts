// First: the setting for plain 64 bit numbers must be in force before the generated codec loads, or 0 reads as a Long.
import './protobuf.ts'

import { p2pt } from '../generated/events.js'
import { CREDENTIAL_BYTES_MAX, GENESIS_BYTES_MAX, REVOCATION_BYTES_MAX } from '../keys/bounds.ts'
import type {
  BadPiece,
  BadPieceEvidence,
  Event,
  EventKind,
  EventOf,
  FilePriority,
  HowChanged,
  MemberAddress,
  NodeRole,
  OwnerFault,
  PieceRange,
  QuarantineReason,
} from '../model/event.ts'
import { fromHex, toHex } from '../model/hex.ts'
import { type AddressId, isAddressId, isNodeId, type PeerId } from '../model/ids.ts'
import { isIpAddress, isMemberAddress, NO_ADDRESS } from '../model/ip-address.ts'
import { plainVerdict } from '../model/judged-payload.ts'
import { KINDS, kindOfNumber } from '../model/kinds.ts'
import { type MemberKind, plainMember } from '../model/member-payload.ts'
import { FieldReader } from './field-reader.ts'
import { Writer } from './protobuf.ts'

// Payloads as protobuf and back. Decoding checks every length and range: these bytes come from strangers.

const proto = p2pt.events

/** What is wrong with a payload; the caller turns it into a verdict about whoever sent it. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError'
}

/**
 * Where bytes come from. What arrives is refused if it names an address that may not travel. What is in a log already
 * has to be read, whatever it says: such an address then counts as unknown.
 */
export type Origin = 'arriving' | 'stored'

type Codec<K extends EventKind> = {
  encode(event: EventOf<K>): Uint8Array
  decode(payload: Uint8Array, origin: Origin): EventOf<K>
}

type Message = { encode(message: never, writer: InstanceType<typeof Writer>): InstanceType<typeof Writer> }

function finish(message: Message, value: object): Uint8Array {
  return message.encode(value as never, Writer.create()).finish()
}

const fields = new FieldReader((sentence, options) => new PayloadError(sentence, options))

// A copy: what is decoded is a view of a whole segment of the log, which an event that is kept would keep in memory.
const owned = (value: Uint8Array | null | undefined): Uint8Array => new Uint8Array(value ?? [])

const ROLES: readonly NodeRole[] = ['bootstrap', 'index', 'client']
const EVIDENCE: readonly BadPieceEvidence[] = ['sole-source', 'block-differs']
const HOW_CHANGED: readonly HowChanged[] = ['gone', 'shorter', 'modified', 'bad-piece']
const PRIORITIES: readonly FilePriority[] = [0, 1, 2, 3]
const FAULTS: readonly OwnerFault[] = ['forged', 'omitted']
const REASONS: readonly QuarantineReason[] = ['clock-jump', 'bad-signature', 'malformed', 'flood', 'equivocation']

// Texts of people have three bytes for each character that is meant to fit, so that no script gets less room than another.

/** Longest title kept, in UTF-8 bytes; longer ones are refused, not cut, since the signature covers them. */
export const TITLE_BYTES_MAX = 1536
const REASON_BYTES_MAX = 3072
export const TAGS_MAX = 32
/** Of a renewal of offers, which has room in a budget for events and not for bytes. */
const RENEWAL_BYTES_MAX = 64
/** In UTF-8 bytes. */
export const TAG_BYTES_MAX = 192
/** Of a program's name and version, and of a policy's id; in UTF-8 bytes. */
const NAME_BYTES_MAX = 128
const HOST_BYTES_MAX = 255
/** `ip:` and an address. */
const ADDRESS_ID_BYTES_MAX = 64
/** A verdict batch names at most this many runs of good pieces, and as many bad ones. */
export const PIECES_PER_VERDICT_MAX = 4096
/** Stamps of files in one event; a torrent with more files takes several. */
export const STAMPS_MAX = 4096
const STAMP_BYTES_MAX = 96
/** Files of a torrent: `FILES_MAX` of its metainfo. */
export const SELECTED_FILES_MAX = 65_536
/** Trackers, and web seeds, that a person gave a torrent. */
export const SOURCE_URLS_MAX = 128
export const SOURCE_URL_BYTES_MAX = 2_048
export const SCHEDULE_MAX = 64
const CRON_BYTES_MAX = 128
/** Names that one event changes. */
export const NAMES_ON_DISK_MAX = 1_024
/** Of one name. */
const FILE_NAME_BYTES_MAX = 255
/** Peers that a bad piece may be of: there are fewer connections. */
const SOURCES_MAX = 4096
/** A path in a torrent has at most 3,000 bytes. */
const PATH_BYTES_MAX = 4096

type SubjectMessage = { node?: Uint8Array | null; address?: string | null }

function subjectMessage(peer: PeerId): SubjectMessage {
  return isNodeId(peer) ? { node: fromHex(peer) } : { address: peer }
}

function subject(message: SubjectMessage | null | undefined, origin: Origin): PeerId {
  if (message?.node?.length) return fields.node(message.node)
  const address = message?.address ?? ''
  const isKnown =
    isAddressId(address) && address.length <= ADDRESS_ID_BYTES_MAX && (origin === 'stored' || isIpAddress(address.slice(3)))
  fields.demand(isKnown, 'a subject is neither a node key nor an address')
  return address as AddressId
}

type RatesMessage = { downloadBytesPerSecond?: number | null; uploadBytesPerSecond?: number | null }
type GoalsMessage = { ratioGoalPercent?: number | null; seedGoalMs?: number | null }

const rates = (message: RatesMessage) => ({
  downloadBytesPerSecond: fields.count(message.downloadBytesPerSecond),
  uploadBytesPerSecond: fields.count(message.uploadBytesPerSecond),
})
const goals = (message: GoalsMessage) => ({
  ratioGoalPercent: fields.count(message.ratioGoalPercent),
  seedGoalMs: fields.count(message.seedGoalMs),
})
const urls = (list: readonly string[] | null | undefined, what: string): string[] =>
  fields.list(list, SOURCE_URLS_MAX, what).map((url) => fields.text(url, SOURCE_URL_BYTES_MAX, 'an address'))

type RangeMessage = { first?: number | null; count?: number | null }

function ranges(messages: readonly RangeMessage[] | null | undefined, countMax = PIECES_PER_VERDICT_MAX): PieceRange[] {
  return fields.list(messages, countMax, 'piece ranges').map((range) => {
    const first = fields.count(range.first)
    const length = fields.count(range.count)
    fields.demand(length > 0 && first + length <= 2 ** 32, 'a piece range is empty or too long')
    return { first, count: length }
  })
}

type AddressMessage = { host?: string | null; port?: number | null; dhtPort?: number | null }

function address(message: AddressMessage, origin: Origin): MemberAddress {
  const { host, port, dhtPort } = message
  const said = { host: fields.text(host, HOST_BYTES_MAX, 'a host'), port: fields.port(port), dhtPort: fields.port(dhtPort) }
  if (isMemberAddress(said)) return said
  if (origin === 'arriving') throw new PayloadError('a member has no address that can be dialled')
  return NO_ADDRESS
}

type OperatorKind = 'operator.banned' | 'operator.unbanned'
type ClaimKind = 'torrent.withdrawn' | 'torrent.verified'
type NamedKind = 'download.completed' | 'download.paused' | 'download.resumed' | 'download.moved' | 'download.tidied'

const member = <K extends MemberKind>(kind: K): Codec<K> => ({
  encode: (event: EventOf<MemberKind>) => finish(proto.MemberState, { ...event, subject: fromHex(event.subject) }),
  decode: (payload, origin) => {
    const message = proto.MemberState.decode(payload)
    return {
      kind,
      subject: fields.node(message.subject),
      incarnation: fields.count(message.incarnation),
      role: fields.oneOf(ROLES, message.role, 'role'),
      ...address(message, origin),
    } as EventOf<K>
  },
})

const operator = <K extends OperatorKind>(kind: K): Codec<K> => ({
  encode: (event: EventOf<OperatorKind>) =>
    finish(proto.OperatorDecision, { subject: subjectMessage(event.subject), reason: event.reason }),
  decode: (payload, origin) => {
    const message = proto.OperatorDecision.decode(payload)
    return {
      kind,
      subject: subject(message.subject, origin),
      reason: fields.text(message.reason, REASON_BYTES_MAX, 'a reason'),
    } as EventOf<K>
  },
})

const claim = <K extends ClaimKind>(kind: K): Codec<K> => ({
  encode: (event: EventOf<ClaimKind>) => finish(proto.TorrentClaim, { infoHash: fromHex(event.infoHash), title: event.title }),
  decode: (payload) => {
    const message = proto.TorrentClaim.decode(payload)
    return {
      kind,
      infoHash: fields.infoHash(message.infoHash),
      title: fields.text(message.title, TITLE_BYTES_MAX, 'a title'),
    } as EventOf<K>
  },
})

const named = <K extends NamedKind>(kind: K): Codec<K> => ({
  encode: (event: EventOf<NamedKind>) => finish(proto.DownloadNamed, { infoHash: fromHex(event.infoHash) }),
  decode: (payload) => ({ kind, infoHash: fields.infoHash(proto.DownloadNamed.decode(payload).infoHash) }) as EventOf<K>,
})

function badPiece(message: p2pt.events.BadPiece.$Shape): BadPiece {
  return {
    index: fields.count(message.index),
    evidence: fields.oneOf(EVIDENCE, message.evidence, 'evidence'),
    offset: fields.count(message.offset),
    length: fields.count(message.length),
    expected: toHex(fields.bytes(message.expected, 20, 'a digest')),
    received: toHex(fields.bytes(message.received, 20, 'a digest')),
  }
}

const CODECS: { [K in EventKind]: Codec<K> } = {
  'node.started': {
    encode: (event) => finish(proto.NodeStarted, event),
    decode: (payload) => {
      const message = proto.NodeStarted.decode(payload)
      return {
        kind: 'node.started',
        role: fields.oneOf(ROLES, message.role, 'role'),
        software: fields.text(message.software, NAME_BYTES_MAX, 'a version'),
        incarnation: fields.count(message.incarnation),
      }
    },
  },
  'node.stopped': {
    encode: (event) => finish(proto.NodeStopped, event),
    decode: (payload) => ({
      kind: 'node.stopped',
      reason: fields.text(proto.NodeStopped.decode(payload).reason, REASON_BYTES_MAX, 'a reason'),
    }),
  },
  'policy.adopted': {
    encode: (event) => finish(proto.PolicyAdopted, event),
    decode: (payload) => {
      const message = proto.PolicyAdopted.decode(payload)
      const parameters = Object.fromEntries(
        Object.entries(message.parameters ?? {}).map(([name, value]) => [name, Number(value)]),
      )
      return { kind: 'policy.adopted', policy: fields.text(message.policy, NAME_BYTES_MAX, 'a policy'), parameters }
    },
  },
  'network.joined': {
    encode: (event) => finish(proto.NetworkJoined, event),
    decode: (payload) => {
      const message = proto.NetworkJoined.decode(payload)
      return {
        kind: 'network.joined',
        genesis: owned(fields.bytesUpTo(message.genesis, GENESIS_BYTES_MAX, 'a genesis record')),
        credential: owned(fields.bytesUpTo(message.credential, CREDENTIAL_BYTES_MAX, 'a credential')),
      }
    },
  },
  'node.admitted': {
    encode: (event) => finish(proto.NodeAdmitted, event),
    decode: (payload) => {
      const { credential } = proto.NodeAdmitted.decode(payload)
      return { kind: 'node.admitted', credential: owned(fields.bytesUpTo(credential, CREDENTIAL_BYTES_MAX, 'a credential')) }
    },
  },
  'access.revoked': {
    encode: (event) => finish(proto.AccessRevoked, event),
    decode: (payload) => {
      const message = proto.AccessRevoked.decode(payload)
      return {
        kind: 'access.revoked',
        revocation: owned(fields.bytesUpTo(message.revocation, REVOCATION_BYTES_MAX, 'a revocation')),
        ownerSignature: owned(fields.signature(message.ownerSignature)),
      }
    },
  },
  'operator.banned': operator('operator.banned'),
  'operator.unbanned': operator('operator.unbanned'),
  'member.alive': member('member.alive'),
  'member.suspect': member('member.suspect'),
  'member.dead': member('member.dead'),
  'member.refuted': member('member.refuted'),
  'member.left': member('member.left'),
  'heartbeat.rolled-up': {
    encode: (event) => finish(proto.HeartbeatRolledUp, { ...event, subject: fromHex(event.subject) }),
    decode: (payload) => {
      const message = proto.HeartbeatRolledUp.decode(payload)
      return {
        kind: 'heartbeat.rolled-up',
        subject: fields.node(message.subject),
        beatsSeen: fields.count(message.beatsSeen),
        beatsMissed: fields.count(message.beatsMissed),
        roundTripMicrosMin: fields.count(message.roundTripMicrosMin),
        roundTripMicrosMedian: fields.count(message.roundTripMicrosMedian),
        roundTripMicrosMax: fields.count(message.roundTripMicrosMax),
        firstAt: fields.count(message.firstAt),
        lastAt: fields.count(message.lastAt),
      }
    },
  },
  'piece.judged': {
    encode: (event) =>
      finish(proto.PieceJudged, {
        subject: subjectMessage(event.subject),
        infoHash: fromHex(event.infoHash),
        good: event.good,
        bad: event.bad.map((piece) => ({ ...piece, expected: fromHex(piece.expected), received: fromHex(piece.received) })),
      }),
    decode: (payload, origin) => {
      const message = proto.PieceJudged.decode(payload)
      return {
        kind: 'piece.judged',
        subject: subject(message.subject, origin),
        infoHash: fields.infoHash(message.infoHash),
        good: ranges(message.good),
        bad: fields.list(message.bad, PIECES_PER_VERDICT_MAX, 'bad pieces').map(badPiece),
      }
    },
  },
  'piece.suspected': {
    encode: (event) =>
      finish(proto.PieceSuspected, {
        infoHash: fromHex(event.infoHash),
        index: event.index,
        sources: event.sources.map(subjectMessage),
      }),
    decode: (payload, origin) => {
      const message = proto.PieceSuspected.decode(payload)
      return {
        kind: 'piece.suspected',
        infoHash: fields.infoHash(message.infoHash),
        index: fields.count(message.index),
        sources: fields.list(message.sources, SOURCES_MAX, 'sources').map((source) => subject(source, origin)),
      }
    },
  },
  'torrent.published': {
    encode: (event) => finish(proto.TorrentPublished, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.TorrentPublished.decode(payload)
      return {
        kind: 'torrent.published',
        infoHash: fields.infoHash(message.infoHash),
        title: fields.text(message.title, TITLE_BYTES_MAX, 'a title'),
        sizeBytes: fields.count(message.sizeBytes),
        fileCount: fields.count(message.fileCount),
        tags: fields.list(message.tags, TAGS_MAX, 'tags').map((tag) => fields.text(tag, TAG_BYTES_MAX, 'a tag')),
      }
    },
  },
  'torrent.withdrawn': claim('torrent.withdrawn'),
  'torrent.verified': claim('torrent.verified'),
  // Who says it, and when, is in the header. Later releases may say a little more; there is no room for anything.
  'offers.renewed': {
    encode: () => new Uint8Array(),
    decode: (payload) => {
      fields.demand(payload.length <= RENEWAL_BYTES_MAX, `a renewal has more than ${RENEWAL_BYTES_MAX} bytes`)
      return { kind: 'offers.renewed' }
    },
  },
  'download.added': {
    encode: (event) => finish(proto.DownloadAdded, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadAdded.decode(payload)
      return {
        kind: 'download.added',
        infoHash: fields.infoHash(message.infoHash),
        name: message.name ?? '',
        title: message.title ?? '',
        directory: message.directory ?? '',
        origin: fields.oneOf(['download', 'publish'] as const, message.origin, 'origin'),
        magnet: message.magnet ?? '',
        torrentFile: owned(message.torrentFile),
        overwrite: message.overwrite ?? false,
      }
    },
  },
  'download.checked': {
    encode: (event) => finish(proto.DownloadVerified, { infoHash: fromHex(event.infoHash), pieces: event.pieces }),
    decode: (payload) => {
      const message = proto.DownloadVerified.decode(payload)
      return { kind: 'download.checked', infoHash: fields.infoHash(message.infoHash), pieces: ranges(message.pieces) }
    },
  },
  'download.stamped': {
    encode: (event) => finish(proto.DownloadStamped, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadStamped.decode(payload)
      return {
        kind: 'download.stamped',
        infoHash: fields.infoHash(message.infoHash),
        stamps: fields
          .list(message.stamps, STAMPS_MAX, 'stamps')
          .map(({ file, stamp }) => ({ file: fields.count(file), stamp: fields.text(stamp, STAMP_BYTES_MAX, 'a stamp') })),
      }
    },
  },
  'download.changed': {
    encode: (event) => finish(proto.DownloadChanged, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadChanged.decode(payload)
      return {
        kind: 'download.changed',
        infoHash: fields.infoHash(message.infoHash),
        file: fields.count(message.file),
        path: fields.text(message.path, PATH_BYTES_MAX, 'a path'),
        how: fields.oneOf(HOW_CHANGED, message.how, 'change of a file'),
      }
    },
  },
  'download.selected': {
    encode: (event) => finish(proto.DownloadSelected, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadSelected.decode(payload)
      const priorities = fields.text(message.priorities, SELECTED_FILES_MAX, 'priorities of files')
      fields.demand(/^[0-3]*$/.test(priorities), 'a priority of a file is none of 0, 1, 2 and 3')
      return {
        kind: 'download.selected',
        infoHash: fields.infoHash(message.infoHash),
        priorities,
        others: fields.oneOf(PRIORITIES, message.others ?? 0, 'priority of files'),
        sequential: message.sequential ?? false,
        pieces: ranges(message.pieces, SELECTED_FILES_MAX),
      }
    },
  },
  'download.limited': {
    encode: (event) => finish(proto.DownloadLimited, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadLimited.decode(payload)
      return {
        kind: 'download.limited',
        infoHash: fields.infoHash(message.infoHash),
        ...rates(message),
        ...goals(message),
      }
    },
  },
  'download.sourced': {
    encode: (event) => finish(proto.DownloadSourced, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadSourced.decode(payload)
      return {
        kind: 'download.sourced',
        infoHash: fields.infoHash(message.infoHash),
        public: message.public ?? false,
        trackers: urls(message.trackers, 'trackers'),
        webSeeds: urls(message.webSeeds, 'web seeds'),
        dht: message.dht ?? false,
        local: message.local ?? false,
      }
    },
  },
  'download.transferred': {
    encode: (event) => finish(proto.DownloadTransferred, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadTransferred.decode(payload)
      return {
        kind: 'download.transferred',
        infoHash: fields.infoHash(message.infoHash),
        downloadedBytes: fields.count(message.downloadedBytes),
        uploadedBytes: fields.count(message.uploadedBytes),
      }
    },
  },
  'client.configured': {
    encode: (event) => finish(proto.ClientConfigured, event),
    decode: (payload) => {
      const message = proto.ClientConfigured.decode(payload)
      return {
        kind: 'client.configured',
        ...rates(message),
        ...goals(message),
        localDownloadBytesPerSecond: fields.count(message.localDownloadBytesPerSecond),
        localUploadBytesPerSecond: fields.count(message.localUploadBytesPerSecond),
        remoteDownloadBytesPerSecond: fields.count(message.remoteDownloadBytesPerSecond),
        remoteUploadBytesPerSecond: fields.count(message.remoteUploadBytesPerSecond),
        connectionsMax: fields.count(message.connectionsMax),
        uploadSlots: fields.count(message.uploadSlots),
        downloadsMax: fields.count(message.downloadsMax),
        seedsMax: fields.count(message.seedsMax),
        schedule: fields
          .list(message.schedule, SCHEDULE_MAX, 'scheduled rates')
          .map((each) => ({ when: fields.text(each.when, CRON_BYTES_MAX, 'a cron pattern'), ...rates(each) })),
      }
    },
  },
  'download.described': {
    encode: (event) => finish(proto.DownloadDescribed, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadDescribed.decode(payload)
      return {
        kind: 'download.described',
        infoHash: fields.infoHash(message.infoHash),
        name: message.name ?? '',
        sizeBytes: fields.count(message.sizeBytes),
        pieceCount: fields.count(message.pieceCount),
        pieceLengthBytes: fields.count(message.pieceLengthBytes),
        torrentFile: owned(message.torrentFile),
      }
    },
  },
  'download.verified': {
    encode: (event) => finish(proto.DownloadVerified, { infoHash: fromHex(event.infoHash), pieces: event.pieces }),
    decode: (payload) => {
      const message = proto.DownloadVerified.decode(payload)
      return { kind: 'download.verified', infoHash: fields.infoHash(message.infoHash), pieces: ranges(message.pieces) }
    },
  },
  'download.moving': {
    encode: ({ infoHash, directory, names }) =>
      finish(proto.DownloadMoving, {
        infoHash: fromHex(infoHash),
        directory,
        names: names.map(({ file, name }) => ({ number: file === null ? 0 : file + 1, name })),
      }),
    decode: (payload) => {
      const message = proto.DownloadMoving.decode(payload)
      return {
        kind: 'download.moving',
        infoHash: fields.infoHash(message.infoHash),
        directory: fields.text(message.directory, PATH_BYTES_MAX, 'a directory'),
        names: fields.list(message.names, NAMES_ON_DISK_MAX, 'names').map(({ number, name }) => ({
          file: fields.count(number) === 0 ? null : fields.count(number) - 1,
          name: fields.text(name, FILE_NAME_BYTES_MAX, 'a name'),
        })),
      }
    },
  },
  'download.moved': named('download.moved'),
  'download.tidied': named('download.tidied'),
  'download.completed': named('download.completed'),
  'download.paused': named('download.paused'),
  'download.resumed': named('download.resumed'),
  'download.removed': {
    encode: (event) => finish(proto.DownloadRemoved, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadRemoved.decode(payload)
      return {
        kind: 'download.removed',
        infoHash: fields.infoHash(message.infoHash),
        filesDeleted: message.filesDeleted ?? false,
      }
    },
  },
  'owner.charged': {
    encode: (event) =>
      finish(proto.OwnerCharged, {
        ...event,
        owner: fromHex(event.owner),
        infoHash: fromHex(event.infoHash),
        author: event.author === null ? new Uint8Array() : fromHex(event.author),
      }),
    decode: (payload) => {
      const message = proto.OwnerCharged.decode(payload)
      return {
        kind: 'owner.charged',
        owner: fields.node(message.owner),
        fault: fields.oneOf(FAULTS, message.fault, 'fault'),
        keyword: fields.text(message.keyword, TITLE_BYTES_MAX, 'a keyword'),
        infoHash: fields.infoHash(message.infoHash),
        author: message.author?.length ? fields.node(message.author) : null,
        authorSeq: fields.count(message.authorSeq),
      }
    },
  },
  'event.quarantined': {
    encode: (event) =>
      finish(proto.EventQuarantined, {
        ...event,
        sender: fromHex(event.sender),
        author: event.author === null ? new Uint8Array() : fromHex(event.author),
      }),
    decode: (payload) => {
      const message = proto.EventQuarantined.decode(payload)
      return {
        kind: 'event.quarantined',
        sender: fields.node(message.sender),
        reason: fields.oneOf(REASONS, message.reason, 'reason'),
        author: message.author?.length ? fields.node(message.author) : null,
        authorSeq: fields.count(message.authorSeq),
        lamport: fields.count(message.lamport),
        count: fields.count(message.count),
      }
    },
  },
}

/** The stored form of an event's payload, with its kind's number and present version. */
export function encodePayload(event: Event): { number: number; version: number; payload: Uint8Array } {
  if (event.kind === 'unknown') return { number: event.number, version: 1, payload: event.payload }
  const { number, version } = KINDS[event.kind]
  return { number, version, payload: (CODECS[event.kind] as Codec<EventKind>).encode(event) }
}

/** The two kinds that fill large logs, read by hand; undefined where the form is not the plain one. */
function plainEvent(kind: EventKind, bytes: Uint8Array, start: number, end: number): Event | undefined {
  switch (kind) {
    case 'piece.judged':
      return plainVerdict(bytes, start, end)
    case 'member.alive':
    case 'member.suspect':
    case 'member.dead':
    case 'member.refuted':
    case 'member.left':
      return plainMember(kind, bytes, start, end)
    default:
      return undefined
  }
}

/**
 * The event of the stored payload in `bytes[start..end)` that has the present version of its kind (older ones are upcast
 * first). A kind with an unknown number comes back as `unknown`.
 * @throws PayloadError if the bytes are not that message or a field is out of its range
 */
export function decodePayload(
  number: number,
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
  origin: Origin = 'arriving',
): Event {
  const kind = kindOfNumber(number)
  if (kind === undefined) return { kind: 'unknown', number, payload: owned(bytes.subarray(start, end)) }
  const plain = plainEvent(kind, bytes, start, end)
  if (plain !== undefined) return plain
  try {
    return CODECS[kind].decode(bytes.subarray(start, end), origin)
  } catch (cause) {
    if (cause instanceof PayloadError) throw cause
    throw new PayloadError(`not a ${kind} message`, { cause })
  }
}
