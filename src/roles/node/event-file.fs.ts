import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { BUNDLE_MAGIC_BYTES, BundleError, BundleReader, isBundle, type SignedEvent } from '../../events/index.ts'
import { ServiceError } from '../services.ts'

/** Events handed out together. */
const BATCH_EVENTS = 512

/**
 * The events of a file that `log export` wrote, bundle or NDJSON, in its order, some at a time.
 * @throws ServiceError `usage` if it cannot be read or is neither, `damaged` if it is not whole
 */
export async function* readEventFile(path: string): AsyncGenerator<readonly SignedEvent[], void, void> {
  let start: Uint8Array
  try {
    await using file = await open(path, 'r')
    const { buffer, bytesRead } = await file.read(new Uint8Array(BUNDLE_MAGIC_BYTES), 0, BUNDLE_MAGIC_BYTES, 0)
    start = buffer.subarray(0, bytesRead)
  } catch (cause) {
    throw new ServiceError('usage', `cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
  if (isBundle(start) && start.length === BUNDLE_MAGIC_BYTES) yield* readBundle(path)
  // "{"
  else if (start[0] === 0x7b) yield* readLines(path)
  else throw new ServiceError('usage', `${path} is no export of a log: neither a bundle nor NDJSON`)
}

async function* readBundle(path: string): AsyncGenerator<readonly SignedEvent[], void, void> {
  const reader = new BundleReader(createHash('sha256'))
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) {
      const events = reader.push(piece)
      if (events.length > 0) yield events
    }
    reader.end()
  } catch (cause) {
    if (cause instanceof BundleError) throw new ServiceError('damaged', `${path}: ${cause.message}`, { cause })
    throw cause
  }
}

async function* readLines(path: string): AsyncGenerator<readonly SignedEvent[], void, void> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })
  let batch: SignedEvent[] = []
  let number = 0
  for await (const line of lines) {
    number += 1
    if (line === '') continue
    batch.push(signedOf(line, `${path}, line ${number}`))
    if (batch.length < BATCH_EVENTS) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function signedOf(line: string, place: string): SignedEvent {
  try {
    const { body, signature } = JSON.parse(line) as { body?: unknown; signature?: unknown }
    if (typeof body === 'string' && typeof signature === 'string')
      return { body: new Uint8Array(Buffer.from(body, 'base64')), signature: new Uint8Array(Buffer.from(signature, 'base64')) }
  } catch (cause) {
    throw new ServiceError('damaged', `${place}: not JSON`, { cause })
  }
  throw new ServiceError('damaged', `${place}: an event without its signed bytes`)
}
