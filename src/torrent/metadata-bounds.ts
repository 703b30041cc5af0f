import type { Bencoded, BencodedDictionary } from './bencode.ts'
import { decodePrefix } from './bencode.ts'

// What a ut_metadata message may be (BEP 9), measured by the size of the metadata that its sender announced, and by ours.
// What passes is written anew: webtorrent looks for the end of the dictionary by the first "ee" in it, read as UTF-8, and
// would see another piece than the one that was checked here.

const METADATA_PIECE_BYTES = 16_384
/** Where ut_metadata itself stops. */
export const METADATA_BYTES_MAX = 10_000_000

/** Sizes of the info dictionary; undefined while unknown. */
export type MetadataSizes = {
  /** What the peer announced (`metadata_size`, BEP 9). */
  readonly theirBytes: number | undefined
  /** Undefined until we have it. */
  readonly ourBytes: number | undefined
}

/** `rewritten`: the payload that webtorrent gets instead. `late`: honest, and of no use any more. */
export type MetadataRuling = { rewritten: Uint8Array } | 'late' | { violation: string }

const REQUEST = 0
const DATA = 1
const REJECT = 2

const violation = (what: string): MetadataRuling => ({ violation: what })

const pieceCountOf = (bytes: number): number => Math.ceil(bytes / METADATA_PIECE_BYTES)

/** Rules on the payload of one ut_metadata message: a dictionary, then in one with data a block of the metadata. */
export function ruleMetadata(payload: Uint8Array, sizes: MetadataSizes): MetadataRuling {
  const read = prefixOf(payload)
  if (!(read?.value instanceof Map)) return violation('malformed ut_metadata message')
  const head: BencodedDictionary = read.value
  const type = head.get('msg_type')
  const piece = head.get('piece')
  if (typeof type !== 'number') return violation('ut_metadata message without a type')
  if (typeof piece !== 'number') return violation('ut_metadata message without a piece')
  const bytes = type === REQUEST ? (sizes.ourBytes ?? METADATA_BYTES_MAX) : sizes.theirBytes
  if (bytes === undefined) return violation('ut_metadata answer of a peer that announced no metadata')
  if (piece < 0 || piece >= pieceCountOf(bytes)) return violation('ut_metadata piece out of range')
  switch (type) {
    case REQUEST:
    case REJECT:
      return { rewritten: text(`d8:msg_typei${type}e5:piecei${piece}ee`) }
    case DATA:
      return ruleData(piece, payload.subarray(read.end), head.get('total_size'), bytes, sizes.ourBytes)
    default:
      // BEP 9: unknown types are ignored.
      return 'late'
  }
}

function ruleData(
  piece: number,
  block: Uint8Array,
  totalBytes: Bencoded | undefined,
  theirBytes: number,
  ourBytes: number | undefined,
): MetadataRuling {
  if (totalBytes !== undefined && totalBytes !== theirBytes) return violation('ut_metadata data of another size than announced')
  const expectedBytes = Math.min(METADATA_PIECE_BYTES, theirBytes - piece * METADATA_PIECE_BYTES)
  if (block.length !== expectedBytes) {
    return violation(`ut_metadata data of ${block.length} bytes where ${expectedBytes} are right`)
  }
  // Another peer was quicker.
  if (ourBytes !== undefined) return 'late'
  const head = text(`d8:msg_typei${DATA}e5:piecei${piece}e10:total_sizei${theirBytes}ee`)
  const rewritten = new Uint8Array(head.length + block.length)
  rewritten.set(head)
  rewritten.set(block, head.length)
  return { rewritten }
}

function prefixOf(payload: Uint8Array): { value: Bencoded; end: number } | undefined {
  try {
    return decodePrefix(payload)
  } catch {
    return undefined
  }
}

const text = (ascii: string): Uint8Array => new TextEncoder().encode(ascii)
