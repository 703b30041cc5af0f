import type { Progressive } from '../../roles/index.ts'
import { stepLine } from '../render/progress-bar.ts'
import { bytes } from '../render/units.ts'
import { ProgressLine, withProgress } from './output.ts'

/**
 * The result of work that tells how many bytes are done.
 * @param show draws that on stderr, after `what`
 */
export async function watched<R>(
  work: Progressive<{ done: number; total: number }, R>,
  what: string,
  show: boolean,
): Promise<R> {
  const line = new ProgressLine()
  try {
    return await withProgress(
      work,
      show ? ({ done, total }) => line.show((columns) => stepLine(what, done, total, columns, bytes)) : undefined,
    )
  } finally {
    line.end()
  }
}
