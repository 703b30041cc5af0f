// The hash trees of version 2 (BEP 52): over each file, of blocks of 16 KiB. Leaves that a tree has no blocks for are zeros.

/** sha-256 of these one after the other, 32 bytes. */
export type Sha256 = (chunks: readonly Uint8Array[]) => Uint8Array

const HASH_BYTES = 32
const ZEROS = new Uint8Array(HASH_BYTES)

export type FileHashes = {
  /** Of the whole file. */
  root: Uint8Array
  /** Of its pieces, one after the other; undefined where the file is no longer than one. */
  layer: Uint8Array | undefined
}

/** The tree of one file, of which no more is kept than the blocks of one piece. */
export class FileTree {
  readonly #blocksPerPiece: number
  readonly #sha256: Sha256
  #blocks: Uint8Array[] = []
  readonly #pieces: Uint8Array[] = []

  /** @param blocksPerPiece a power of two */
  constructor(blocksPerPiece: number, sha256: Sha256) {
    this.#blocksPerPiece = blocksPerPiece
    this.#sha256 = sha256
  }

  /** @param hash of the next block; of the last one, over the bytes that it has */
  add(hash: Uint8Array): void {
    this.#blocks.push(hash)
    if (this.#blocks.length < this.#blocksPerPiece) return
    this.#pieces.push(this.#rootOf(this.#blocks, this.#blocksPerPiece, ZEROS))
    this.#blocks = []
  }

  /** @throws RangeError for a file without a byte, which has no tree */
  end(): FileHashes {
    const [blocks, pieces] = [this.#blocks, this.#pieces]
    const [only] = pieces
    if (only === undefined) {
      if (blocks.length === 0) throw new RangeError('a file without a byte has no hash tree')
      return { root: this.#rootOf(blocks, powerOfTwoFrom(blocks.length), ZEROS), layer: undefined }
    }
    if (blocks.length > 0) pieces.push(this.#rootOf(blocks, this.#blocksPerPiece, ZEROS))
    if (pieces.length === 1) return { root: only, layer: undefined }
    const layer = new Uint8Array(pieces.length * HASH_BYTES)
    for (const [index, hash] of pieces.entries()) layer.set(hash, index * HASH_BYTES)
    const noPiece = this.#rootOf([], this.#blocksPerPiece, ZEROS)
    return { root: this.#rootOf(pieces, powerOfTwoFrom(pieces.length), noPiece), layer }
  }

  /** @param width a power of two @param absent what stands in place of what is not there */
  #rootOf(hashes: readonly Uint8Array[], width: number, absent: Uint8Array): Uint8Array {
    let level = hashes
    let filler = absent
    for (let left = width; left > 1; left /= 2) {
      const above: Uint8Array[] = []
      for (let at = 0; at < level.length; at += 2) above.push(this.#sha256([level[at] ?? filler, level[at + 1] ?? filler]))
      filler = this.#sha256([filler, filler])
      level = above
    }
    return level[0] ?? filler
  }
}

const powerOfTwoFrom = (least: number): number => 2 ** Math.ceil(Math.log2(least))
