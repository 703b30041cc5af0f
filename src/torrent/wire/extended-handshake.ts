import { type BencodedDictionary, decode, type Encodable, encode } from '../bencode.ts'

// The handshake of the extension protocol (BEP 10): which extensions a peer takes, under which ids, and what it says of itself.

const CLIENT_NAME_LENGTH_MAX = 64
/** A character in UTF-8. */
const CHARACTER_BYTES_MAX = 4
/** Of a connection: a handshake of 64 KiB has room for 8,000, and a peer may send sixteen of them. No client has twenty. */
const NAMES_MAX = 64
const NAME_LENGTH_MAX = 64
/** Where libtorrent takes a peer that names no number of requests. */
const REQUESTS_UNNAMED = 250

export type ExtendedHandshake = {
  /** Extension to id; a name that it took back is not in it. */
  readonly ids: ReadonlyMap<string, number>
  readonly client: string
  /** Bytes of the info dictionary (BEP 9); undefined while it has none. */
  readonly metadataBytes: number | undefined
  /** Requests that it takes at a time. */
  readonly requestsMax: number
  /** TCP port that it takes connections on; undefined if it did not say. */
  readonly port: number | undefined
}

/** @param ids ours @param said what more it says */
export const encodeExtendedHandshake = (
  ids: Readonly<Record<string, number>>,
  said: Readonly<Record<string, Encodable>>,
): Uint8Array => encode({ m: ids, ...said })

/** Of a payload that message-bounds.ts has passed. @param before what it said the last time: a later one adds to it */
export function decodeExtendedHandshake(payload: Uint8Array, before: ExtendedHandshake | undefined): ExtendedHandshake {
  const said = decode(payload) as BencodedDictionary
  const ids = new Map(before?.ids)
  const named = said.get('m')
  if (named instanceof Map) {
    for (const [name, id] of named) {
      if (id === 0) ids.delete(name)
      else if (typeof id === 'number' && isKept(name, ids)) ids.set(name, id)
    }
  }
  const client = said.get('v')
  const metadataBytes = said.get('metadata_size')
  const requestsMax = said.get('reqq')
  const port = said.get('p')
  return {
    ids,
    client: client instanceof Uint8Array ? clientName(client) : (before?.client ?? ''),
    metadataBytes: typeof metadataBytes === 'number' && metadataBytes > 0 ? metadataBytes : before?.metadataBytes,
    requestsMax:
      typeof requestsMax === 'number' && requestsMax > 0
        ? Math.min(requestsMax, 0xffff)
        : (before?.requestsMax ?? REQUESTS_UNNAMED),
    port: typeof port === 'number' && port > 0 && port < 65_536 ? port : before?.port,
  }
}

const isKept = (name: string, ids: ReadonlyMap<string, number>): boolean =>
  ids.has(name) || (ids.size < NAMES_MAX && name.length <= NAME_LENGTH_MAX)

/** Cut before it is read: the end of a long text would stay in memory with its beginning. */
const clientName = (bytes: Uint8Array): string =>
  new TextDecoder().decode(bytes.subarray(0, CLIENT_NAME_LENGTH_MAX * CHARACTER_BYTES_MAX)).slice(0, CLIENT_NAME_LENGTH_MAX)
