import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncDirectory } from './sync-directory.fs.ts'

/**
 * Makes a directory and those above it, mode 0700; the disk has them when it resolves. Not by `mkdir` with `recursive`:
 * Node 24's never returns where a file system refuses with ENOENT, as /proc does.
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
    syncDirectory(dirname(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    if (code !== 'ENOENT' || dirname(path) === path) throw error
    await makeDirectory(dirname(path))
    await mkdir(path, { mode: 0o700 })
    syncDirectory(dirname(path))
  }
}
