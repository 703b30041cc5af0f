import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import {
  BUNDLE_MAGIC_BYTES,
  BundleError,
  BundleReader,
  CredentialError,
  decodeGenesis,
  fromHex,
  isBundle,
  type NodeId,
  type SignedEvent,
} from '../../events/index.ts'
import { ServiceError } from '../services.ts'

/** Events handed out together. */
const BATCH_EVENTS = 512

/**
 * The events of a file that `log export` wrote, bundle or NDJSON, in its order, some at a time.
 * @param allowPartial take NDJSON as it is, without its last line or with another number of events than that says: such
 *   files are made by hand, with filters, or by versions that wrote no such line, and cannot be told from files that were cut
 * @param onGenesis gets the genesis record of the network that the events are of, before the first event where the file says it
 * @param onAuthor gets the node whose log it is, of a bundle
 * @throws ServiceError `usage` if it cannot be read or is neither, `damaged` if it is not whole
 */
export async function* readEventFile(
  path: string,
  {
    allowPartial = false,
    onGenesis = () => {},
    onAuthor = () => {},
  }: { allowPartial?: boolean; onGenesis?: (genesis: Uint8Array) => void; onAuthor?: (author: NodeId) => void } = {},
): AsyncGenerator<readonly SignedEvent[], void, void> {
  let start: Uint8Array
  try {
    await using file = await open(path, 'r')
    const { buffer, bytesRead } = await file.read(new Uint8Array(BUNDLE_MAGIC_BYTES), 0, BUNDLE_MAGIC_BYTES, 0)
    start = buffer.subarray(0, bytesRead)
  } catch (cause) {
    throw new ServiceError('usage', `cannot read ${path}: ${(cause as Error).message}`, { cause })
  }
  if (isBundle(start) && start.length === BUNDLE_MAGIC_BYTES) yield* readBundle(path, onGenesis, onAuthor)
  // "{"
  else if (start[0] === 0x7b) yield* readLines(path, allowPartial, onGenesis)
  else throw new ServiceError('usage', `${path} is no export of a log: neither a bundle nor NDJSON`)
}

type OnGenesis = (genesis: Uint8Array) => void

async function* readBundle(
  path: string,
  onGenesis: OnGenesis,
  onAuthor: (author: NodeId) => void,
): AsyncGenerator<readonly SignedEvent[], void, void> {
  const reader = new BundleReader(createHash('sha256'))
  let isTold = false
  try {
    for await (const piece of createReadStream(path) as AsyncIterable<Uint8Array>) {
      const events = reader.push(piece)
      if (!isTold && reader.header !== undefined) {
        isTold = true
        onGenesis(checkedGenesis(reader.header.genesis, path))
        onAuthor(reader.header.author)
      }
      if (events.length > 0) yield events
    }
    reader.end()
  } catch (cause) {
    if (cause instanceof BundleError) throw new ServiceError('damaged', `${path}: ${cause.message}`, { cause })
    throw cause
  }
}

async function* readLines(
  path: string,
  allowPartial: boolean,
  onGenesis: OnGenesis,
): AsyncGenerator<readonly SignedEvent[], void, void> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })
  let batch: SignedEvent[] = []
  let number = 0
  let events = 0
  let promised: number | undefined
  for await (const line of lines) {
    number += 1
    if (line === '') continue
    const read = lineOf(line, `${path}, line ${number}`)
    if ('end' in read) {
      promised = (promised ?? 0) + read.end
      continue
    }
    if ('genesis' in read) {
      onGenesis(read.genesis)
      continue
    }
    events += 1
    batch.push(read)
    if (batch.length < BATCH_EVENTS) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
  if (allowPartial || promised === events) return
  const why =
    promised === undefined
      ? 'lacks the last line, which says how many events it holds: it was cut off, unless it was made by hand or by an older version'
      : `holds ${events} events, and its last line says ${promised}`
  throw new ServiceError('damaged', `${path} ${why} (--allow-partial takes it as it is): nothing was imported`)
}

type Line = SignedEvent | { end: number } | { genesis: Uint8Array }
type LineFields = { body?: unknown; signature?: unknown; end?: { events?: unknown }; network?: { genesis?: unknown } }

function genesisOf(hex: string, place: string): Uint8Array {
  if (!/^([0-9a-f]{2})+$/.test(hex)) throw new ServiceError('damaged', `${place}: not a network's genesis record`)
  return checkedGenesis(fromHex(hex), place)
}

function checkedGenesis(genesis: Uint8Array, place: string): Uint8Array {
  try {
    decodeGenesis(genesis)
    return genesis
  } catch (cause) {
    if (!(cause instanceof CredentialError)) throw cause
    throw new ServiceError('damaged', `${place}: ${cause.message}`, { cause })
  }
}

/**
 * An event; or the network that the events are of, which the first line says; or how many there are, which the last one
 * says. Exports that were put one after the other have one each.
 */
function lineOf(line: string, place: string): Line {
  try {
    const { body, signature, end, network } = JSON.parse(line) as LineFields
    if (typeof network?.genesis === 'string') return { genesis: genesisOf(network.genesis, place) }
    if (typeof end?.events === 'number') return { end: end.events }
    if (typeof body === 'string' && typeof signature === 'string')
      return { body: new Uint8Array(Buffer.from(body, 'base64')), signature: new Uint8Array(Buffer.from(signature, 'base64')) }
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause
    throw new ServiceError('damaged', `${place}: not JSON`, { cause })
  }
  throw new ServiceError('damaged', `${place}: an event without its signed bytes`)
}
