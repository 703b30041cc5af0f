import type { EventLog, NodeId, SignedEvent, Timers } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import { decodePublishReply, EVENTS_BYTES_MAX, encodePublish, fitting, INDEX_METHODS } from '../index-node/index-messages.ts'

/** How soon after a failure the owners are asked again, ms; doubles up to the maximum. */
const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 60_000
/** Everything that still holds is announced again so often, so that owners that came later have it too, ms. */
const REPUBLISH_MS = 10 * 60_000
const REQUEST_TIMEOUT_MS = 5_000

/** One signed event in the index stream, and who should hold it. */
export type Publication = { author: NodeId; authorSeq: number; keywords: readonly string[] }

export type PublicationsOptions = {
  log: EventLog
  overlay: Pick<Overlay, 'request'>
  timers: Timers
  /** Owners of a keyword's partition now, best first. */
  ownersOf(keyword: string): readonly NodeId[]
  /** Own events that still hold, for the next round of republishing. */
  current(): readonly Publication[]
  onProblem(text: string): void
}

/**
 * Sends our index events to the owners of their keywords' partitions, until each has said it holds them. Nothing is
 * kept on disk: at a start everything that still holds is announced again, and owners drop what they have.
 */
export class Publications {
  readonly #options: PublicationsOptions
  /** Event -> owners that hold it, as far as we were told. */
  readonly #held = new Map<string, Set<NodeId>>()
  /** Event -> owners that need not be asked again: they hold it, or refused it. */
  readonly #settled = new Map<string, Set<NodeId>>()
  readonly #pending = new Map<string, Publication>()
  readonly #cancels = new Set<() => void>()
  #retryMs = RETRY_MS_MIN
  #running: Promise<void> | undefined
  #again = false
  #retryArmed = false
  #stopped = false
  readonly #stop = new AbortController()

  constructor(options: PublicationsOptions) {
    this.#options = options
  }

  /** Announces everything that still holds, now and again from time to time. */
  start(): void {
    this.#held.clear()
    this.#settled.clear()
    this.reconsider()
    this.#later(REPUBLISH_MS, () => this.start())
  }

  /** The index nodes are others now: looks at everything that still holds, and asks the owners that were not asked yet. */
  reconsider(): void {
    for (const publication of this.#options.current()) this.#pending.set(key(publication), publication)
    void this.flush()
  }

  /** Takes up a new event; `flush` sends it. */
  add(publication: Publication): void {
    this.#pending.set(key(publication), publication)
  }

  /** Owners that were not told of this event yet. */
  lacking(publication: Publication): NodeId[] {
    const settled = this.#settled.get(key(publication))
    return [...this.#owners(publication)].filter((owner) => settled?.has(owner) !== true)
  }

  /** Index nodes that said they hold this event. */
  holders(publication: Publication): NodeId[] {
    return [...(this.#held.get(key(publication)) ?? [])]
  }

  /** One round over all that is pending; calls that come meanwhile share the next one. Never rejects. */
  flush(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    if (this.#running !== undefined) {
      this.#again = true
      return this.#running
    }
    this.#running = this.#rounds().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  stop(): void {
    this.#stopped = true
    this.#stop.abort()
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }

  /** Resolves when nothing is under way any more. */
  async settled(): Promise<void> {
    await this.#running
  }

  async #rounds(): Promise<void> {
    do {
      this.#again = false
      await this.#round()
    } while (this.#again && !this.#stopped)
    if (this.#pending.size === 0) this.#retryMs = RETRY_MS_MIN
    else if (!this.#retryArmed && !this.#stopped) {
      this.#retryArmed = true
      this.#later(this.#retryMs, () => {
        this.#retryArmed = false
        void this.flush()
      })
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX)
    }
  }

  async #round(): Promise<void> {
    const byOwner = new Map<NodeId, Publication[]>()
    for (const publication of this.#pending.values()) {
      for (const owner of this.lacking(publication)) {
        const list = byOwner.get(owner)
        if (list === undefined) byOwner.set(owner, [publication])
        else list.push(publication)
      }
    }
    await Promise.all([...byOwner].map(([owner, publications]) => this.#sendAll(owner, publications)))
    for (const [name, publication] of this.#pending) {
      if (this.#owners(publication).size > 0 && this.lacking(publication).length === 0) this.#pending.delete(name)
    }
  }

  #owners(publication: Publication): Set<NodeId> {
    return new Set(publication.keywords.flatMap((keyword) => this.#options.ownersOf(keyword)))
  }

  async #sendAll(owner: NodeId, publications: readonly Publication[]): Promise<void> {
    let next = 0
    while (next < publications.length && !this.#stopped) {
      const names: Publication[] = []
      const events: SignedEvent[] = []
      let bytes = 0
      try {
        for (; next < publications.length && bytes <= EVENTS_BYTES_MAX; next++) {
          const publication = publications[next] as Publication
          const { author, authorSeq } = publication
          for await (const event of this.#options.log.readSigned(author, 'index', authorSeq, authorSeq)) {
            names.push(publication)
            events.push(event)
            bytes += event.body.length + event.signature.length
          }
        }
        const batch = fitting(events)
        // What did not fit is read again for the next message.
        next -= events.length - batch.length
        if (batch.length === 0) return
        if (!(await this.#send(owner, names.slice(0, batch.length), batch))) return
      } catch {
        // Unreachable now, or our log is being closed; the round after the next pause asks whoever owns the partition then.
        return
      }
    }
  }

  /** @returns false if it did not say something of each */
  async #send(owner: NodeId, names: readonly Publication[], events: readonly SignedEvent[]): Promise<boolean> {
    const timeoutMs = REQUEST_TIMEOUT_MS
    const { overlay, onProblem } = this.#options
    const outcomes = decodePublishReply(
      await overlay.request(owner, INDEX_METHODS.publish, encodePublish(events), { timeoutMs, signal: this.#stop.signal }),
    )
    let refused = 0
    names.forEach((publication, index) => {
      const outcome = outcomes[index]
      if (outcome === undefined) return
      // Asking again would not change a refusal: it is told, and settled like the rest.
      if (outcome === 'refused') refused += 1
      else ownersIn(this.#held, publication).add(owner)
      ownersIn(this.#settled, publication).add(owner)
    })
    if (refused > 0) onProblem(`index node ${owner.slice(0, 8)} refused ${refused} of ${names.length} publications`)
    return outcomes.length >= names.length
  }

  #later(delayMs: number, run: () => void): void {
    const cancel = this.#options.timers.after(delayMs, () => {
      this.#cancels.delete(cancel)
      run()
    })
    this.#cancels.add(cancel)
  }
}

function key(publication: Publication): string {
  return `${publication.author}/${publication.authorSeq}`
}

function ownersIn(table: Map<string, Set<NodeId>>, publication: Publication): Set<NodeId> {
  const owners = table.get(key(publication)) ?? new Set()
  table.set(key(publication), owners)
  return owners
}
