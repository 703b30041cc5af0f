import type { NodeRole } from '../../events/index.ts'
import type { RebuildResult } from '../../roles/index.ts'
import { rebuildLine } from '../render/progress-bar.ts'
import { ProgressLine, withProgress } from './output.ts'
import { reachDirectory } from './reach.ts'

/** Makes projections again, of a running node or a stopped one. `names` undefined: all. `quiet`: without progress. */
export async function rebuildProjections(options: {
  data: string | undefined
  role?: NodeRole
  names: readonly string[] | undefined
  quiet: boolean
}): Promise<RebuildResult> {
  const { data, role, names, quiet } = options
  const { directory, running } = await reachDirectory(data, role)
  const work =
    running === undefined
      ? (await import('../../roles/compose-stopped.ts')).rebuildStopped(directory, names)
      : running.node.rebuild(names === undefined ? {} : { projections: [...names] })
  const line = new ProgressLine()
  try {
    return await withProgress(work, quiet ? undefined : (progress) => line.show((columns) => rebuildLine(progress, columns)))
  } finally {
    line.end()
  }
}
