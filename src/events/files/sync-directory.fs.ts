import { closeSync, fsyncSync, openSync } from 'node:fs'

/** What systems say that cannot bring a directory to the disk by itself: there is nothing better to do than to go on. */
const CANNOT: ReadonlySet<string | undefined> = new Set(['EINVAL', 'ENOTSUP', 'ENOSYS', 'EISDIR', 'EPERM', 'EACCES', 'EBADF'])

/**
 * Waits until the disk has the names in a directory: an fsync of a file does not bring its name there, so after a power
 * cut a file that was synced, or renamed, may be gone. File systems that refuse are believed to do it by themselves.
 */
export function syncDirectory(path: string): void {
  try {
    const directory = openSync(path, 'r')
    try {
      fsyncSync(directory)
    } finally {
      closeSync(directory)
    }
  } catch (error) {
    if (!CANNOT.has((error as NodeJS.ErrnoException).code)) throw error
  }
}
