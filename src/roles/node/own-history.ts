import type { EventLog, NodeId, Stream, Timers, VerifySignature } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import { type Fork, fetchOwnHistory, lastOwnNumber, SHARED_STREAMS } from './history-exchange.ts'
import type { NoticeBoard } from './notices.ts'
import type { OwnEventsGate } from './own-events-gate.ts'

// Whether a node knows all that it has ever said. One that goes on from a backup, or from a plain copy of its directory,
// would give numbers out twice that its peers hold already: its sequence would fork, and no node could ever have both.
// So each node asks the peers it meets first what they hold of it. See docs/adr/0010-restored-backups.md.

/** After this time without a peer, a node that has no reason to doubt goes on, ms. */
const UNDOUBTED_WAIT_MS = 3_000
/** A restored node waits so long after its first link for others to come up, and asks them all, ms. */
const SETTLE_MS = 2_000
const RETRY_MS = 2_000
const ATTEMPTS_MAX = 3
/** Peers asked in one life of a node that has no reason to doubt. */
const PEERS_MAX = 16
/** Own events that both hold and that are compared, from the last one at the start backwards. */
const COMPARED = 64

export type OwnHistoryOptions = {
  /** The log itself; `gate` stands in front of it for everybody else. */
  readonly log: EventLog
  readonly gate: OwnEventsGate
  readonly overlay: Pick<Overlay, 'request' | 'onLinks'>
  readonly verify: VerifySignature
  readonly timers: Timers
  readonly notices: NoticeBoard
  /** Index nodes that may hold events of our index stream, linked or not. */
  readonly indexNodes: () => readonly NodeId[]
  /** How the log came to be one that may lack own events; undefined if nothing says that it does. */
  readonly restored: Restored | undefined
  /** The fork that was found in an earlier life. */
  readonly fork: Fork | undefined
  /** All was taken back. */
  readonly onRecovered: () => void
  readonly onFork: (fork: Fork) => void
}

export type Restored = 'backup' | 'repair' | 'import'

/** What is known to have happened, and what it may have cost. */
const RESTORED: Readonly<Record<Restored, { start: string; lacking: string }>> = {
  backup: { start: 'restored from a backup', lacking: 'what it said after its backup was made' },
  repair: { start: 'the log was repaired, and own events are lost', lacking: 'what it said and has lost' },
  import: { start: 'moved here by an import', lacking: 'what it said after its log was exported' },
}

type State = 'asking' | 'recovering' | 'sure' | 'forked'
type Peer = { attempts: number; answered: boolean }

export class OwnHistory implements Disposable {
  readonly #options: OwnHistoryOptions
  readonly #from: ReadonlyMap<Stream, number>
  readonly #peers = new Map<NodeId, Peer>()
  readonly #cancels = new Set<() => void>()
  #state: State
  #gained = 0
  #settled = false
  #settling = false
  #unlisten = () => {}

  constructor(options: OwnHistoryOptions) {
    const { log, gate, restored, fork } = options
    this.#options = options
    const last = SHARED_STREAMS.map((stream): [Stream, number] => [stream, lastOwnNumber(log, stream)])
    this.#from = new Map(last.map(([stream, number]) => [stream, Math.max(0, number - COMPARED)]))
    const isNew = last.every(([, number]) => number === 0)
    this.#state = fork !== undefined ? 'forked' : restored !== undefined ? 'recovering' : isNew ? 'sure' : 'asking'
    if (fork !== undefined) gate.refuse(forkSentence(fork))
    else if (this.#state !== 'sure') gate.hold(restored !== undefined)
  }

  /** What the node waits for before it can speak for itself; null if it can. */
  get waitingFor(): string | null {
    if (this.#state === 'recovering') {
      const { restored } = this.#options
      const lacking = restored === undefined ? 'what it said and does not know of' : RESTORED[restored].lacking
      return `its peers, to tell ${lacking} (--accept-fork-risk goes on without)`
    }
    return this.#state === 'forked' ? 'a new key: its own events are forked, see the notices' : null
  }

  /** True while it takes back what it said and does not know of. */
  get isRecovering(): boolean {
    return this.#state === 'recovering'
  }

  start(): void {
    const { overlay, notices, fork, restored } = this.#options
    if (fork !== undefined) notices.post('error', 'own-history.forked', forkSentence(fork))
    else if (restored !== undefined) {
      const text = `${RESTORED[restored].start}: nothing is said until peers have told ${RESTORED[restored].lacking}`
      notices.post('warning', 'own-history.recovering', text)
    }
    this.#unlisten = overlay.onLinks(({ up, peer }) => {
      if (up) this.#meet(peer)
    })
    if (this.#state === 'asking') this.#after(UNDOUBTED_WAIT_MS, () => this.#sure())
  }

