import { existsSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative } from 'node:path'
import { makeDirectory } from '../../events/files/make-directory.fs.ts'
import { claimPath } from '../../events/files/open-paths.fs.ts'
import { replaceFile } from '../../events/files/replace-file.fs.ts'
import { syncDirectory } from '../../events/files/sync-directory.fs.ts'
import { LogError } from '../../events/index.ts'
import type { StoppedLog } from '../../events/log/event-log.level.ts'
import { type BackupProgress, type BackupResult, type Progressive, ServiceError } from '../services.ts'
import { writeRestoredMark } from './restored.fs.ts'
import { withProgress } from './with-progress.ts'

/** Files beside the log that a copy needs, and those that only save it time. */
const NEEDED = ['key.seed', 'node.json'] as const
const HELPFUL = ['network.json', 'settings.json'] as const

/**
 * Copies a node, running or not, to a new data directory: its log as it stands at one moment, its key (mode 0600), and
 * a mark that says so, by which the node that starts there knows that its own sequence may have gone on (ADR 10).
 * Projections are left out, since they follow from the log, and so are downloads. The directory appears when it is whole.
 * @param output absolute; it may be there if it is empty
 * @throws ServiceError `usage` if something is there, `failed` if it cannot be written
 */
export function backUp(
  node: { readonly directory: string; readonly log: Pick<StoppedLog, 'copyTo'> & { readonly head: number } },
  output: string,
  now: () => number,
): Progressive<BackupProgress, BackupResult> {
  const total = node.log.head
  return withProgress(async (report, signal) => {
    if (existsSync(output) && readdirSync(output).length > 0)
      throw new ServiceError('usage', `${output} is not empty: give a directory that is not there yet`)
    if (isWithin(node.directory, output))
      throw new ServiceError('usage', `${output} is in the data directory of the node itself: give a place outside of it`)
    const draft = join(dirname(output), `.${basename(output)}.part`)
    let release = (): void => {}
    try {
      release = await claimed(output)
      rmSync(draft, { recursive: true, force: true })
      await makeDirectory(draft)
      const { head, gossipSeq, indexSeq } = await node.log.copyTo(draft, (seq) => {
        // Whoever asked for it is gone, and would be told by nobody that it is there.
        signal.throwIfAborted()
        report({ done: Math.min(seq, total), total })
      })
      for (const name of [...NEEDED, ...HELPFUL]) {
        const from = join(node.directory, name)
        if (!existsSync(from) && HELPFUL.includes(name as (typeof HELPFUL)[number])) continue
        // Mode 0600, and on the disk before the copy appears.
        replaceFile(join(draft, name), readFileSync(from))
      }
      signal.throwIfAborted()
      const at = now()
      writeRestoredMark(draft, { from: 'backup', at, gossipSeq, indexSeq })
      renameSync(draft, output)
      syncDirectory(dirname(output))
      return { directory: output, at, head: head.seq, headDigest: head.digest, gossipSeq, indexSeq }
    } catch (cause) {
      // The draft is another call's.
      if (cause instanceof ServiceError) throw cause
      rmSync(draft, { recursive: true, force: true })
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new ServiceError('failed', `the backup could not be written to ${output}: ${reason}`, { cause })
    } finally {
      release()
    }
  })
}

/**
 * One backup at a time to one place: the second would remove what the first has written, and the first call the rest whole.
 * @returns a function that gives the place back
 */
async function claimed(output: string): Promise<() => void> {
  await makeDirectory(dirname(output))
  try {
    return claimPath(dirname(output), `backup ${basename(output)}`)
  } catch (cause) {
    if (!(cause instanceof LogError)) throw cause
    const what = `a backup to ${output} is being written, or was a moment ago and is cleared away: try again when it is over`
    throw new ServiceError('failed', what, { cause })
  }
}

/** True for a directory and what is, or would be, in it; links are followed as far as there is something. */
function isWithin(directory: string, path: string): boolean {
  const inside = relative(realpathSync(directory), resolved(path))
  return inside === '' || !(inside === '..' || inside.startsWith('../') || isAbsolute(inside))
}

function resolved(path: string): string {
  if (existsSync(path) || dirname(path) === path) return realpathSync(path)
  return join(resolved(dirname(path)), basename(path))
}
