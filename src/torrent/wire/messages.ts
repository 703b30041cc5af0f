// Messages of BEP 3, 6 and 10 as bytes, with their length prefix. Integers are big endian.

export const MESSAGE = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
} as const

/** Of a `piece` message before its block: length, id, index, offset. */
export const PIECE_HEADER_BYTES = 13

/** A message without a payload. */
export function encodeBare(id: number): Uint8Array {
  const bytes = new Uint8Array(5)
  bytes[3] = 1
  bytes[4] = id
  return bytes
}

export function encodeHave(index: number): Uint8Array {
  const bytes = framed(MESSAGE.have, 4)
  putUint32(bytes, 5, index)
  return bytes
}

export function encodeBitfield(bits: Uint8Array): Uint8Array {
  const bytes = framed(MESSAGE.bitfield, bits.length)
  bytes.set(bits, 5)
  return bytes
}

export function encodeExtended(id: number, payload: Uint8Array): Uint8Array {
  const bytes = framed(MESSAGE.extended, 1 + payload.length)
  bytes[5] = id
  bytes.set(payload, 6)
  return bytes
}

/** Request, cancel and reject name a block alike. */
export type NamedBlock = { readonly index: number; readonly offset: number; readonly length: number }

const BLOCK_MESSAGE_BYTES = 17

/** Several of a kind, one behind the other, for one write. */
export function encodeBlockMessages(id: number, blocks: readonly NamedBlock[]): Uint8Array {
  const bytes = new Uint8Array(BLOCK_MESSAGE_BYTES * blocks.length)
  let at = 0
  for (const { index, offset, length } of blocks) {
    bytes[at + 3] = 13
    bytes[at + 4] = id
    putUint32(bytes, at + 5, index)
    putUint32(bytes, at + 9, offset)
    putUint32(bytes, at + 13, length)
    at += BLOCK_MESSAGE_BYTES
  }
  return bytes
}

/** Writes what stands before a block into `bytes` at `at`. */
export function putPieceHeader(bytes: Uint8Array, at: number, { index, offset, length }: NamedBlock): void {
  putUint32(bytes, at, length + 9)
  bytes[at + 4] = MESSAGE.piece
  putUint32(bytes, at + 5, index)
  putUint32(bytes, at + 9, offset)
}

function framed(id: number, payloadBytes: number): Uint8Array {
  const bytes = new Uint8Array(5 + payloadBytes)
  putUint32(bytes, 0, 1 + payloadBytes)
  bytes[4] = id
  return bytes
}

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
