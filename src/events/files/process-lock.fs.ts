import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { LogError } from '../log/event-log.ts'
import { bootId } from '../log/head-file.fs.ts'

// A lock file that says who holds it, so that a second process can be told. LevelDB's own lock stands behind it: should
// two processes take over a dead one's lock in the same instant, one of them fails there.

type Holder = { readonly pid: number; readonly startedAt: string | null; readonly boot: string | null }

/** When a process started, in the kernel's ticks; tells a process from a later one with its number. Null where unknown. */
function startOf(pid: number): string | null {
  try {
    // The name in parentheses may hold spaces and parentheses itself; the 20th field after it is the start time.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}

function isAlive({ pid, startedAt, boot }: Holder): boolean {
  const now = bootId()
  if (boot !== null && now !== null && boot !== now) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const start = startOf(pid)
  return startedAt === null || start === null || start === startedAt
}

function readHolder(path: string): Holder | undefined {
  try {
    const { pid, startedAt, boot } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Holder>
    return typeof pid === 'number' && pid > 0 ? { pid, startedAt: startedAt ?? null, boot: boot ?? null } : undefined
  } catch {
    return undefined
  }
}

/** The process that holds the lock file, or undefined if nobody alive does. */
export function lockHolder(path: string): number | undefined {
  const holder = readHolder(path)
  return holder !== undefined && isAlive(holder) ? holder.pid : undefined
}

/**
 * Takes the lock file; one left by a dead process is taken over.
 * @param directory named in the error
 * @returns a function that gives it back
 * @throws LogError `LOG_LOCKED` with the process that holds it
 */
export function takeLock(path: string, directory: string): () => void {
  const mine: Holder = { pid: process.pid, startedAt: startOf(process.pid), boot: bootId() }
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, JSON.stringify(mine))
  try {
    // A link appears whole or not at all, and fails where the file is there.
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const pid = lockHolder(path)
    if (pid !== undefined) throw new LogError({ code: 'LOG_LOCKED', directory, pid })
    renameSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
  return () => {
    if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true })
  }
}
