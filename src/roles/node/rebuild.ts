import type { ProjectionStates } from '../../projections/all.ts'
import type { ProjectionRunner } from '../../projections/index.ts'
import type { Progressive, RebuildProgress, RebuildResult } from '../services.ts'

/** How often progress is told, ms. */
const PROGRESS_MS = 200

/** Makes projections again from the log, one after the other, while the node goes on answering. */
export async function* rebuild(
  states: ProjectionRunner<ProjectionStates>,
  names: readonly (keyof ProjectionStates)[],
): Progressive<RebuildProgress, RebuildResult> {
  const projections: RebuildResult['projections'] = []
  for (const name of names) {
    const startedAt = performance.now()
    let progress = { done: 0, total: states.applied }
    let wake = () => {}
    let finished = false
    const work = states
      .rebuild(name, {
        onProgress: (now) => {
          progress = now
        },
      })
      .finally(() => {
        finished = true
        wake()
      })
    // Its failure is thrown where it is awaited below, not before.
    work.catch(() => {})
    while (!finished) {
      await new Promise<void>((resolve) => {
        wake = resolve
        setTimeout(resolve, PROGRESS_MS).unref()
      })
      if (!finished) yield told(name, progress, performance.now() - startedAt)
    }
    const { events, digestBefore, digestAfter } = await work
    const elapsedMs = Math.round(performance.now() - startedAt)
    yield told(name, { done: events, total: events }, elapsedMs)
    projections.push({ name, events, elapsedMs, digestBefore, digestAfter })
  }
  return { projections }
}

function told(projection: string, { done, total }: { done: number; total: number }, elapsedMs: number): RebuildProgress {
  const eventsPerSecond = elapsedMs > 0 ? Math.round((done / elapsedMs) * 1000) : 0
  const timeLeftMs = eventsPerSecond > 0 ? Math.round(((total - done) / eventsPerSecond) * 1000) : null
  return { projection, done, total, eventsPerSecond, timeLeftMs }
}
