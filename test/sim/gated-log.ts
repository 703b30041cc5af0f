import type { Appender, AppendOptions, Draft, Envelope, EventLog, Ingested, SignedEvent } from '../../src/events/index.ts'
import type { OverlayLog } from '../../src/network/overlay-options.ts'

/** A node's log as one run of it sees it: after a crash the dead run hears and stores nothing more. */
export class GatedLog implements OverlayLog, Appender {
  readonly #log: EventLog
  readonly #alive: { readonly value: boolean }
  #isTold: boolean

  /** @param isTold the log has the node's word about this start already */
  constructor(log: EventLog, alive: { readonly value: boolean }, isTold = false) {
    this.#log = log
    this.#alive = alive
    this.#isTold = isTold
  }

  get lamport(): number {
    return this.#log.lamport
  }

  has: OverlayLog['has'] = (id) => this.#log.has(id)
  versionVector: OverlayLog['versionVector'] = () => this.#log.versionVector()
  readSigned: OverlayLog['readSigned'] = (...range) => this.#log.readSigned(...range)
  readSignedAt: OverlayLog['readSignedAt'] = (seqs) => this.#log.readSignedAt(seqs)
  pruned: OverlayLog['pruned'] = (...from) => this.#log.pruned(...from)

  async append(drafts: readonly Draft[], options?: AppendOptions): Promise<readonly Envelope[]> {
    if (!this.#alive.value) return []
    const { author } = this.#log
    const isTold = this.#isTold && drafts.some(({ event }) => event.kind === 'member.alive' && event.subject === author)
    if (isTold) this.#isTold = false
    return this.#log.append(isTold ? drafts.filter(({ event }) => event.kind !== 'member.alive') : drafts, options)
  }

  async ingest(events: readonly SignedEvent[], options?: AppendOptions): Promise<readonly Ingested[]> {
    return this.#alive.value ? this.#log.ingest(events, options) : []
  }

  onAppended(listener: (envelopes: readonly Envelope[]) => void): () => void {
    return this.#log.onAppended((envelopes) => {
      if (this.#alive.value) listener(envelopes)
    })
  }
}
