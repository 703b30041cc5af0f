import type { Envelope, EventKind, EventLog } from '../events/index.ts'

/** Calls `apply` for each event of these kinds from `from` to `to` (inclusive), in the log's own order. */
export async function replay(options: {
  log: Pick<EventLog, 'readBatches'>
  from: number
  to: number
  kinds: readonly EventKind[]
  apply: (envelope: Envelope) => void
  /** Called between batches, so that others have their turn. */
  yieldToEventLoop?: (() => Promise<void>) | undefined
  /** Everything up to this sequence has been applied; the next event waits for it. */
  passing?: (seq: number) => Promise<void>
  /** Told the sequence that was reached, after each batch and at the end. */
  onProgress?: (seq: number) => void
}): Promise<void> {
  const { from, to, kinds } = options
  if (to < from) return
  for await (const batch of options.log.readBatches({ from, to, kinds })) {
    for (const envelope of batch) options.apply(envelope)
    const last = batch.at(-1)
    if (last !== undefined && last.seq < to) options.onProgress?.(last.seq)
    if (last !== undefined) await options.passing?.(last.seq)
    await options.yieldToEventLoop?.()
  }
  options.onProgress?.(to)
}
