import { message } from '../raw-peer.ts'
import type { Draw } from './draw.ts'
import { type MangledTorrent, mangledMessage, mannerOf, opening } from './mangled-messages.ts'

// What a hostile peer says on one connection: a handshake, right or not, and messages; and where its bytes are cut.

/** Of messages in one connection: one that breaks no rule goes on for long, another ends soon. */
const MESSAGES_MAX = { tame: 400, wild: 60 }
const HANDSHAKE_BYTES = 68
const EXTENDED_BYTE = 25
const FAST_BYTE = 27

export type MangledTalk = { readonly handshake: Uint8Array; readonly messages: readonly Uint8Array[] }

/** @param torrents those that the client under test may have open */
export function mangledTalk(
  draw: Draw,
  torrents: readonly MangledTorrent[],
): MangledTalk & { readonly torrent: MangledTorrent } {
  const torrent = draw.of(torrents)
  const manner = mannerOf(draw, torrent)
  const first = [
    ...(draw.chance(0.9) ? [opening(draw, manner)] : []),
    ...(draw.chance(0.3) ? [message(14), message(1)] : []),
    ...(draw.chance(0.3) ? [message(2)] : []),
  ]
  const count = 1 + draw.below(manner.wild < 0.02 ? MESSAGES_MAX.tame : MESSAGES_MAX.wild)
  const messages = [...first, ...Array.from({ length: count }, () => mangledMessage(draw, manner))]
  return { torrent, handshake: mangledHandshake(draw, torrent), messages }
}

/** Right in nine of ten. */
export function mangledHandshake(draw: Draw, { infoHash }: MangledTorrent): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_BYTES)
  bytes.set(Buffer.from('\u0013BitTorrent protocol'))
  if (!draw.chance(0.1)) bytes[EXTENDED_BYTE] = 0x10
  if (!draw.chance(0.1)) bytes[FAST_BYTE] = 0x04
  bytes.set(infoHash, 28)
  bytes.set(draw.bytes(20), 48)
  if (!draw.chance(0.1)) return bytes
  if (draw.chance(0.3)) return bytes.subarray(0, draw.below(HANDSHAKE_BYTES))
  for (let changes = 1 + draw.below(3); changes > 0; changes--) bytes[draw.below(HANDSHAKE_BYTES)] = draw.below(256)
  return bytes
}

/** Cut at places that nobody chose: all in one, in a few, or byte by byte at first. */
export function fragments(draw: Draw, bytes: Uint8Array): Uint8Array[] {
  if (draw.chance(0.2)) return [bytes]
  const parts: Uint8Array[] = []
  const [first, later] = draw.of([
    [1, 1_500],
    [60, 1_500],
    [1_500, 1_500],
    [1_500, 16_384],
    [16_384, 65_536],
  ] as const)
  for (let at = 0; at < bytes.length; ) {
    // Where most is decided the cuts are the closest.
    const size = 1 + draw.below(at < 150 ? first : at < 4_000 ? later : 65_536)
    parts.push(bytes.subarray(at, at + size))
    at += size
  }
  return parts
}
