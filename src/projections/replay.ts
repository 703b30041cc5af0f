import type { Envelope, EventKind, EventLog } from '../events/index.ts'
import type { Turns } from './turns.ts'

/** Calls `apply` for each event of these kinds from `from` to `to` (inclusive), in the log's own order. */
export async function replay(options: {
  log: Pick<EventLog, 'readBatches'>
  from: number
  to: number
  kinds: readonly EventKind[]
  apply: (envelope: Envelope) => void
  /** Others have their turn in between. Left out: where nobody else waits. */
  turns?: Turns | undefined
  /** Everything up to this sequence has been applied; the next event waits for it. */
  passing?: (seq: number) => Promise<void>
  /** Told the sequence that was reached, after each batch and at the end. */
  onProgress?: (seq: number) => void
  /** Ends the replay with its reason. */
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { from, to, kinds, turns, signal } = options
  if (to < from) return
  for await (const batch of options.log.readBatches({ from, to, kinds })) {
    for (const envelope of batch) {
      options.apply(envelope)
      if (turns?.isOver === true) {
        await turns.next()
        signal?.throwIfAborted()
      }
    }
    const last = batch.at(-1)
    if (last !== undefined && last.seq < to) options.onProgress?.(last.seq)
    if (last !== undefined) await options.passing?.(last.seq)
    signal?.throwIfAborted()
  }
  options.onProgress?.(to)
}
