/** Long work that yields every few milliseconds, so that whoever runs it can give others their turn. */
export type Steps<R> = Generator<void, R, void>

/** Rows that are folded between two turns: about a millisecond. */
export const ROWS_PER_STEP = 2_048

/** All steps at once. */
export function finish<R>(steps: Steps<R>): R {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}
