import type { EventRow } from '../../roles/index.ts'

/** Places of a log, inclusive, that hold no event any more: pruned, or lost before a repair. */
export type GonePlaces = { readonly gone: { readonly from: number; readonly to: number } }

/**
 * Events of every kind with the places between them that hold none any more.
 * @param rows in the log's order
 * @param before the place before the first that is meant
 * @param to the last that is meant
 */
export function* withGonePlaces(rows: Iterable<EventRow>, before: number, to: number): Generator<EventRow | GonePlaces> {
  let last = before
  for (const row of rows) {
    if (row.seq > last + 1) yield { gone: { from: last + 1, to: row.seq - 1 } }
    yield row
    last = row.seq
  }
  if (to > last) yield { gone: { from: last + 1, to } }
}
