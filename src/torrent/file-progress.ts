import type { PieceRange } from '../events/index.ts'
import { type FileLayout, layoutOf } from './file-layout.ts'
import type { Metainfo } from './metainfo.ts'
import { pieceBytes } from './metainfo.ts'
import { hasBit } from './piece-ranges.ts'

/** Which files are settled: all pieces that touch them are verified. */
export class FileProgress {
  readonly #metainfo: Metainfo
  readonly #layout: FileLayout
  /** Pieces that each file still lacks. */
  readonly #missing: Uint32Array

  constructor(metainfo: Metainfo, verified: Uint8Array) {
    this.#metainfo = metainfo
    this.#layout = layoutOf(metainfo)
    this.#missing = new Uint32Array(metainfo.files.length)
    for (const file of this.#layout.files) {
      const pieces = this.#layout.piecesOf(file)
      if (pieces === undefined) continue
      let missing = 0
      for (let index = pieces.first; index <= pieces.last; index++) if (!hasBit(verified, index)) missing++
      this.#missing[file.index] = missing
    }
  }

  /** @param fresh pieces that were not verified before @returns the files that are settled by them */
  add(fresh: readonly PieceRange[]): number[] {
    const settled: number[] = []
    for (const { first, count } of fresh) {
      for (let index = first; index < first + count; index++) {
        for (const { file } of this.#layout.spans(index, 0, pieceBytes(this.#metainfo, index))) {
          const missing = (this.#missing[file.index] ?? 0) - 1
          if (missing < 0) continue
          this.#missing[file.index] = missing
          if (missing === 0 && !file.padding) settled.push(file.index)
        }
      }
    }
    return settled
  }
}
