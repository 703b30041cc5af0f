import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { LogError } from '../log/event-log.ts'

// LevelDB's lock is a POSIX record lock: a second open in the same process fails, and on its way out gives the lock of
// the first one away, so that any other process gets in. So it must never be tried: every open asks here first.

const open = new Set<string>()

/**
 * Claims a directory, or a place in it that need not exist, for this process.
 * @returns a function that gives it back
 * @throws LogError `LOG_LOCKED` if this process has it open
 */
export function claimPath(directory: string, name = ''): () => void {
  const path = join(realpathSync(directory), name)
  if (open.has(path)) throw new LogError({ code: 'LOG_LOCKED', directory, pid: process.pid })
  open.add(path)
  return () => {
    open.delete(path)
  }
}
