// The first 68 bytes of a connection (BEP 3): protocol, eight reserved bytes whose bits name extensions, info hash, peer id.

export const HANDSHAKE_BYTES = 68

const PROTOCOL = Uint8Array.from('\x13BitTorrent protocol', (letter) => letter.charCodeAt(0))
const RESERVED_AT = 20
const INFO_HASH_AT = 28
const PEER_ID_AT = 48
/** Extension protocol (BEP 10): bit 20 from the right. */
const EXTENDED_BYTE = 5
const EXTENDED_BIT = 0x10
/** Fast extension (BEP 6): bit 3 from the right. */
const FAST_BYTE = 7
const FAST_BIT = 0x04

export type Handshake = {
  /** 20 bytes. */
  readonly infoHash: Uint8Array
  /** 20 bytes, chosen by the peer. */
  readonly peerId: Uint8Array
  readonly hasExtended: boolean
  readonly hasFast: boolean
}

/** Ours: it says that we speak the extension protocol and the fast extension. */
export function encodeHandshake(infoHash: Uint8Array, peerId: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_BYTES)
  bytes.set(PROTOCOL)
  bytes[RESERVED_AT + EXTENDED_BYTE] = EXTENDED_BIT
  bytes[RESERVED_AT + FAST_BYTE] = FAST_BIT
  bytes.set(infoHash, INFO_HASH_AT)
  bytes.set(peerId, PEER_ID_AT)
  return bytes
}

/** @param bytes 68 of them @returns undefined for another protocol */
export function decodeHandshake(bytes: Uint8Array): Handshake | undefined {
  if (bytes.length !== HANDSHAKE_BYTES || PROTOCOL.some((byte, at) => bytes[at] !== byte)) return undefined
  const reserved = bytes.subarray(RESERVED_AT, INFO_HASH_AT)
  return {
    infoHash: bytes.slice(INFO_HASH_AT, PEER_ID_AT),
    peerId: bytes.slice(PEER_ID_AT, HANDSHAKE_BYTES),
    hasExtended: ((reserved[EXTENDED_BYTE] ?? 0) & EXTENDED_BIT) !== 0,
    hasFast: ((reserved[FAST_BYTE] ?? 0) & FAST_BIT) !== 0,
  }
}
