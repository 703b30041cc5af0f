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
  HowChanged,
  MemberAddress,
  NodeRole,
  PieceRange,
  QuarantineReason,
} from '../model/event.ts'
import { fromHex, toHex } from '../model/hex.ts'
import { hexName } from '../model/hex-names.ts'
import { type AddressId, type InfoHash, isAddressId, isNodeId, type NodeId, type PeerId } from '../model/ids.ts'
import { isIpAddress, isMemberAddress, NO_ADDRESS } from '../model/ip-address.ts'
import { plainVerdict } from '../model/judged-payload.ts'
import { KINDS, kindOfNumber } from '../model/kinds.ts'
import { type MemberKind, plainMember } from '../model/member-payload.ts'
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

function bytesOf(value: Uint8Array | null | undefined, length: number, what: string): Uint8Array {
  if (value == null || value.length !== length) throw new PayloadError(`${what} must have ${length} bytes`)
  return value
}

const bounded = (value: Uint8Array | null | undefined, bytesMax: number, what: string): Uint8Array => {
  if ((value?.length ?? 0) > bytesMax) throw new PayloadError(`${what} has more than ${bytesMax} bytes`)
  return owned(value)
}
// A copy: what is decoded is a view of a whole segment of the log, which an event that is kept would keep in memory.
const owned = (value: Uint8Array | null | undefined): Uint8Array => new Uint8Array(value ?? [])
const node = (value: Uint8Array | null | undefined): NodeId => hexName(bytesOf(value, 32, 'a node id'), 0, 32) as NodeId
const hash = (value: Uint8Array | null | undefined): InfoHash => hexName(bytesOf(value, 20, 'an info hash'), 0, 20) as InfoHash
const count = (value: number | null | undefined): number => {
  const number = value ?? 0
  if (!Number.isSafeInteger(number) || number < 0) throw new PayloadError('a count is out of range')
  return number
}
const udpPort = (value: number | null | undefined): number => {
  const port = count(value)
  if (port > 0xffff) throw new PayloadError('a port is out of range')
  return port
}
const oneOf = <T extends string>(values: readonly T[], value: string | null | undefined, what: string): T => {
  if (!values.includes(value as T)) throw new PayloadError(`unknown ${what}`)
  return value as T
}
const text = (value: string | null | undefined, bytesMax: number, what: string): string => {
  const result = value ?? ''
  if (result.length > bytesMax) throw new PayloadError(`${what} is longer than ${bytesMax}`)
  return result
}

const ROLES: readonly NodeRole[] = ['bootstrap', 'index', 'client']
const EVIDENCE: readonly BadPieceEvidence[] = ['sole-source', 'block-differs']
const HOW_CHANGED: readonly HowChanged[] = ['gone', 'shorter', 'modified', 'bad-piece']
const REASONS: readonly QuarantineReason[] = ['clock-jump', 'bad-signature', 'malformed', 'flood', 'equivocation']

/** Longest title kept, in UTF-16 units; longer ones are refused, not cut, since the signature covers them. */
export const TITLE_LENGTH_MAX = 512
export const TAGS_MAX = 32
/** A verdict batch names at most this many runs of good pieces, and as many bad ones. */
export const PIECES_PER_VERDICT_MAX = 4096
/** Stamps of files in one event; a torrent with more files takes several. */
export const STAMPS_MAX = 4096
const STAMP_LENGTH_MAX = 64
/** A path in a torrent has at most 3,000 bytes. */
const PATH_LENGTH_MAX = 4096

type SubjectMessage = { node?: Uint8Array | null; address?: string | null }

function subjectMessage(peer: PeerId): SubjectMessage {
  return isNodeId(peer) ? { node: fromHex(peer) } : { address: peer }
}

function subject(message: SubjectMessage | null | undefined, origin: Origin): PeerId {
  if (message?.node?.length) return node(message.node)
  const address = message?.address ?? ''
  const isKnown = isAddressId(address) && address.length <= 64 && (origin === 'stored' || isIpAddress(address.slice(3)))
  if (!isKnown) throw new PayloadError('a subject is neither a node key nor an address')
  return address as AddressId
}

type RangeMessage = { first?: number | null; count?: number | null }

function ranges(messages: readonly RangeMessage[] | null | undefined): PieceRange[] {
  const list = messages ?? []
  if (list.length > PIECES_PER_VERDICT_MAX) throw new PayloadError('too many piece ranges')
  return list.map((range) => {
    const first = count(range.first)
    const length = count(range.count)
    if (length === 0 || first + length > 2 ** 32) throw new PayloadError('a piece range is empty or too long')
    return { first, count: length }
  })
}

type AddressMessage = { host?: string | null; port?: number | null; dhtPort?: number | null }

