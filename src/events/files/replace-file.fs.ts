import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncDirectory } from './sync-directory.fs.ts'

/** Writes a small file whole or not at all, readable by its owner alone, and waits until the disk has it under its name. */
export function replaceFile(path: string, bytes: Uint8Array): void {
  const draft = `${path}.new`
  const file = openSync(draft, 'w', 0o600)
  try {
    writeSync(file, bytes)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
  syncDirectory(dirname(path))
}
