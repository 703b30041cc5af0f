import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { encodeBundleEnd, encodeBundleEvent, encodeBundleHeader, type NodeId, toHex } from '../../events/index.ts'
import { type LogFilter, type LogQueries, ServiceError } from '../../roles/index.ts'

export type Exported = { events: number; bytes: number }

/**
 * The network that the events are of, then the events with their signed bytes, one JSON text each: both listings are in
 * log order, and are read side by side. Last a line that says how many they are: a file that was cut at the end of a line would look whole.
 */
async function* signedLines({ queries: log, genesis }: ExportedLog, filter: LogFilter): AsyncGenerator<string, void, void> {
  const signed = log.signed(filter)[Symbol.asyncIterator]()
  let events = 0
  yield JSON.stringify({ network: { genesis: toHex(genesis) } })
  try {
    for await (const row of log.events(filter)) {
      const step = await signed.next()
      if (step.done === true || step.value.seq !== row.seq)
        throw new ServiceError(
          'failed',
          `the signed bytes of event ${row.seq} are not where they should be: run \`p2pt log verify\``,
        )
      yield JSON.stringify({ ...row, body: step.value.body, signature: step.value.signature })
      events += 1
    }
    yield JSON.stringify({ end: { events } })
  } finally {
    await signed.return?.()
  }
}

/** A bundle of the events, piece by piece, see src/events/bundle.ts. */
async function* bundlePieces(
  { queries, id, genesis }: ExportedLog,
  filter: LogFilter,
  head: number,
): AsyncGenerator<Uint8Array, void, void> {
  const hash = createHash('sha256')
  const hashed = (piece: Uint8Array): Uint8Array => {
    hash.update(piece)
    return piece
  }
  let count = 0
  yield hashed(encodeBundleHeader({ author: id, head, at: Date.now(), genesis }))
  for await (const { body, signature } of queries.signed(filter)) {
    count += 1
    yield hashed(encodeBundleEvent({ body: Buffer.from(body, 'base64'), signature: Buffer.from(signature, 'base64') }))
  }
  yield hashed(encodeBundleEnd(count))
  yield hash.digest()
}

export type ExportedLog = { readonly queries: LogQueries; readonly id: NodeId; readonly genesis: Uint8Array }
export type ExportTarget = { readonly format: 'ndjson' | 'bundle'; readonly file: string | undefined }

/**
 * Writes events to stdout, or to `file`, which appears whole or not at all.
 * @throws ServiceError `failed` if the file cannot be written
 */
export async function exportLog(log: ExportedLog, filter: LogFilter, { format, file }: ExportTarget): Promise<Exported> {
  // New events come in meanwhile, and the two listings must end at the same one.
  const { seq: head } = await log.queries.head()
  const range = { ...filter, to: filter.to ?? head }
  const isBundle = format === 'bundle'
  const pieces = isBundle ? bundlePieces(log, range, head) : lineBytes(signedLines(log, range))
  const written: Exported = { events: isBundle ? -BUNDLE_EXTRA_PIECES : -LINES_AROUND, bytes: 0 }
  const count = (piece: Uint8Array) => {
    written.events += 1
    written.bytes += piece.length
  }
  if (file === undefined) {
    for await (const piece of pieces) {
      await writePiece(piece, process.stdout)
      count(piece)
    }
    return written
  }
  const partial = `${file}.part`
  const output = createWriteStream(partial, { mode: 0o600 })
  const failed = once(output, 'error').then(([error]) => Promise.reject(error))
  failed.catch(() => {})
  try {
    for await (const piece of pieces) {
      await Promise.race([writePiece(piece, output), failed])
      count(piece)
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

/** Header, end and checksum are no events. */
const BUNDLE_EXTRA_PIECES = 3
/** The first and the last. */
const LINES_AROUND = 2

async function* lineBytes(lines: AsyncIterable<string>): AsyncGenerator<Uint8Array, void, void> {
  for await (const line of lines) yield Buffer.from(`${line}\n`)
}

/** Resolves when the reader has room for more. */
async function writePiece(piece: Uint8Array, output: Writable): Promise<void> {
  if (!output.write(piece)) await once(output, 'drain')
}
