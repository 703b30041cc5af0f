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

/** Resolves when somebody was admitted or put out, after `waitMs`, or when the node closes. */
export function untilAdmitted(states: Pick<ProjectionRunner<ProjectionStates>, 'onChange'>, patience: Patience): Promise<void> {
  let hasChanged = false
  return untilTrue(
    () => hasChanged,
    (look) => [
      states.onChange('admissions', () => {
        hasChanged = true
        look()
      }),
    ],
    patience,
  )
}
