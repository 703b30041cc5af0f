import type { EventLog, NodeId, SignedEvent, Timers } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import { decodePublishReply, encodePublish, fitting, INDEX_METHODS } from '../index-node/index-messages.ts'

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

  constructor(options: PublicationsOptions) {
    this.#options = options
  }

  /** Announces everything that still holds, now and again from time to time. */
  start(): void {
    this.#held.clear()
    this.#settled.clear()
    for (const publication of this.#options.current()) this.#pending.set(key(publication), publication)
    void this.flush()
    this.#later(REPUBLISH_MS, () => this.start())
  }

  /** Takes up a new event; `flush` sends it. */
  add(publication: Publication): void {
    this.#pending.set(key(publication), publication)
  }

  /** How many events some owner still lacks. */
  get pending(): number {
    return this.#pending.size
  }

  /** Index nodes that said they hold this event. */
  holders(publication: Publication): NodeId[] {
    return [...(this.#held.get(key(publication)) ?? [])]
  }

  /** One round over all that is pending; calls that come meanwhile share the next one. */
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
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
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
      for (const owner of this.#owners(publication)) {
        if (this.#settledBy(publication).has(owner)) continue
        const list = byOwner.get(owner)
        if (list === undefined) byOwner.set(owner, [publication])
        else list.push(publication)
      }
    }
    await Promise.all([...byOwner].map(([owner, publications]) => this.#sendAll(owner, publications)))
    for (const [name, publication] of this.#pending) {
      const settled = this.#settledBy(publication)
      const owners = [...this.#owners(publication)]
      if (owners.length > 0 && owners.every((owner) => settled.has(owner))) this.#pending.delete(name)
    }
  }

  #holdersOf(publication: Publication): Set<NodeId> {
    return ownersIn(this.#held, publication)
  }

  #settledBy(publication: Publication): Set<NodeId> {
    return ownersIn(this.#settled, publication)
  }

  #owners(publication: Publication): Set<NodeId> {
    return new Set(publication.keywords.flatMap((keyword) => this.#options.ownersOf(keyword)))
  }

  async #sendAll(owner: NodeId, publications: readonly Publication[]): Promise<void> {
    let rest = publications
    while (rest.length > 0 && !this.#stopped) {
      const events: SignedEvent[] = []
      const names: Publication[] = []
      for (const publication of rest) {
        const { author, authorSeq } = publication
        for await (const event of this.#options.log.readSigned(author, 'index', authorSeq, authorSeq)) {
          events.push(event)
          names.push(publication)
        }
        if (fitting(events).length < events.length) break
      }
      const batch = fitting(events)
      if (batch.length === 0) return
      if (!(await this.#send(owner, names.slice(0, batch.length), batch))) return
      rest = rest.slice(batch.length)
    }
  }

  async #send(owner: NodeId, names: readonly Publication[], events: readonly SignedEvent[]): Promise<boolean> {
    try {
      const reply = await this.#options.overlay.request(owner, INDEX_METHODS.publish, encodePublish(events), {
        timeoutMs: REQUEST_TIMEOUT_MS,
      })
      const outcomes = decodePublishReply(reply)
      names.forEach((publication, index) => {
        const outcome = outcomes[index]
        if (outcome === undefined) return
        // Asking again would not change a refusal: it is told, and settled like the rest.
        if (outcome === 'refused') this.#options.onProblem(`index node ${owner.slice(0, 8)} refused a publication`)
        else this.#holdersOf(publication).add(owner)
        this.#settledBy(publication).add(owner)
      })
      return outcomes.length >= names.length
    } catch {
      // Unreachable now; the round after the next pause asks whoever owns the partition then.
      return false
    }
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
