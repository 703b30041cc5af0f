import type { RemoteNode } from '../src/control/index.ts'
import type { BadPiece, NodeId, PeerId, PieceRange } from '../src/events/index.ts'
import { newWindow, pushPieces } from '../src/projections/reputation/piece-window.ts'
import { SEED_V1 } from '../src/projections/reputation/policy.ts'

/** What a node's own log says of the peers of one torrent. */
export type Verdicts = {
  /** Pieces that failed, for one sender or several. */
  readonly failed: number
  /** Pieces with a verdict, by who sent them. */
  readonly sent: ReadonlyMap<PeerId, number>
  /** Bad pieces, by who was blamed for them. */
  readonly blamed: ReadonlyMap<PeerId, number>
  /** Peers whose verdicts, in their order, break the rule for a ban: counted here anew, not asked of the projection. */
  readonly pastTheRule: ReadonlySet<PeerId>
}

const KINDS = ['piece.judged', 'piece.suspected']

export async function verdictsOf({ node }: RemoteNode, author: NodeId, infoHash: string): Promise<Verdicts> {
  let failed = 0
  const sent = new Map<PeerId, number>()
  const blamed = new Map<PeerId, number>()
  const pastTheRule = new Set<PeerId>()
  const tallies = new Map<PeerId, Tally>()
  for await (const row of node.events({ kinds: KINDS, author })) {
    const event = row.event as unknown as {
      kind: string
      infoHash: string
      subject: PeerId
      good: PieceRange[]
      bad: BadPiece[]
    }
    if (event.infoHash !== infoHash) continue
    if (event.kind === 'piece.suspected') {
      failed++
      continue
    }
    const { subject, good, bad } = event
    // One sender is convicted when the piece fails; of several, who it was when it passes: it has failed before.
    failed += bad.filter(({ evidence }) => evidence === 'sole-source').length
    if (bad.length > 0) blamed.set(subject, (blamed.get(subject) ?? 0) + bad.length)
    const tally = tallies.get(subject) ?? new Tally()
    tallies.set(subject, tally)
    const goodCount = good.reduce((sum, { count }) => sum + count, 0)
    sent.set(subject, (sent.get(subject) ?? 0) + goodCount + bad.length)
    tally.add(goodCount, bad.length)
    if (tally.breaksTheRule) pastTheRule.add(subject)
  }
  return { failed, sent, blamed, pastTheRule }
}

/** Verdicts on one peer: +1 and -5 from 100, and so many bad ones among the last. */
class Tally {
  #points = SEED_V1.start
  #bad = 0
  readonly #window = newWindow(SEED_V1.windowPieces)

  add(good: number, bad: number): void {
    this.#points += good * SEED_V1.good - bad * SEED_V1.bad
    this.#bad += bad
    pushPieces(this.#window, good, false)
    pushPieces(this.#window, bad, true)
  }

  get breaksTheRule(): boolean {
    const { size, bad } = this.#window
    return this.#bad > 0 && (this.#points < 0 || (size >= SEED_V1.windowPiecesMin && bad >= SEED_V1.windowBad))
  }
}
