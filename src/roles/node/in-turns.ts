import type { Steps } from '../../projections/reputation/index.ts'
import type { WalkOptions } from './walk-log.ts'

/** Work in steps, with others' turns in between; a caller that has gone ends it. */
export async function inTurns<R>(steps: Steps<R>, { turns, signal }: Pick<WalkOptions, 'turns' | 'signal'>): Promise<R> {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
    if (turns.isOver) {
      await turns.next()
      signal?.throwIfAborted()
    }
  }
}
