import type { Bencoded } from './bencode.ts'
import { decode } from './bencode.ts'

const ID_BYTES = 20
const PEER_BYTES = 6
const ANSWER_TRANSACTION_BYTES = 2

/**
 * True for a query, answer or error whose parts have the types and lengths of BEP 5. The DHT node takes a request from
 * its list before it looks at the answer: one that makes it throw leaves a look-up that never ends, for each look-up.
 */
export function isKrpcMessage(datagram: Uint8Array): boolean {
  const message = parsed(datagram)
  if (!(message instanceof Map)) return false
  const transaction = message.get('t')
  if (!(transaction instanceof Uint8Array) || transaction.length === 0) return false
  const isOurs = transaction.length === ANSWER_TRANSACTION_BYTES
  switch (letter(message.get('y'))) {
    case 'q':
      return message.get('q') instanceof Uint8Array && isQuery(message.get('a'))
    case 'r':
      return isOurs && isAnswer(message.get('r'))
    case 'e':
      return isOurs && isError(message.get('e'))
    default:
      return false
  }
}

function isQuery(body: Bencoded | undefined): boolean {
  if (!(body instanceof Map)) return false
  const ids = ['id', 'info_hash', 'target'].map((name) => body.get(name))
  return ids.every((id) => id === undefined || isBytes(id, ID_BYTES)) && isAbsentOrBytes(body.get('token'))
}

function isAnswer(body: Bencoded | undefined): boolean {
  if (!(body instanceof Map) || !isBytes(body.get('id'), ID_BYTES)) return false
  const peers: Bencoded | undefined = body.get('values')
  if (peers !== undefined && !(Array.isArray(peers) && peers.every((peer) => isBytes(peer, PEER_BYTES)))) return false
  return isAbsentOrBytes(body.get('nodes')) && isAbsentOrBytes(body.get('token'))
}

const isError = (body: Bencoded | undefined): boolean =>
  Array.isArray(body) && body.length === 2 && typeof body[0] === 'number' && body[1] instanceof Uint8Array

const isBytes = (value: Bencoded | undefined, length: number): boolean => value instanceof Uint8Array && value.length === length

const isAbsentOrBytes = (value: Bencoded | undefined): boolean => value === undefined || value instanceof Uint8Array

const letter = (value: Bencoded | undefined): string =>
  value instanceof Uint8Array && value.length === 1 ? String.fromCharCode(value[0] ?? 0) : ''

function parsed(datagram: Uint8Array): Bencoded | undefined {
  try {
    return decode(datagram)
  } catch {
    return undefined
  }
}
