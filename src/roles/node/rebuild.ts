import type { ProjectionStates } from '../../projections/all.ts'
import type { ProjectionRunner } from '../../projections/index.ts'
import type { Progressive, RebuildProgress, RebuildResult } from '../services.ts'
import { withProgress } from './with-progress.ts'

/** Makes projections again from the log, one after the other, while the node goes on answering. */
export function rebuild(
  states: ProjectionRunner<ProjectionStates>,
  names: readonly (keyof ProjectionStates & string)[],
): Progressive<RebuildProgress, RebuildResult> {
  return withProgress(async (report, signal) => {
    const projections: RebuildResult['projections'] = []
    for (const name of names) {
      signal.throwIfAborted()
      const startedAt = performance.now()
      const { events, digestBefore, digestAfter } = await states.rebuild(name, {
        onProgress: ({ done, total }) => report(told(name, done, total, performance.now() - startedAt)),
      })
      const elapsedMs = Math.round(performance.now() - startedAt)
      report(told(name, events, events, elapsedMs))
      projections.push({ name, events, elapsedMs, digestBefore, digestAfter })
    }
    return { projections }
  })
}

function told(projection: string, done: number, total: number, elapsedMs: number): RebuildProgress {
  const eventsPerSecond = elapsedMs > 0 ? Math.round((done / elapsedMs) * 1000) : 0
  const timeLeftMs = eventsPerSecond > 0 ? Math.round(((total - done) / eventsPerSecond) * 1000) : null
  return { projection, done, total, eventsPerSecond, timeLeftMs }
}
