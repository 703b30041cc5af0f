import { decodePrefix, type Encodable, encode } from '../bencode.ts'

// The info dictionary in pieces (ut_metadata, BEP 9). All of it is taken from one peer: where it does not hash right, it is
// known who made it up.

export const METADATA_PIECE_BYTES = 16_384

export const METADATA = { request: 0, data: 1, reject: 2 } as const

export type MetadataMessage = { readonly type: number; readonly piece: number; readonly block: Uint8Array }

/** Of a payload that metadata-bounds.ts has passed. */
export function decodeMetadataMessage(payload: Uint8Array): MetadataMessage {
  const { value, end } = decodePrefix(payload)
  const number = (name: string): number => {
    const said = value instanceof Map ? value.get(name) : undefined
    return typeof said === 'number' ? said : -1
  }
  return { type: number('msg_type'), piece: number('piece'), block: payload.subarray(end) }
}

export function encodeMetadataMessage(
  type: number,
  piece: number,
  data?: { totalBytes: number; block: Uint8Array },
): Uint8Array {
  const said: { [key: string]: Encodable } = { msg_type: type, piece }
  if (data === undefined) return encode(said)
  const head = encode({ ...said, total_size: data.totalBytes })
  const bytes = new Uint8Array(head.length + data.block.length)
  bytes.set(head)
  bytes.set(data.block, head.length)
  return bytes
}

/** The piece of an info dictionary that a request names; undefined beyond its end. */
export function metadataPiece(info: Uint8Array, piece: number): Uint8Array | undefined {
  const from = piece * METADATA_PIECE_BYTES
  return from < info.length ? info.subarray(from, from + METADATA_PIECE_BYTES) : undefined
}

/** Asked of a peer at a time. */
const ASKED_AT_A_TIME = 8

/** One peer's info dictionary while it comes. */
export class MetadataFetch {
  readonly bytes: Uint8Array
  readonly #here: Uint8Array
  #next = 0
  #asked = 0
  #missing: number

  constructor(totalBytes: number) {
    this.bytes = new Uint8Array(totalBytes)
    this.#missing = Math.ceil(totalBytes / METADATA_PIECE_BYTES)
    this.#here = new Uint8Array(this.#missing)
  }

  /** The pieces to ask for now. */
  ask(): number[] {
    const pieces: number[] = []
    while (this.#asked < ASKED_AT_A_TIME && this.#next < this.#here.length) {
      pieces.push(this.#next++)
      this.#asked++
    }
    return pieces
  }

  /** @returns true once all of it is here */
  data(piece: number, block: Uint8Array): boolean {
    if (piece >= this.#next || this.#here[piece] === 1) return false
    this.#here[piece] = 1
    this.bytes.set(block, piece * METADATA_PIECE_BYTES)
    this.#asked--
    return --this.#missing === 0
  }
}
