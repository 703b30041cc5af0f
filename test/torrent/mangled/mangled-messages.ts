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

/** What a peer has to say alike on one connection. */
export type Manner = {
  readonly torrent: MangledTorrent
  /** Share of the fields that are out of bounds, 0 to 1. */
  readonly wild: number
  /** Of the info dictionary as it announces it. */
  readonly metadataBytes: number
}

export const mannerOf = (draw: Draw, torrent: MangledTorrent): Manner => ({
  ...{ torrent, wild: draw.of(WILDNESS), metadataBytes: draw.of(METADATA_BYTES) },
})

const WILDNESS = [0, 0.002, 0.01, 0.05, 0.2, 0.6]

type Maker = (draw: Draw, manner: Manner) => Uint8Array

const index: (draw: Draw, manner: Manner) => number = (draw, { torrent, wild }) =>
  draw.chance(wild) ? draw.edge() : draw.below(torrent.pieceCount)

const offset = (draw: Draw, { torrent, wild }: Manner): number =>
  draw.chance(wild) ? draw.edge() : BLOCK_BYTES * draw.below(Math.max(1, torrent.pieceBytes / BLOCK_BYTES))

const lengthOf = (draw: Draw, { wild }: Manner): number => (draw.chance(wild) ? draw.edge() : BLOCK_BYTES)

/** Our id of an extension, or another. */
const idOf = (draw: Draw, { wild }: Manner, id: number): number => (draw.chance(wild) ? draw.below(6) : id)

const bare =
  (id: number): Maker =>
  () =>
    message(id)

const named =
  (id: number): Maker =>
  (draw, manner) =>
    message(id, index(draw, manner))

const block =
  (id: number): Maker =>
  (draw, manner) =>
    message(id, index(draw, manner), offset(draw, manner), lengthOf(draw, manner))

const bitfield: Maker = (draw, { torrent: { pieceCount }, wild }) => {
  const bytes = draw.chance(wild) ? draw.below(2_000) : Math.ceil(pieceCount / 8)
  const bits = draw.chance(0.2) ? draw.bytes(bytes) : new Uint8Array(bytes).fill(draw.of([0, 255]))
  // Spare bits are 0 unless it is wild.
  const spare = bytes * 8 - pieceCount
  if (!draw.chance(wild) && spare > 0 && spare < 8 && bytes > 0) bits[bytes - 1] = ((bits[bytes - 1] ?? 0) >> spare) << spare
  return message(5, bits)
}

const piece: Maker = (draw, manner) => {
  const bytes = draw.chance(0.7) ? draw.below(200) : BLOCK_BYTES
  return message(7, index(draw, manner), offset(draw, manner), new Uint8Array(bytes).fill(draw.below(256)))
}

/** Ids of extensions are any of the first. */
const hello = (draw: Draw, { metadataBytes }: Manner): string =>
  `d1:md11:lt_donthavei${draw.below(4)}e7:p2pt_idi${draw.below(4)}e11:ut_metadatai${draw.below(4)}e6:ut_pexi${draw.below(5)}ee13:metadata_sizei${metadataBytes}e4:reqqi${draw.of([0, 1, 250, 65_536])}e1:v4:teste`

/** What its connection begins with, where most of the rest is to mean anything. */
export const opening: Maker = (draw, manner) =>
  extended(0, draw.chance(manner.wild) ? mangledBencode(draw, hello(draw, manner)) : hello(draw, manner))

const metadata: Maker = (draw, manner) => {
  const { wild, metadataBytes } = manner
  const pieces = Math.ceil(metadataBytes / BLOCK_BYTES)
  const type = draw.chance(wild) ? draw.below(256) : draw.below(3)
  const at = draw.chance(wild) ? draw.edge() : draw.below(type === 0 ? 1 : Math.min(3, pieces))
  const head = `d8:msg_typei${type}e5:piecei${at}e${type === 1 ? `10:total_sizei${metadataBytes}e` : ''}e`
  const said = draw.chance(wild) ? mangledBencode(draw, head) : Buffer.from(head)
  const right = Math.max(0, Math.min(BLOCK_BYTES, metadataBytes - at * BLOCK_BYTES))
  const data = new Uint8Array(type !== 1 ? 0 : draw.chance(wild) ? draw.below(20_000) : right)
  return extended(idOf(draw, manner, 1), Buffer.concat([said, data]))
}

const donthave: Maker = (draw, manner) => extended(idOf(draw, manner, 2), uint32(index(draw, manner)))

const identity: Maker = (draw, manner) => extended(idOf(draw, manner, 3), draw.bytes(draw.chance(0.3) ? draw.below(200) : 96))

/** Of peers that nobody should dial, or that are none. */
export function mangledExchange(draw: Draw, wild: number): Uint8Array {
  const peers = (bytes: number): string => {
    const count = draw.chance(wild) ? draw.below(400) : draw.below(20)
    const length = count * bytes + (draw.chance(wild) ? draw.below(bytes) : 0)
    return `${length}:${Buffer.from(draw.bytes(length)).toString('latin1')}`
  }
  const honest = `d5:added${peers(6)}7:added.f2:ab6:added6${peers(18)}7:dropped${peers(6)}e`
  return draw.chance(wild) ? mangledBencode(draw, honest) : Buffer.from(honest, 'latin1')
}

const exchange: Maker = (draw, manner) => extended(idOf(draw, manner, 4), mangledExchange(draw, manner.wild))

const unknown: Maker = (draw) => message(20 + draw.below(236), draw.bytes(draw.below(40)))

/** A prefix that lies about what follows. */
const lying: Maker = (draw) => Buffer.concat([uint32(draw.edge()), draw.bytes(draw.below(60))])

const keepAlive: Maker = () => new Uint8Array(4)

/** An honest id with a payload of another length. */
const odd: Maker = (draw) => message(draw.of([0, 1, 2, 3, 4, 6, 7, 8, 13, 14, 15, 16, 17, 20]), draw.bytes(draw.below(20)))

const TAME: readonly Maker[] = [
  ...[0, 1, 2, 3].map(bare),
  ...[4, 4, 13, 17].map(named),
  ...[6, 6, 8, 16].map(block),
  ...[bitfield, piece, piece, metadata, metadata, donthave, keepAlive],
]
/** Sixteen are allowed. */
const SELDOM: readonly Maker[] = [exchange, opening, bare(14), unknown]
const WILD: readonly Maker[] = [lying, odd, odd, identity, bare(14), bare(15)]

/** One message with its length prefix. */
export function mangledMessage(draw: Draw, manner: Manner): Uint8Array {
  const makers = draw.chance(manner.wild / 2) ? WILD : draw.chance(0.02) ? SELDOM : TAME
  return draw.of(makers)(draw, manner)
}
