import type { Rc4 } from './rc4.ts'

// What both sides of the handshake share: its messages, their bounds, and what comes of them.
//
//   1  initiator -> responder   Ya, pad A
//   2  responder -> initiator   Yb, pad B
//   3  initiator -> responder   HASH('req1', S), HASH('req2', SKEY) xor HASH('req3', S),
//                               RC4(VC, crypto_provide, len(pad C), pad C, len(IA)), RC4(IA)
//   4  responder -> initiator   RC4(VC, crypto_select, len(pad D), pad D), then its stream by the method selected
//   5  initiator -> responder   its stream by the method selected
//
// The lengths of pads A and B are said nowhere: the other side finds the end by looking for what must follow.
// Source: the Message Stream Encryption specification of Azureus (Vuze), as libtorrent 2.0 and Transmission speak it.

/** How the stream goes on behind the handshake, which itself is always encrypted. */
export type MseMethod = 'plaintext' | 'rc4'
export type MseMethods = MseMethod | 'both'

export type RandomBytes = (count: number) => Uint8Array

/**
 * What came of some bytes. `send` goes out before anything else. A `done` handshake hands over: `incoming` is the start of
 * the peer's stream, already in the clear; with method rc4 everything after it goes through `decrypt`, and everything we
 * send through `encrypt`. A `failed` one is a connection to close; the reason is for the operator, not for the peer.
 */
export type MseStep =
  | { state: 'more'; send?: Uint8Array }
  | {
      state: 'done'
      send?: Uint8Array
      infoHash: Uint8Array
      method: MseMethod
      incoming: Uint8Array
      decrypt?: Rc4
      encrypt?: Rc4
    }
  | Failed

export type Failed = { state: 'failed'; reason: string; send?: undefined }
export const failed = (reason: string): Failed => ({ state: 'failed', reason })

/** The specification's bound. It is also what a peer that sends noise can make us hold before we hang up. */
export const PAD_BYTES_MAX = 512
/** Two bytes say its length. */
export const INITIAL_PAYLOAD_BYTES_MAX = 65_535
/** VC, the verification constant: eight zeros, that the other side can only have encrypted if it has our secret. */
export const VC_BYTES = 8
/** VC, crypto_provide or crypto_select, and the length of the pad behind them. */
export const HEAD_BYTES = VC_BYTES + 4 + 2

const BITS: Record<MseMethods, number> = { plaintext: 1, rc4: 2, both: 3 }

export const bitsOf = (methods: MseMethods): number => BITS[methods]

/** The method a responder selects: plaintext, which costs nothing, where both sides take it. */
export function methodOf(bits: number): MseMethod | undefined {
  if ((bits & BITS.plaintext) !== 0) return 'plaintext'
  return (bits & BITS.rc4) !== 0 ? 'rc4' : undefined
}

/** Of a pad: 0 to 512, of two random bytes. */
function padLength(randomBytes: RandomBytes): number {
  const [high = 0, low = 0] = randomBytes(2)
  return ((high << 8) | low) % (PAD_BYTES_MAX + 1)
}

/** Behind a key: noise, so that its end cannot be seen from outside. */
export const noisePad = (randomBytes: RandomBytes): Uint8Array => randomBytes(padLength(randomBytes))

/**
 * VC, the methods and a pad, as both sides send them, not yet encrypted. This pad is zeros, as the specification asks (a
 * later one may give them a meaning); it still has a random length, which hides where the payload starts.
 */
export function head(bits: number, randomBytes: RandomBytes): Uint8Array {
  const padBytes = padLength(randomBytes)
  const bytes = new Uint8Array(HEAD_BYTES + padBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(VC_BYTES, bits)
  view.setUint16(VC_BYTES + 4, padBytes)
  return bytes
}

/** @param decrypted 14 bytes */
export function readHead(decrypted: Uint8Array): { isVerified: boolean; bits: number; padBytes: number } {
  const view = new DataView(decrypted.buffer, decrypted.byteOffset, decrypted.byteLength)
  const isVerified = decrypted.subarray(0, VC_BYTES).every((byte) => byte === 0)
  return { isVerified, bits: view.getUint32(VC_BYTES), padBytes: view.getUint16(VC_BYTES + 4) }
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
