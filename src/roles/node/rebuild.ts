import type { ProjectionStates } from '../../projections/all.ts'
import type { ProjectionRunner } from '../../projections/index.ts'
import { type Progressive, type RebuildProgress, type RebuildResult, ServiceError } from '../services.ts'
import { withProgress } from './with-progress.ts'

type Name = keyof ProjectionStates & string
type Names = readonly Name[]

/** The projections that are meant: all, if none is named. @throws ServiceError `usage` */
export function knownProjections(
  states: Pick<ProjectionRunner<ProjectionStates>, 'checkpoints'>,
  names: readonly string[] | undefined,
): Names {
  const known = states.checkpoints().map(({ name }) => name)
  const unknown = names?.find((name) => !known.includes(name as Name))
  if (unknown !== undefined) throw new ServiceError('usage', `there is no projection ${unknown}; known are ${known.join(', ')}`)
  return [...new Set((names ?? known) as Name[])]
}

/**
 * Makes projections again from the log, one after the other, while the node goes on answering. Callers wait for each
 * other: each rebuild holds a second copy of a projection.
 */
export function createRebuilder(
  states: ProjectionRunner<ProjectionStates>,
): (names: Names) => Progressive<RebuildProgress, RebuildResult> {
  let last: Promise<unknown> = Promise.resolve()
  return (names) =>
    withProgress((report, signal) => {
      const turn = last.then(() => rebuild(states, names, report, signal))
      last = turn.catch(() => {})
      return turn
    })
}

async function rebuild(
  states: ProjectionRunner<ProjectionStates>,
  names: Names,
  report: (progress: RebuildProgress) => void,
  signal: AbortSignal,
): Promise<RebuildResult> {
  const projections: RebuildResult['projections'] = []
  for (const name of names) {
    signal.throwIfAborted()
    const startedAt = performance.now()
    const { events, digestBefore, digestAfter } = await states.rebuild(name, {
      onProgress: ({ done, total }) => report(told(name, done, total, performance.now() - startedAt)),
      signal,
    })
    const elapsedMs = Math.round(performance.now() - startedAt)
    report(told(name, events, events, elapsedMs))
    projections.push({ name, events, elapsedMs, digestBefore, digestAfter })
  }
  return { projections }
}

export function told(projection: string, done: number, total: number, elapsedMs: number): RebuildProgress {
  const eventsPerSecond = elapsedMs > 0 ? Math.round((done / elapsedMs) * 1000) : 0
  const timeLeftMs = eventsPerSecond > 0 ? Math.round(((total - done) / eventsPerSecond) * 1000) : null
  return { projection, done, total, eventsPerSecond, timeLeftMs }
}
