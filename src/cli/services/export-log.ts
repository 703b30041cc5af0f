import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { type LogFilter, type LogQueries, ServiceError } from '../../roles/index.ts'
import { writeLine } from './output.ts'

export type Exported = { events: number; bytes: number }

/** Events with their signed bytes, one JSON text each: both listings are in log order, and are read side by side. */
async function* signedLines(log: LogQueries, filter: LogFilter): AsyncGenerator<string, void, void> {
  const signed = log.signed(filter)[Symbol.asyncIterator]()
  try {
    for await (const row of log.events(filter)) {
      const step = await signed.next()
      if (step.done === true || step.value.seq !== row.seq)
        throw new ServiceError(
          'failed',
          `the signed bytes of event ${row.seq} are not where they should be: run \`p2pt log verify\``,
        )
      yield JSON.stringify({ ...row, body: step.value.body, signature: step.value.signature })
    }
  } finally {
    await signed.return?.()
  }
}

/**
 * Writes events to stdout, or to `file`, which appears whole or not at all.
 * @throws ServiceError `failed` if the file cannot be written
 */
export async function exportLog(log: LogQueries, filter: LogFilter, file: string | undefined): Promise<Exported> {
  // New events come in meanwhile, and the two listings must end at the same one.
  const to = filter.to ?? (await log.stats()).events
  const lines = signedLines(log, { ...filter, to })
  const written: Exported = { events: 0, bytes: 0 }
  const count = (line: string) => {
    written.events += 1
    written.bytes += Buffer.byteLength(line) + 1
  }
  if (file === undefined) {
    for await (const line of lines) {
      await writeLine(line)
      count(line)
    }
    return written
  }
  const partial = `${file}.part`
  const output = createWriteStream(partial, { mode: 0o600 })
  const failed = once(output, 'error').then(([error]) => Promise.reject(error))
  failed.catch(() => {})
  try {
    for await (const line of lines) {
      await Promise.race([writeLine(line, output), failed])
      count(line)
    }
    await Promise.race([new Promise<void>((resolve) => output.end(resolve)), failed])
    await rename(partial, file)
  } catch (cause) {
    output.destroy()
    await rm(partial, { force: true })
    if (cause instanceof ServiceError) throw cause
    throw new ServiceError('failed', `cannot write ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  return written
}
