import type { Envelope, EventKind, EventLog } from '../events/index.ts'

/** Progress is told, and others have their turn, every so many events. */
const EVENTS_BETWEEN_BREATHS = 2_000

/** Calls `apply` for each event of these kinds from `from` to `to` (inclusive), in the log's own order. */
export async function replay(options: {
  log: Pick<EventLog, 'read'>
  from: number
  to: number
  kinds: readonly EventKind[]
  apply: (envelope: Envelope) => void
  breathe?: (() => Promise<void>) | undefined
  /** Told the sequence that was reached. */
  onProgress?: (seq: number) => void
}): Promise<void> {
  const { from, to, kinds } = options
  if (to < from) return
  let count = 0
  for await (const envelope of options.log.read({ from, to, kinds })) {
    options.apply(envelope)
    count += 1
    if (count % EVENTS_BETWEEN_BREATHS === 0) {
      options.onProgress?.(envelope.seq)
      await options.breathe?.()
    }
  }
  options.onProgress?.(to)
}
