import type { Timers } from '../events/index.ts'
import type { ProjectionStates } from '../projections/all.ts'
import type { ProjectionRunner } from '../projections/index.ts'

export type Patience = { readonly timers: Timers; readonly waitMs: number; readonly closing: AbortSignal }

/** Resolves when it is true, after `waitMs`, or when the node closes. `follow`: whatever may make it true. */
export function untilTrue(
  isTrue: () => boolean,
  follow: (look: () => void) => (() => void)[],
  { timers, waitMs, closing }: Patience,
): Promise<void> {
  if (isTrue() || closing.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = () => {
      for (const stop of stops) stop()
      cancel()
      closing.removeEventListener('abort', done)
      resolve()
    }
    const stops = follow(() => {
      if (isTrue()) done()
    })
    const cancel = timers.after(waitMs, done)
    closing.addEventListener('abort', done)
  })
}

/**
 * Makes the attempt now and again with each admission that comes, until it succeeds, after `waitMs`, or until the node closes. In a
 * network that has just begun many are admitted within a second: the next one need not be the one that is waited for.
 */
export async function untilAdmitted(
  states: Pick<ProjectionRunner<ProjectionStates>, 'onChange'>,
  attempt: () => boolean | Promise<boolean>,
  { timers, waitMs, closing }: Patience,
): Promise<void> {
  let isOver = closing.aborted
  let hasChanged = true
  let wake = () => {}
  const end = () => {
    isOver = true
    wake()
  }
  const stop = states.onChange('admissions', () => {
    hasChanged = true
    wake()
  })
  const cancel = timers.after(waitMs, end)
  closing.addEventListener('abort', end)
  try {
    while (!isOver) {
      const changing = new Promise<void>((resolve) => {
        wake = resolve
      })
      if (hasChanged) {
        hasChanged = false
        if (await attempt()) return
      } else await changing
    }
  } finally {
    stop()
    cancel()
    closing.removeEventListener('abort', end)
  }
}
