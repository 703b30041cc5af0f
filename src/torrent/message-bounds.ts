import type { Bencoded } from './bencode.ts'
import { decode } from './bencode.ts'
import { METADATA_BYTES_MAX, ruleMetadata } from './metadata-bounds.ts'
import type { PieceClaims } from './piece-claims.ts'

// What one message of a peer may be (BEP 3, 6, 9, 10), decided before webtorrent sees it. Three of the refusals below
// ended the whole process from outside; a fourth, a negative length in bencode, held its event loop for ever.

/**
 * A length beyond this closes the connection before a byte is buffered. The largest honest messages are a bitfield of
 * 262,144 pieces (32 KiB) and a block of 128 KiB, where BEP 3 lets a client hang up.
 */
export const MESSAGE_BYTES_MAX = 256 * 1024
const HANDSHAKE_BYTES_MAX = 64 * 1024
/** Each may add names to a map. */
const HANDSHAKES_MAX = 16
/** Where BEP 3 lets a client hang up. */
const BLOCK_BYTES_MAX = 128 * 1024
const DONTHAVE_BYTES = 4

/** What the connection has said so far, and what is known of its torrent. */
export type ConversationState = {
  /** undefined until the metainfo is known */
  pieceCount: number | undefined
  /** Bytes of one piece, by index. */
  pieceBytes(index: number): number
  claims: PieceClaims
  extendedHandshakes: number
  /** Of the info dictionary as we have it; undefined until then. */
  ourMetadataBytes: number | undefined
  /** Of the info dictionary as the peer announced it (BEP 9); undefined until then. */
  theirMetadataBytes: number | undefined
  /** Our ids of extensions, as we announced them (BEP 10). */
  extensionName(id: number): string | undefined
}

/** `drop`: ignored, the connection stays. A `violation` closes it. `rewritten` is the message to take instead of this one. */
export type Ruling = 'take' | 'drop' | { rewritten: Uint8Array } | { violation: string }

const violation = (what: string): Ruling => ({ violation: what })
const unless = (problem: string | undefined): Ruling => (problem === undefined ? 'take' : violation(problem))

const LENGTHS: ReadonlyMap<number, { name: string; bytes: number }> = new Map([
  [0, { name: 'choke', bytes: 1 }],
  [1, { name: 'unchoke', bytes: 1 }],
  [2, { name: 'interested', bytes: 1 }],
  [3, { name: 'not interested', bytes: 1 }],
  [4, { name: 'have', bytes: 5 }],
  [6, { name: 'request', bytes: 13 }],
  [8, { name: 'cancel', bytes: 13 }],
  [13, { name: 'suggest', bytes: 5 }],
  [14, { name: 'have all', bytes: 1 }],
  [15, { name: 'have none', bytes: 1 }],
  [16, { name: 'reject', bytes: 13 }],
  [17, { name: 'allowed fast', bytes: 5 }],
])

/** Rules on one message: its id and payload, without the length prefix. Updates `state`. */
export function rule(message: Uint8Array, state: ConversationState): Ruling {
  const id = message[0] ?? -1
  const exact = LENGTHS.get(id)
  if (exact !== undefined && message.length !== exact.bytes) return violation(`${exact.name} of ${message.length} bytes`)
  switch (id) {
    case 4:
    case 13:
    case 17:
      return unless(state.claims.names(uint32(message, 1), exact?.name ?? '', state.pieceCount))
    case 5:
      return unless(state.claims.bitfield(message.subarray(1), state.pieceCount))
    case 6:
      return request(message, state)
    case 7:
      return message.length < 9 ? violation('piece without a block') : 'take'
    case 8:
      // A request that was taken is answered: see block-server.
      return 'drop'
    case 9:
      // PORT would bring nodes of the public DHT into the private one.
      return 'drop'
    case 14:
      return unless(state.claims.haveAll())
    case 15:
      return unless(state.claims.haveNone())
    case 20:
      return extended(message, state)
    default:
      return exact === undefined ? 'drop' : 'take'
  }
}

function request(message: Uint8Array, state: ConversationState): Ruling {
  if (state.pieceCount === undefined) return 'drop'
  const index = uint32(message, 1)
  const length = uint32(message, 9)
  if (index >= state.pieceCount) return violation('request beyond the last piece')
  if (length === 0 || length > BLOCK_BYTES_MAX) return violation(`request of ${length} bytes`)
  return uint32(message, 5) + length <= state.pieceBytes(index) ? 'take' : violation('request beyond the end of its piece')
}

function extended(message: Uint8Array, state: ConversationState): Ruling {
  const id = message[1]
  if (id === undefined) return violation('extended message without an id')
  const payload = message.subarray(2)
  if (id === 0) {
    if (payload.length > HANDSHAKE_BYTES_MAX) return violation(`extended handshake of ${payload.length} bytes`)
    if (++state.extendedHandshakes > HANDSHAKES_MAX) return violation(`more than ${HANDSHAKES_MAX} extended handshakes`)
    return extendedHandshake(payload, state)
  }
  const name = state.extensionName(id)
  if (name === undefined) return 'drop'
  if (state.extendedHandshakes === 0) return violation(`${name} before the extended handshake`)
  switch (name) {
    case 'ut_metadata':
      return metadata(message, state)
    case 'lt_donthave':
      if (payload.length !== DONTHAVE_BYTES) return violation(`lt_donthave of ${payload.length} bytes`)
      return unless(state.claims.takesBack(uint32(payload, 0), state.pieceCount))
    default:
      return 'take'
  }
}

/** The dictionary of BEP 10, of which `m` must map names to small numbers. */
function extendedHandshake(payload: Uint8Array, state: ConversationState): Ruling {
  const handshake = parsed(payload)
  if (!(handshake instanceof Map)) return violation('malformed extended handshake')
  const metadataBytes: Bencoded | undefined = handshake.get('metadata_size')
  // 0 is what some clients say that have none yet. What is larger than webtorrent fetches it does not ask for.
  if (typeof metadataBytes === 'number' && metadataBytes > 0 && metadataBytes <= METADATA_BYTES_MAX) {
    state.theirMetadataBytes ??= metadataBytes
    if (metadataBytes !== state.theirMetadataBytes) return violation('another metadata size than it announced before')
  }
  const names: Bencoded | undefined = handshake.get('m')
  if (names === undefined) return 'take'
  if (!(names instanceof Map)) return violation('extended handshake without a map of names')
  for (const id of names.values()) {
    if (typeof id !== 'number' || id < 0 || id > 255) return violation('extension id out of range')
  }
  return 'take'
}

function metadata(message: Uint8Array, state: ConversationState): Ruling {
  const sizes = { theirBytes: state.theirMetadataBytes, ourBytes: state.ourMetadataBytes }
  const ruling = ruleMetadata(message.subarray(2), sizes)
  if (ruling === 'late') return 'drop'
  if ('violation' in ruling) return ruling
  const rewritten = new Uint8Array(2 + ruling.rewritten.length)
  rewritten.set(message.subarray(0, 2))
  rewritten.set(ruling.rewritten, 2)
  return { rewritten }
}

function parsed(bytes: Uint8Array): Bencoded | undefined {
  try {
    return decode(bytes)
  } catch {
    return undefined
  }
}

/** Big endian, unsigned. */
export function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at)
}