  /** Before the overlay says goodbye: a node without doubt may say it. */
  [Symbol.dispose](): void {
    this.#unlisten()
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
    if (this.#state === 'asking') this.#sure()
    else if (this.#state === 'recovering') this.#options.gate.close()
  }

  #meet(peer: NodeId): void {
    if (this.#state === 'forked') return
    if (this.#state === 'recovering' && !this.#settling) {
      this.#settling = true
      this.#after(SETTLE_MS, () => {
        this.#settled = true
        for (const node of this.#options.indexNodes()) if (!this.#peers.has(node)) void this.#ask(node)
        this.#judge()
      })
    }
    if (this.#peers.has(peer) || (this.#state !== 'recovering' && this.#peers.size >= PEERS_MAX)) return
    void this.#ask(peer)
  }

  async #ask(peer: NodeId): Promise<void> {
    const { log, overlay, verify } = this.#options
    const known = this.#peers.get(peer) ?? { attempts: 0, answered: false }
    this.#peers.set(peer, known)
    known.attempts += 1
    try {
      for (const stream of SHARED_STREAMS) {
        const after = this.#from.get(stream) ?? 0
        const onNews = () => this.#doubt()
        const { gained, fork } = await fetchOwnHistory(peer, stream, after, { log, overlay, verify, onNews })
        this.#gained += gained
        if (fork !== undefined) {
          this.#forked(fork)
          return
        }
      }
      known.answered = true
    } catch {
      // Gone, slow, or an older version that does not know the question: asked again, or somebody else is.
      if (known.attempts < ATTEMPTS_MAX) this.#after(RETRY_MS, () => void this.#ask(peer))
    }
    this.#judge()
  }

  /** A peer holds what we lack. */
  #doubt(): void {
    if (this.#state !== 'sure' && this.#state !== 'asking') return
    this.#state = 'recovering'
    this.#settled = true
    this.#options.gate.hold(true)
    const text = 'peers hold events of this node that it lacks: it goes on from an older copy; taking them back first'
    this.#options.notices.post('warning', 'own-history.recovering', text)
  }

  #judge(): void {
    const peers = [...this.#peers.values()]
    const isOver = ({ answered, attempts }: Peer): boolean => answered || attempts >= ATTEMPTS_MAX
    const someone = peers.some(({ answered }) => answered)
    if (this.#state === 'asking' && someone) this.#sure()
    if (this.#state !== 'recovering' || !this.#settled || !someone || !peers.every(isOver)) return
    this.#options.notices.post(
      'info',
      'own-history.recovered',
      `${this.#gained} events of this node were taken back from its peers`,
    )
    this.#options.onRecovered()
    this.#sure()
  }

  #sure(): void {
    this.#state = 'sure'
    this.#options.gate.release()
  }

  #forked(fork: Fork): void {
    if (this.#state === 'forked') return
    this.#state = 'forked'
    this.#options.gate.refuse(forkSentence(fork))
    this.#options.notices.post('error', 'own-history.forked', forkSentence(fork))
    this.#options.onFork(fork)
  }

  #after(delayMs: number, run: () => void): void {
    const cancel = this.#options.timers.after(delayMs, () => {
      this.#cancels.delete(cancel)
      run()
    })
    this.#cancels.add(cancel)
  }
}

function forkSentence({ stream, authorSeq }: Fork): string {
  return (
    `this node has given the number ${authorSeq} of its ${stream} stream to two events, as a copy that ran beside it, or before it, does. ` +
    'It says nothing more of itself. Start a new node with another --data directory; `p2pt log export` and `p2pt log import --without-private` carry over what this one has learnt'
  )
}
