import { BULK_ITEMS_MAX, type BulkItem, type BulkOutcome, type BulkProgress, type ClientService } from '../../roles/index.ts'
import type { BulkEntry } from './publish-list.ts'

/** Calls under way: while the node finishes one, it has begun the next. */
const CALLS_AT_A_TIME = 2
/** Characters of one call, where titles and tags are long; a line of the control socket has 8 MiB. */
const CALL_LENGTH_MAX = 1024 * 1024

/** What became of a line of a list, or of an entry of a folder. */
export type BulkResult = { readonly line?: number; readonly path: string | null } & BulkOutcome

/** `refused`: of those published, those that are not acknowledged since index nodes do not take them. */
export type BulkCounts = { published: number; acknowledged: number; refused: number; unchanged: number; failed: number }

export const noCounts = (): BulkCounts => ({ published: 0, acknowledged: 0, refused: 0, unchanged: 0, failed: 0 })

export function countResult(counts: BulkCounts, result: BulkOutcome): void {
  counts[result.outcome] += 1
  if (result.outcome !== 'published') return
  if (result.acknowledged) counts.acknowledged += 1
  else if (result.refused.length > 0) counts.refused += 1
}

export type BulkWatch = {
  /** Called with each result, call by call; waited for. */
  onResult(result: BulkResult): Promise<void>
  /** `done`: through by now, told or not. `bytes`: hashed. */
  onProgress(progress: BulkProgress): void
}

type Waiting = { readonly line?: number; readonly item: BulkItem }

/**
 * Publishes what comes, a few hundred at a time, so that neither this process nor the node holds more than that of it.
 * @param more of all of them
 * @throws what a call throws, once those under way have ended
 */
export async function publishInBulk(
  client: Pick<ClientService, 'publishMany'>,
  entries: AsyncIterable<BulkEntry> | Iterable<BulkEntry>,
  more: { hidden: boolean; hybrid: boolean },
  { onResult, onProgress }: BulkWatch,
): Promise<BulkCounts> {
  const counts = noCounts()
  const through: BulkProgress = { done: 0, bytes: 0 }
  const calls = new Set<Promise<void>>()
  let failure: { error: unknown } | undefined
  let telling = Promise.resolve()

  const tell = async (result: BulkResult) => {
    countResult(counts, result)
    await onResult(result)
  }
  const publish = async (some: readonly Waiting[]) => {
    const call = client.publishMany({ items: some.map(({ item }) => item), ...more })
    let told: BulkProgress = { done: 0, bytes: 0 }
    const add = (progress: BulkProgress) => {
      through.done += progress.done - told.done
      through.bytes += progress.bytes - told.bytes
      told = progress
      onProgress(through)
    }
    for (;;) {
      const step = await call.next()
      if (step.done !== true) {
        add(step.value)
        continue
      }
      add({ ...told, done: some.length })
      const { value: outcomes } = step
      // One call after the other, as they end: one with a large file holds up no other.
      telling = telling.then(async () => {
        for (const [place, outcome] of outcomes.entries()) {
          const { line, item } = some[place] ?? {}
          await tell({ ...(line === undefined ? {} : { line }), path: item?.path ?? null, ...outcome })
        }
      })
      return telling
    }
  }
  const begin = (some: readonly Waiting[]) => {
    const call = publish(some)
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => calls.delete(call))
    calls.add(call)
  }

  let waiting: Waiting[] = []
  let length = 0
  for await (const entry of entries) {
    if ('problem' in entry) {
      through.done += 1
      await tell({ ...(entry.line === undefined ? {} : { line: entry.line }), path: null, ...failed(entry.problem) })
      continue
    }
    const itemLength = JSON.stringify(entry.item).length
    if (waiting.length === BULK_ITEMS_MAX || (waiting.length > 0 && length + itemLength > CALL_LENGTH_MAX)) {
      begin(waiting)
      waiting = []
      length = 0
      if (calls.size >= CALLS_AT_A_TIME) await Promise.race(calls)
      if (failure !== undefined) break
    }
    waiting.push(entry)
    length += itemLength
  }
  if (waiting.length > 0 && failure === undefined) begin(waiting)
  await Promise.all(calls)
  if (failure !== undefined) throw failure.error
  return counts
}

const failed = (reason: string): BulkOutcome => ({ outcome: 'failed', reason })
