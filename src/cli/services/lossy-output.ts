import { fstatSync, writeSync } from 'node:fs'

/** The file descriptor of stdout. */
const STDOUT = 1

/** Text that waits for a reader which takes none, in bytes; above it, lines are dropped. */
export const WAITING_BYTES_MAX = 256 * 1024

/** What lies behind an output: where its bytes go at once, and where they do not. */
export type LossyOutput = {
  /** Writes some of the bytes to a file. @returns how many @throws what the system says */
  readonly writeToFile: (bytes: Uint8Array) => number
  /** A pipe or a terminal; undefined if the output is a file. */
  readonly stream: { write(text: string): unknown; readonly writableLength: number } | undefined
}

/**
 * Writes lines that nobody's work depends on, as a running node's are: one that a full disk refuses, or that a
 * reader does not take, is dropped, and the next one is tried again. Node's own stream over a file is of no more use after the first failure, and ends the
 * process with it. A line of which only a part went out is closed by the next one that goes.
 */
export function lossyLines({ writeToFile, stream }: LossyOutput = stdout()): (line: string) => void {
  if (stream !== undefined)
    return (line) => {
      if (stream.writableLength < WAITING_BYTES_MAX) stream.write(`${line}\n`)
    }
  let isTorn = false
  return (line) => {
    let bytes = Buffer.from(`${isTorn ? '\n' : ''}${line}\n`)
    const { length } = bytes
    try {
      while (bytes.length > 0) bytes = bytes.subarray(writeToFile(bytes))
      isTorn = false
    } catch {
      // Nothing can be told here, and the node goes on; what matters is in its log.
      isTorn = isTorn || bytes.length < length
    }
  }
}

function stdout(): LossyOutput {
  return { writeToFile: (bytes) => writeSync(STDOUT, bytes), stream: isFile() ? undefined : process.stdout }
}

/** True for files, and devices that are no terminal: those that Node writes to in place, and that can be full. */
function isFile(): boolean {
  const kind = fstatSync(STDOUT)
  return kind.isFile() || (kind.isCharacterDevice() && process.stdout.isTTY !== true)
}
