import { type Envelope, type EventKind, isNodeId, KINDS } from '../../events/index.ts'
import { type EventRow, type JsonEvent, type LogFilter, ServiceError } from '../services.ts'

/** An event as it is shown and sent over the socket: bytes become base64 text. */
export function eventRow(envelope: Envelope): EventRow {
  const { seq, lamport, at, author, stream, authorSeq, event } = envelope
  return { seq, lamport, at, author, stream, authorSeq, kind: event.kind, event: plain(event) as JsonEvent }
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
  }
  return value
}

/** @throws ServiceError `usage` for a kind that does not exist */
export function eventKinds(kinds: readonly string[] | undefined): EventKind[] | undefined {
  if (kinds === undefined || kinds.length === 0) return undefined
  const unknown = kinds.find((kind) => !Object.hasOwn(KINDS, kind))
  if (unknown !== undefined) {
    throw new ServiceError('usage', `there is no event kind "${unknown}"; known are ${Object.keys(KINDS).join(', ')}`)
  }
  return kinds as EventKind[]
}

/** The author of a filter: a whole node id. @throws ServiceError `usage` */
export function authorOf({ author }: LogFilter): string | undefined {
  if (author !== undefined && !isNodeId(author)) throw new ServiceError('usage', `not a node id (64 hex digits): ${author}`)
  return author
}
