import type { Metainfo } from './metainfo.ts'

/** A file of a torrent and where its bytes stand among all of them. */
export type LaidFile = {
  /** Place in the torrent, from 0. */
  index: number
  path: readonly string[]
  /** As the torrent has it, which is what others call it. */
  ownPath: readonly string[]
  offset: number
  length: number
  padding: boolean
}
/** A run of bytes inside one file, and where they stand in the piece. */
export type Span = { file: LaidFile; fileOffset: number; pieceOffset: number; length: number }

const LAYOUTS = new WeakMap<object, FileLayout>()

/** The layout of a torrent, one for all that ask: it may have 65,536 files. */
export function layoutOf(metainfo: Pick<Metainfo, 'files' | 'pieceLengthBytes'>): FileLayout {
  const known = LAYOUTS.get(metainfo)
  if (known !== undefined) return known
  const layout = new FileLayout(metainfo)
  LAYOUTS.set(metainfo, layout)
  return layout
}

/** How pieces and files overlap. */
export class FileLayout {
  readonly files: readonly LaidFile[]
  readonly #pieceLengthBytes: number

  constructor(metainfo: Pick<Metainfo, 'files' | 'pieceLengthBytes'>) {
    this.#pieceLengthBytes = metainfo.pieceLengthBytes
    let offset = 0
    this.files = metainfo.files.map(({ path, ownPath = path, lengthBytes, padding }, index) => {
      const file = { index, path, ownPath, offset, length: lengthBytes, padding }
      offset += lengthBytes
      return file
    })
  }

  /** The parts of a run of bytes of one piece. @throws RangeError beyond the last file */
  *spans(piece: number, offset: number, length: number): Generator<Span> {
    let at = piece * this.#pieceLengthBytes + offset
    const end = at + length
    for (let place = this.#fileAt(at); at < end; place++) {
      const file = this.files[place]
      if (file === undefined) throw new RangeError('outside of the torrent')
      const run = Math.min(file.offset + file.length, end) - at
      if (run <= 0) continue
      yield { file, fileOffset: at - file.offset, pieceOffset: at - piece * this.#pieceLengthBytes, length: run }
      at += run
    }
  }

  /** First and last piece with bytes of this file; undefined where it has no byte. */
  piecesOf({ offset, length }: LaidFile): { first: number; last: number } | undefined {
    if (length === 0) return undefined
    return {
      first: Math.floor(offset / this.#pieceLengthBytes),
      last: Math.floor((offset + length - 1) / this.#pieceLengthBytes),
    }
  }

  /** How many bytes of a file are in such pieces. */
  bytesIn(file: LaidFile, isIn: (piece: number) => boolean): number {
    const pieces = this.piecesOf(file)
    if (pieces === undefined) return 0
    let bytes = 0
    for (let index = pieces.first; index <= pieces.last; index++) {
      if (!isIn(index)) continue
      bytes += Math.min(this.endOf(index), file.offset + file.length) - Math.max(index * this.#pieceLengthBytes, file.offset)
    }
    return bytes
  }

  /** The first byte after a piece. */
  endOf(piece: number): number {
    return (piece + 1) * this.#pieceLengthBytes
  }

  /** Binary search: the last file that starts at or before this byte. */
  #fileAt(byte: number): number {
    let low = 0
    let high = this.files.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.files[middle]?.offset ?? 0) <= byte) low = middle
      else high = middle - 1
    }
    return low
  }
}
