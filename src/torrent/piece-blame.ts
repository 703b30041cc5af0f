import type { BadPiece, PeerId } from '../events/index.ts'
import type { Sha1 } from './metainfo.ts'

// Who sent the bytes of a piece that failed its hash: the idea known as smart ban in other clients. A failed piece with
// one source convicts it. With several, each block's sender and digest are kept, and when the piece passes later, only
// a sender whose block differs from the good copy is guilty. Nobody is blamed for having stood next to a liar.

export type Conviction = { peer: PeerId; piece: BadPiece }

export type Verdict = {
  /** Peers whose blocks made a piece that passed. */
  good: readonly PeerId[]
  guilty: readonly Conviction[]
  /** Sources of a failure that cannot be told apart yet. */
  suspects: readonly PeerId[]
}

type Block = { peer: PeerId; bytes: Uint8Array }
type SuspectBlock = { peer: PeerId; offset: number; length: number; digest: string }

export type PieceBlameOptions = {
  sha1: Sha1
  /** The metainfo's hash of this piece, hex. */
  expected(index: number): string
  /**
   * Suspect blocks remembered at most, over all pieces; the oldest failures are forgotten first and go unpunished.
   * 65,536 blocks are about 12 MB, or 1 GiB of failed data.
   */
  suspectBlocksMax?: number
}

export class PieceBlame {
  readonly #options: PieceBlameOptions
  readonly #suspectBlocksMax: number
  /** Blocks of pieces whose verdict is open, by offset: the same memory the engine holds them in. */
  readonly #open = new Map<number, Map<number, Block>>()
  /** Failed attempts with several sources, oldest piece first. */
  readonly #failures = new Map<number, SuspectBlock[][]>()
  #suspectBlocks = 0

  constructor(options: PieceBlameOptions) {
    this.#options = options
    this.#suspectBlocksMax = options.suspectBlocksMax ?? 65_536
  }

  get suspectBlocks(): number {
    return this.#suspectBlocks
  }

  /** A block the engine accepted; the first one for an offset stands, as in the engine. */
  accept(index: number, offset: number, peer: PeerId, bytes: Uint8Array): void {
    let blocks = this.#open.get(index)
    if (blocks === undefined) {
      blocks = new Map()
      this.#open.set(index, blocks)
    }
    if (!blocks.has(offset)) blocks.set(offset, { peer, bytes })
  }

  /** True if blocks of this piece came from someone. */
  has(index: number): boolean {
    return this.#open.has(index)
  }

  /** The piece's blocks were thrown away without a verdict. */
  forget(index: number): void {
    this.#open.delete(index)
  }

  /** The piece matched its hash. */
  passed(index: number): Verdict {
    const blocks = this.#take(index)
    const good = sourcesOf(blocks.values())
    const failures = this.#failures.get(index) ?? []
    this.#forgive(index)
    return { good, guilty: failures.flatMap((attempt) => this.#compare(index, attempt, blocks)), suspects: [] }
  }

  /** The piece did not match its hash. */
  failed(index: number): Verdict {
    const blocks = this.#take(index)
    const sources = sourcesOf(blocks.values())
    const [only] = sources
    if (only === undefined) return { good: [], guilty: [], suspects: [] }
    if (sources.length === 1) return { good: [], guilty: [this.#soleSource(index, only, blocks)], suspects: [] }
    this.#suspect(index, blocks)
    return { good: [], guilty: [], suspects: sources }
  }

  #take(index: number): ReadonlyMap<number, Block> {
    const blocks = this.#open.get(index) ?? new Map<number, Block>()
    this.#open.delete(index)
    return blocks
  }

  #soleSource(index: number, peer: PeerId, blocks: ReadonlyMap<number, Block>): Conviction {
    const chunks = [...blocks].sort(([a], [b]) => a - b).map(([, block]) => block.bytes)
    return {
      peer,
      piece: {
        index,
        evidence: 'sole-source',
        offset: 0,
        length: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
        expected: this.#options.expected(index),
        received: this.#options.sha1(chunks),
      },
    }
  }

  #suspect(index: number, blocks: ReadonlyMap<number, Block>): void {
    const attempt: SuspectBlock[] = []
    for (const [offset, { peer, bytes }] of blocks) {
      attempt.push({ peer, offset, length: bytes.length, digest: this.#options.sha1([bytes]) })
    }
    const attempts = this.#failures.get(index)
    if (attempts === undefined) this.#failures.set(index, [attempt])
    else attempts.push(attempt)
    this.#suspectBlocks += attempt.length
    for (const oldest of this.#failures.keys()) {
      if (this.#suspectBlocks <= this.#suspectBlocksMax) break
      this.#forgive(oldest)
    }
  }

  #forgive(index: number): void {
    for (const attempt of this.#failures.get(index) ?? []) this.#suspectBlocks -= attempt.length
    this.#failures.delete(index)
  }

  /** One conviction a guilty peer and failed attempt: the first of its blocks that differs. */
  #compare(index: number, attempt: readonly SuspectBlock[], good: ReadonlyMap<number, Block>): Conviction[] {
    const guilty = new Map<PeerId, Conviction>()
    for (const { peer, offset, length, digest } of attempt) {
      const copy = good.get(offset)
      if (guilty.has(peer) || copy === undefined || copy.bytes.length !== length) continue
      const expected = this.#options.sha1([copy.bytes])
      if (expected === digest) continue
      guilty.set(peer, { peer, piece: { index, evidence: 'block-differs', offset, length, expected, received: digest } })
    }
    return [...guilty.values()]
  }
}

function sourcesOf(blocks: Iterable<Block>): PeerId[] {
  const sources = new Set<PeerId>()
  for (const { peer } of blocks) sources.add(peer)
  return [...sources]
}
