import type { FileHandle } from 'node:fs/promises'
import type { FileStamp } from './file-stamp.ts'

/** How a file looked before a write, and after it. */
export type Written = {
  readonly before: FileStamp
  readonly sizeBefore: number
  /** Undefined: it did not look as expected, and nothing was written. */
  readonly after: FileStamp | undefined
}

/** Writes to a file, unless something else has changed it. */
export interface WatchedWriter {
  /**
   * @param expected how it must look; undefined: as it is
   * @throws what the file system says
   */
  write(file: FileHandle, bytes: Uint8Array, position: number, expected: FileStamp | undefined): Promise<Written>
}
