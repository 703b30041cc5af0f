import { realpathSync } from 'node:fs'
import { LogError } from './event-log.ts'

// LevelDB's lock is a POSIX record lock: a second open in the same process fails, and on its way out gives the lock of
// the first one away, so that any other process gets in. So it must never be tried: every open asks here first.

const open = new Set<string>()

/**
 * Claims an existing directory for this process.
 * @returns a function that gives it back
 * @throws LogError `LOG_LOCKED` if this process has it open
 */
export function claimPath(directory: string): () => void {
  const path = realpathSync(directory)
  if (open.has(path)) throw new LogError({ code: 'LOG_LOCKED', directory, pid: process.pid })
  open.add(path)
  return () => {
    open.delete(path)
  }
}
