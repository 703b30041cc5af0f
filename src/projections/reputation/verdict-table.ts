import {
  compareCanonically,
  type Envelope,
  type EventKind,
  type Lamport,
  type NodeId,
  STREAMS,
  type Stream,
} from '../../events/index.ts'

// Verdicts in columns: what a fold of reputation needs of an event, and nothing else. A million of them take about 50 MB,
// and are folded again and again, in any order and without any of them, where reading the log each time would take seconds.

/** A table takes so many events: about 200 MB. */
export const TABLE_ROWS_MAX = 4_000_000

type Columns = {
  readonly seqs: Float64Array
  readonly lamports: Float64Array
  readonly authorSeqs: Float64Array
  readonly goods: Float64Array
  readonly bads: Uint32Array
  readonly authors: Uint32Array
  readonly subjects: Uint32Array
  readonly streams: Uint8Array
}

const columns = (rows: number): Columns => ({
  seqs: new Float64Array(rows),
  lamports: new Float64Array(rows),
  authorSeqs: new Float64Array(rows),
  goods: new Float64Array(rows),
  bads: new Uint32Array(rows),
  authors: new Uint32Array(rows),
  subjects: new Uint32Array(rows),
  streams: new Uint8Array(rows),
})

/** Texts by number, each kept once. */
class Names {
  readonly #numbers = new Map<string, number>()
  readonly texts: string[] = []

  numberOf(text: string): number {
    let number = this.#numbers.get(text)
    if (number === undefined) {
      number = this.texts.length
      this.#numbers.set(text, number)
      this.texts.push(text)
    }
    return number
  }
}

/** The kinds whose events are kept whole: there are few of them. */
const WHOLE: readonly (EventKind | 'unknown')[] = ['piece.suspected', 'policy.adopted', 'operator.banned', 'operator.unbanned']

export class VerdictTable {
  readonly #names = new Names()
  readonly #whole = new Map<number, Envelope>()
  #columns = columns(1024)
  #size = 0

  /** Rows are numbered from 0, in the order in which they were added. */
  get size(): number {
    return this.#size
  }

  /** Takes an event that reputation follows from; others are passed over. @returns false where there is no room */
  add(envelope: Envelope): boolean {
    const { event } = envelope
    const isWhole = WHOLE.includes(event.kind)
    if (!isWhole && event.kind !== 'piece.judged') return true
    if (this.#size >= TABLE_ROWS_MAX) return false
    if (this.#size === this.#columns.seqs.length) this.#grow()
    const row = this.#size++
    const to = this.#columns
    to.seqs[row] = envelope.seq
    to.lamports[row] = envelope.lamport
    to.authorSeqs[row] = envelope.authorSeq
    to.authors[row] = this.#names.numberOf(envelope.author)
    to.streams[row] = STREAMS.indexOf(envelope.stream)
    if (event.kind === 'piece.judged') {
      let good = 0
      for (const range of event.good) good += range.count
      to.goods[row] = good
      to.bads[row] = event.bad.length
      to.subjects[row] = this.#names.numberOf(event.subject)
    } else this.#whole.set(row, envelope)
    return true
  }

  seqAt(row: number): number {
    return this.#columns.seqs[row] as number
  }

  authorAt(row: number): NodeId {
    return this.#names.texts[this.#columns.authors[row] as number] as NodeId
  }

  /** The events that are no verdicts. */
  others(): Iterable<Envelope> {
    return this.#whole.values()
  }

  /** As a fold takes it. The infohash, the places and the hashes of its pieces are not in it. */
  envelopeAt(row: number): Envelope {
    const whole = this.#whole.get(row)
    if (whole !== undefined) return whole
    const from = this.#columns
    const good = from.goods[row] as number
    return {
      seq: from.seqs[row] as number,
      lamport: from.lamports[row] as Lamport,
      author: this.authorAt(row),
      stream: STREAMS[from.streams[row] as number] as Stream,
      authorSeq: from.authorSeqs[row] as number,
      ...UNSTORED,
      event: {
        kind: 'piece.judged',
        subject: this.#names.texts[from.subjects[row] as number] as NodeId,
        infoHash: NO_INFO_HASH,
        good: good === 0 ? [] : [{ first: 0, count: good }],
        bad: emptyPieces(from.bads[row] as number),
      },
    } as Envelope
  }

  /** Negative if row `a` is before row `b` in the order that all nodes agree on. */
  compare(a: number, b: number): number {
    const { lamports } = this.#columns
    const difference = (lamports[a] as number) - (lamports[b] as number)
    return difference === 0 ? compareCanonically(this.#stampAt(a), this.#stampAt(b)) : difference
  }

  #stampAt(row: number): Pick<Envelope, 'lamport' | 'author' | 'stream' | 'authorSeq'> {
    const { lamports, streams, authorSeqs } = this.#columns
    return {
      lamport: lamports[row] as Lamport,
      author: this.authorAt(row),
      stream: STREAMS[streams[row] as number] as Stream,
      authorSeq: authorSeqs[row] as number,
    }
  }

  #grow(): void {
    const larger = columns(this.#columns.seqs.length * 2)
    for (const name of Object.keys(larger) as (keyof Columns)[]) larger[name].set(this.#columns[name])
    this.#columns = larger
  }
}

const NO_INFO_HASH = '0'.repeat(40)
const UNSTORED = { version: 1, kind: 0, at: 0, payloadBytes: 0 }

type Piece = Extract<Envelope['event'], { kind: 'piece.judged' }>['bad'][number]
const NO_PIECES: Piece[][] = []
/** A fold counts them, and looks at none: one list of each length does for all. */
function emptyPieces(count: number): Piece[] {
  let pieces = NO_PIECES[count]
  if (pieces === undefined) {
    pieces = new Array<Piece>(count)
    NO_PIECES[count] = pieces
  }
  return pieces
}