function address(message: AddressMessage, origin: Origin): MemberAddress {
  const { host, port, dhtPort } = message
  const said = { host: text(host, 255, 'a host'), port: udpPort(port), dhtPort: udpPort(dhtPort) }
  if (isMemberAddress(said)) return said
  if (origin === 'arriving') throw new PayloadError('a member has no address that can be dialled')
  return NO_ADDRESS
}

type OperatorKind = 'operator.banned' | 'operator.unbanned'
type ClaimKind = 'torrent.withdrawn' | 'torrent.verified'
type NamedKind = 'download.completed' | 'download.paused' | 'download.resumed'

const member = <K extends MemberKind>(kind: K): Codec<K> => ({
  encode: (event: EventOf<MemberKind>) => finish(proto.MemberState, { ...event, subject: fromHex(event.subject) }),
  decode: (payload, origin) => {
    const message = proto.MemberState.decode(payload)
    return {
      kind,
      subject: node(message.subject),
      incarnation: count(message.incarnation),
      role: oneOf(ROLES, message.role, 'role'),
      ...address(message, origin),
    } as EventOf<K>
  },
})

const operator = <K extends OperatorKind>(kind: K): Codec<K> => ({
  encode: (event: EventOf<OperatorKind>) =>
    finish(proto.OperatorDecision, { subject: subjectMessage(event.subject), reason: event.reason }),
  decode: (payload, origin) => {
    const message = proto.OperatorDecision.decode(payload)
    return { kind, subject: subject(message.subject, origin), reason: text(message.reason, 1024, 'a reason') } as EventOf<K>
  },
})

const claim = <K extends ClaimKind>(kind: K): Codec<K> => ({
  encode: (event: EventOf<ClaimKind>) => finish(proto.TorrentClaim, { infoHash: fromHex(event.infoHash), title: event.title }),
  decode: (payload) => {
    const message = proto.TorrentClaim.decode(payload)
    return { kind, infoHash: hash(message.infoHash), title: text(message.title, TITLE_LENGTH_MAX, 'a title') } as EventOf<K>
  },
})

const named = <K extends NamedKind>(kind: K): Codec<K> => ({
  encode: (event: EventOf<NamedKind>) => finish(proto.DownloadNamed, { infoHash: fromHex(event.infoHash) }),
  decode: (payload) => ({ kind, infoHash: hash(proto.DownloadNamed.decode(payload).infoHash) }) as EventOf<K>,
})

function badPiece(message: p2pt.events.BadPiece.$Shape): BadPiece {
  return {
    index: count(message.index),
    evidence: oneOf(EVIDENCE, message.evidence, 'evidence'),
    offset: count(message.offset),
    length: count(message.length),
    expected: toHex(bytesOf(message.expected, 20, 'a digest')),
    received: toHex(bytesOf(message.received, 20, 'a digest')),
  }
}

