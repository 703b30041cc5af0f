import type { Envelope, LogView, ReadRange } from '../../events/index.ts'
import type { Turns } from '../../projections/index.ts'

export type WalkOptions = {
  readonly turns: Turns
  /** Ends the walk with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Told now and then how far it has come. */
  readonly onProgress?: ((seq: number) => void) | undefined
}

/**
 * Calls `visit` for each event in the log's order, a batch in memory at a time, and gives others their turn in between.
 * @param visit false ends the walk
 */
export async function walkLog(
  log: Pick<LogView, 'readBatches'>,
  range: ReadRange,
  visit: (envelope: Envelope) => boolean | undefined,
  { turns, signal, onProgress }: WalkOptions,
): Promise<void> {
  for await (const batch of log.readBatches(range)) {
    for (const envelope of batch) {
      if (visit(envelope) === false) return
      if (turns.isOver) {
        onProgress?.(envelope.seq)
        await turns.next()
        signal?.throwIfAborted()
      }
    }
    signal?.throwIfAborted()
    const last = batch.at(-1)
    if (last !== undefined) onProgress?.(last.seq)
  }
}
