import { extended, message, uint32 } from '../raw-peer.ts'
import type { Draw } from './draw.ts'
import { mangledBencode } from './mangled-bencode.ts'

// Messages of BEP 3, 6, 9, 10 and 54, from what an honest peer would say to what nobody should. How wild they are is said
// for a whole conversation: the bounds of a client end a wild one soon, and a tame one gets deep.

/** What a hostile peer knows of the torrent it is in. */
export type MangledTorrent = {
  /** 20 bytes. */
  readonly infoHash: Uint8Array
  readonly pieceCount: number
  readonly pieceBytes: number
}

const BLOCK_BYTES = 16_384
const METADATA_BYTES = [1, 16_384, 16_385, 40_000, 10_000_000]

type Maker = (draw: Draw, torrent: MangledTorrent, wild: number) => Uint8Array

const index: (draw: Draw, torrent: MangledTorrent, wild: number) => number = (draw, { pieceCount }, wild) =>
  draw.chance(wild) ? draw.edge() : draw.below(pieceCount)

const offset = (draw: Draw, { pieceBytes }: MangledTorrent, wild: number): number =>
  draw.chance(wild) ? draw.edge() : BLOCK_BYTES * draw.below(Math.max(1, pieceBytes / BLOCK_BYTES))

const lengthOf = (draw: Draw, wild: number): number => (draw.chance(wild) ? draw.edge() : BLOCK_BYTES)

const bare =
  (id: number): Maker =>
  () =>
    message(id)

const named =
  (id: number): Maker =>
  (draw, torrent, wild) =>
    message(id, index(draw, torrent, wild))

const block =
  (id: number): Maker =>
  (draw, torrent, wild) =>
    message(id, index(draw, torrent, wild), offset(draw, torrent, wild), lengthOf(draw, wild))

const bitfield: Maker = (draw, { pieceCount }, wild) => {
  const bytes = draw.chance(wild) ? draw.below(2_000) : Math.ceil(pieceCount / 8)
  const bits = draw.chance(0.2) ? draw.bytes(bytes) : new Uint8Array(bytes).fill(draw.of([0, 255]))
  // Spare bits are 0 unless it is wild.
  const spare = bytes * 8 - pieceCount
  if (!draw.chance(wild) && spare > 0 && spare < 8 && bytes > 0) bits[bytes - 1] = ((bits[bytes - 1] ?? 0) >> spare) << spare
  return message(5, bits)
}

const piece: Maker = (draw, torrent, wild) => {
  const bytes = draw.chance(Math.max(wild, 0.7)) ? draw.below(200) : BLOCK_BYTES
  return message(7, index(draw, torrent, wild), offset(draw, torrent, wild), new Uint8Array(bytes).fill(draw.below(256)))
}

/** The honest ones a mangled one is made of; ids of extensions are any of the first. */
const hello = (draw: Draw): string =>
  `d1:md11:lt_donthavei${draw.below(4)}e7:p2pt_idi${draw.below(4)}e11:ut_metadatai${draw.below(4)}ee13:metadata_sizei${draw.of(METADATA_BYTES)}e4:reqqi${draw.of([0, 1, 250, 65_536])}e1:v4:teste`

const extendedHandshake: Maker = (draw, _, wild) =>
  extended(0, draw.chance(Math.max(wild, 0.1)) ? mangledBencode(draw, hello(draw)) : hello(draw))

const metadata: Maker = (draw, _, wild) => {
  const type = draw.chance(wild) ? draw.below(256) : draw.below(3)
  const at = draw.chance(wild) ? draw.edge() : draw.below(3)
  const size = draw.of(METADATA_BYTES)
  const head = `d8:msg_typei${type}e5:piecei${at}e${type === 1 ? `10:total_sizei${size}e` : ''}e`
  const said = draw.chance(Math.max(wild, 0.1)) ? mangledBencode(draw, head) : Buffer.from(head)
  const data = type === 1 ? new Uint8Array(draw.chance(wild) ? draw.below(20_000) : Math.min(BLOCK_BYTES, size)) : []
  return extended(draw.below(4), Buffer.concat([said, Uint8Array.from(data)]))
}

const donthave: Maker = (draw, torrent, wild) => extended(1 + draw.below(4), uint32(index(draw, torrent, wild)))

const identity: Maker = (draw, _, wild) => extended(1 + draw.below(4), draw.bytes(draw.chance(wild) ? draw.below(200) : 96))

const unknown: Maker = (draw) => message(draw.below(256), draw.bytes(draw.below(40)))

/** A prefix that lies about what follows. */
const lying: Maker = (draw) => Buffer.concat([uint32(draw.edge()), draw.bytes(draw.below(60))])

const keepAlive: Maker = () => new Uint8Array(4)

/** An honest id with a payload of another length. */
const odd: Maker = (draw) => message(draw.of([0, 1, 2, 3, 4, 6, 7, 8, 13, 14, 15, 16, 17, 20]), draw.bytes(draw.below(20)))

const TAME: readonly Maker[] = [
  ...[0, 1, 2, 3].map(bare),
  ...[4, 4, 13, 17].map(named),
  ...[6, 6, 8, 16].map(block),
  ...[bitfield, piece, piece, extendedHandshake, extendedHandshake, metadata, metadata, donthave, identity, keepAlive],
]
const WILD: readonly Maker[] = [lying, odd, odd, unknown, bare(14), bare(15)]

/** One message with its length prefix. @param wild share of its fields that are out of bounds, 0 to 1 */
export function mangledMessage(draw: Draw, torrent: MangledTorrent, wild: number): Uint8Array {
  return (draw.chance(wild / 2) ? draw.of(WILD) : draw.of(TAME))(draw, torrent, wild)
}
