import { BLOCK_BYTES } from './metainfo.ts'

/** Pieces are held in memory and hashed in one go: larger ones are for others to make. */
const PIECE_LENGTH_MAX = 16 * 1024 * 1024
/** Pieces a torrent should have at most: the metainfo stays below 41 KiB while it can. */
const PIECES_WANTED = 2_048

/** Piece length for a torrent of this size: the smallest power of two, 16 KiB to 16 MiB, that gives at most 2,048 pieces. */
export function pieceLengthFor(sizeBytes: number): number {
  let length = BLOCK_BYTES
  while (length < PIECE_LENGTH_MAX && length * PIECES_WANTED < sizeBytes) length *= 2
  return length
}
