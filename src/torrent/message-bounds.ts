import type { Bencoded } from './bencode.ts'
import { decode, decodePrefix } from './bencode.ts'
import { PIECE_COUNT_MAX } from './metainfo.ts'

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
/** 10 MB in 16 KiB pieces, which is where ut_metadata itself stops. */
const METADATA_PIECES_MAX = 640
const BLOCK_BYTES_MAX = 128 * 1024

/** What the connection has said so far, and what is known of its torrent. */
export type ConversationState = {
  /** undefined until the metainfo is known */
  pieceCount: number | undefined
  /** Bytes of one piece, by index. */
  pieceBytes(index: number): number
  bitfieldSeen: boolean
  extendedHandshakes: number
  /** Our ids of extensions, as we announced them (BEP 10). */
  extensionName(id: number): string | undefined
}

/** `drop`: ignored, the connection stays. A `violation` closes it. */
export type Ruling = 'take' | 'drop' | { violation: string }

const violation = (what: string): Ruling => ({ violation: what })

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
      return uint32(message, 1) < (state.pieceCount ?? PIECE_COUNT_MAX)
        ? 'take'
        : violation(`${exact?.name} beyond the last piece`)
    case 5:
      return bitfield(message, state)
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
    case 20:
      return extended(message, state)
    default:
      return exact === undefined ? 'drop' : 'take'
  }
}

function bitfield(message: Uint8Array, state: ConversationState): Ruling {
  if (state.bitfieldSeen) return violation('a second bitfield')
  state.bitfieldSeen = true
  const bytes = message.length - 1
  if (state.pieceCount === undefined) {
    return bytes <= PIECE_COUNT_MAX / 8 ? 'take' : violation(`a bitfield of ${bytes} bytes`)
  }
  const expected = Math.ceil(state.pieceCount / 8)
  return bytes === expected ? 'take' : violation(`a bitfield of ${bytes} bytes where ${expected} are right`)
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
    return extendedHandshake(payload)
  }
  const name = state.extensionName(id)
  if (name === undefined) return 'drop'
  if (state.extendedHandshakes === 0) return violation(`${name} before the extended handshake`)
  return name === 'ut_metadata' ? metadata(payload) : 'take'
}

/** The dictionary of BEP 10, of which `m` must map names to small numbers. */
function extendedHandshake(payload: Uint8Array): Ruling {
  const handshake = parsed(() => decode(payload))
  if (!(handshake instanceof Map)) return violation('malformed extended handshake')
  const names: Bencoded | undefined = handshake.get('m')
  if (names === undefined) return 'take'
  if (!(names instanceof Map)) return violation('extended handshake without a map of names')
  for (const id of names.values()) {
    if (typeof id !== 'number' || id < 0 || id > 255) return violation('extension id out of range')
  }
  return 'take'
}

/** `{ msg_type, piece, total_size }`, then a block of the metadata (BEP 9). */
function metadata(payload: Uint8Array): Ruling {
  const head = parsed(() => decodePrefix(payload).value)
  if (!(head instanceof Map)) return violation('malformed ut_metadata message')
  const piece: Bencoded | undefined = head.get('piece')
  if (typeof head.get('msg_type') !== 'number') return violation('ut_metadata message without a type')
  if (typeof piece !== 'number' || piece < 0 || piece >= METADATA_PIECES_MAX) return violation('ut_metadata piece out of range')
  return 'take'
}

function parsed(read: () => Bencoded): Bencoded | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Big endian, unsigned. */
export function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at)
}