const CODECS: { [K in EventKind]: Codec<K> } = {
  'node.started': {
    encode: (event) => finish(proto.NodeStarted, event),
    decode: (payload) => {
      const message = proto.NodeStarted.decode(payload)
      return {
        kind: 'node.started',
        role: oneOf(ROLES, message.role, 'role'),
        software: text(message.software, 128, 'a version'),
        incarnation: count(message.incarnation),
      }
    },
  },
  'node.stopped': {
    encode: (event) => finish(proto.NodeStopped, event),
    decode: (payload) => ({ kind: 'node.stopped', reason: text(proto.NodeStopped.decode(payload).reason, 1024, 'a reason') }),
  },
  'policy.adopted': {
    encode: (event) => finish(proto.PolicyAdopted, event),
    decode: (payload) => {
      const message = proto.PolicyAdopted.decode(payload)
      const parameters = Object.fromEntries(
        Object.entries(message.parameters ?? {}).map(([name, value]) => [name, Number(value)]),
      )
      return { kind: 'policy.adopted', policy: text(message.policy, 128, 'a policy'), parameters }
    },
  },
  'network.joined': {
    encode: (event) => finish(proto.NetworkJoined, event),
    decode: (payload) => {
      const message = proto.NetworkJoined.decode(payload)
      return {
        kind: 'network.joined',
        genesis: bounded(message.genesis, GENESIS_BYTES_MAX, 'a genesis record'),
        credential: bounded(message.credential, CREDENTIAL_BYTES_MAX, 'a credential'),
      }
    },
  },
  'node.admitted': {
    encode: (event) => finish(proto.NodeAdmitted, event),
    decode: (payload) => {
      const { credential } = proto.NodeAdmitted.decode(payload)
      return { kind: 'node.admitted', credential: bounded(credential, CREDENTIAL_BYTES_MAX, 'a credential') }
    },
  },
  'access.revoked': {
    encode: (event) => finish(proto.AccessRevoked, event),
    decode: (payload) => {
      const message = proto.AccessRevoked.decode(payload)
      return {
        kind: 'access.revoked',
        revocation: bounded(message.revocation, REVOCATION_BYTES_MAX, 'a revocation'),
        ownerSignature: new Uint8Array(bytesOf(message.ownerSignature, 64, 'a signature')),
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
        subject: node(message.subject),
        beatsSeen: count(message.beatsSeen),
        beatsMissed: count(message.beatsMissed),
        roundTripMicrosMin: count(message.roundTripMicrosMin),
        roundTripMicrosMedian: count(message.roundTripMicrosMedian),
        roundTripMicrosMax: count(message.roundTripMicrosMax),
        firstAt: count(message.firstAt),
        lastAt: count(message.lastAt),
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
      const bad = message.bad ?? []
      if (bad.length > PIECES_PER_VERDICT_MAX) throw new PayloadError('too many bad pieces')
      return {
        kind: 'piece.judged',
        subject: subject(message.subject, origin),
        infoHash: hash(message.infoHash),
        good: ranges(message.good),
        bad: bad.map(badPiece),
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
        infoHash: hash(message.infoHash),
        index: count(message.index),
        sources: (message.sources ?? []).map((source) => subject(source, origin)),
      }
    },
  },
  'torrent.published': {
    encode: (event) => finish(proto.TorrentPublished, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.TorrentPublished.decode(payload)
      const tags = message.tags ?? []
      if (tags.length > TAGS_MAX) throw new PayloadError(`more than ${TAGS_MAX} tags`)
      return {
        kind: 'torrent.published',
        infoHash: hash(message.infoHash),
        title: text(message.title, TITLE_LENGTH_MAX, 'a title'),
        sizeBytes: count(message.sizeBytes),
        fileCount: count(message.fileCount),
        tags: tags.map((tag) => text(tag, 64, 'a tag')),
      }
    },
  },
  'torrent.withdrawn': claim('torrent.withdrawn'),
  'torrent.verified': claim('torrent.verified'),
  'download.added': {
    encode: (event) => finish(proto.DownloadAdded, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadAdded.decode(payload)
      return {
        kind: 'download.added',
        infoHash: hash(message.infoHash),
        name: message.name ?? '',
        title: message.title ?? '',
        directory: message.directory ?? '',
        origin: oneOf(['download', 'publish'] as const, message.origin, 'origin'),
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
      return { kind: 'download.checked', infoHash: hash(message.infoHash), pieces: ranges(message.pieces) }
    },
  },
  'download.stamped': {
    encode: (event) => finish(proto.DownloadStamped, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadStamped.decode(payload)
      const stamps = message.stamps ?? []
      if (stamps.length > STAMPS_MAX) throw new PayloadError('too many stamps')
      return {
        kind: 'download.stamped',
        infoHash: hash(message.infoHash),
        stamps: stamps.map(({ file, stamp }) => ({ file: count(file), stamp: text(stamp, STAMP_LENGTH_MAX, 'a stamp') })),
      }
    },
  },
  'download.changed': {
    encode: (event) => finish(proto.DownloadChanged, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadChanged.decode(payload)
      return {
        kind: 'download.changed',
        infoHash: hash(message.infoHash),
        file: count(message.file),
        path: text(message.path, PATH_LENGTH_MAX, 'a path'),
        how: oneOf(HOW_CHANGED, message.how, 'change of a file'),
      }
    },
  },
  'download.described': {
    encode: (event) => finish(proto.DownloadDescribed, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadDescribed.decode(payload)
      return {
        kind: 'download.described',
        infoHash: hash(message.infoHash),
        name: message.name ?? '',
        sizeBytes: count(message.sizeBytes),
        pieceCount: count(message.pieceCount),
        pieceLengthBytes: count(message.pieceLengthBytes),
        torrentFile: owned(message.torrentFile),
      }
    },
  },
  'download.verified': {
    encode: (event) => finish(proto.DownloadVerified, { infoHash: fromHex(event.infoHash), pieces: event.pieces }),
    decode: (payload) => {
      const message = proto.DownloadVerified.decode(payload)
      return { kind: 'download.verified', infoHash: hash(message.infoHash), pieces: ranges(message.pieces) }
    },
  },
  'download.completed': named('download.completed'),
  'download.paused': named('download.paused'),
  'download.resumed': named('download.resumed'),
  'download.removed': {
    encode: (event) => finish(proto.DownloadRemoved, { ...event, infoHash: fromHex(event.infoHash) }),
    decode: (payload) => {
      const message = proto.DownloadRemoved.decode(payload)
      return { kind: 'download.removed', infoHash: hash(message.infoHash), filesDeleted: message.filesDeleted ?? false }
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
        sender: node(message.sender),
        reason: oneOf(REASONS, message.reason, 'reason'),
        author: message.author?.length ? node(message.author) : null,
        authorSeq: count(message.authorSeq),
        lamport: count(message.lamport),
        count: count(message.count),
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
