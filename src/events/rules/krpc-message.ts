import { isDialable, isDialablePort } from '../model/ip-address.ts'

// What a KRPC message (BEP 5) may look like before it reaches the DHT node, whose handlers trust the types of what they
// decode: one datagram with an integer for an info hash would end the process.

/** The largest honest answer is some hundred peers of 8 bytes and 20 nodes of 26. */
const DATAGRAM_BYTES_MAX = 8_192
const DEPTH_MAX = 4
const ID_BYTES = 20
const NODE_BYTES = 26
const PEER_BYTES = 6
const TRANSACTION_BYTES_MAX = 32
const TOKEN_BYTES_MAX = 64

/** Storage of arbitrary items (BEP 44: get, put) is not offered: it is memory for strangers. */
const METHODS: ReadonlySet<string> = new Set(['ping', 'find_node', 'get_peers', 'announce_peer'])

type Bencoded = number | Uint8Array | readonly Bencoded[] | ReadonlyMap<string, Bencoded>

/** Who speaks: nodes of our own network, whose addresses are all meant, or anybody, among whose many one may be wrong. */
export type MainlineDht = 'private' | 'public'

/**
 * True for a query, answer or error of BEP 5 whose parts have the types and lengths that the BEP gives them. The DHT node takes
 * a request from its list before it looks at the answer: one that makes it throw leaves a look-up that never ends.
 * @param dht in the private one, an answer that names an address which nobody can have is none
 */
export function isKrpcMessage(datagram: Uint8Array, dht: MainlineDht): boolean {
  if (datagram.length > DATAGRAM_BYTES_MAX) return false
  const message = parse(datagram)
  if (!(message instanceof Map)) return false
  const transaction = message.get('t')
  if (!(transaction instanceof Uint8Array) || transaction.length === 0 || transaction.length > TRANSACTION_BYTES_MAX)
    return false
  switch (textOf(message.get('y'))) {
    case 'q':
      return METHODS.has(textOf(message.get('q'))) && isQueryBody(message.get('a'))
    case 'r':
      return transaction.length === 2 && isAnswerBody(message.get('r'), dht === 'private' ? isCompact : isAnything)
    case 'e':
      return transaction.length === 2 && isErrorBody(message.get('e'))
    default:
      return false
  }
}

function isQueryBody(body: Bencoded | undefined): boolean {
  if (!(body instanceof Map)) return false
  return (
    isBytes(body.get('id'), ID_BYTES) &&
    isAbsentOr(body.get('info_hash'), (value) => isBytes(value, ID_BYTES)) &&
    isAbsentOr(body.get('target'), (value) => isBytes(value, ID_BYTES)) &&
    isAbsentOr(body.get('token'), isToken) &&
    isAbsentOr(body.get('implied_port'), (value) => value === 0 || value === 1) &&
    // Beside an implied port it says nothing (BEP 5), and may be 0.
    isAbsentOr(body.get('port'), (value) => isDialablePort(value) || (isZero(value) && !isZero(body.get('implied_port') ?? 0)))
  )
}

function isAnswerBody(body: Bencoded | undefined, isAddress: typeof isCompact): boolean {
  if (!(body instanceof Map)) return false
  return (
    isBytes(body.get('id'), ID_BYTES) &&
    isAbsentOr(body.get('nodes'), (value) => isNodes(value, isAddress)) &&
    isAbsentOr(body.get('token'), isToken) &&
    isAbsentOr(body.get('values'), (value) => Array.isArray(value) && value.every((peer) => isPeer(peer, isAddress)))
  )
}

function isErrorBody(body: Bencoded | undefined): boolean {
  return Array.isArray(body) && body.length === 2 && typeof body[0] === 'number' && body[1] instanceof Uint8Array
}

const isZero = (value: Bencoded): boolean => value === 0

const isBytes = (value: Bencoded | undefined, length: number): boolean => value instanceof Uint8Array && value.length === length

/** Honest nodes name only who sent them a datagram, or announced a port: an address that nobody can have is a lie. */
const isPeer = (value: Bencoded, isAddress: typeof isCompact): boolean =>
  value instanceof Uint8Array && value.length === PEER_BYTES && isAddress(value, 0)

function isNodes(value: Bencoded, isAddress: typeof isCompact): boolean {
  if (!(value instanceof Uint8Array) || value.length % NODE_BYTES !== 0) return false
  for (let at = ID_BYTES; at < value.length; at += NODE_BYTES) if (!isAddress(value, at)) return false
  return true
}

/** Four bytes of IPv4 and two of a port at `at`. */
function isCompact(bytes: Uint8Array, at: number): boolean {
  const port = ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number)
  return isDialable({ host: bytes.subarray(at, at + 4).join('.'), port })
}

const isAnything = (): boolean => true

const isToken = (value: Bencoded): boolean => value instanceof Uint8Array && value.length <= TOKEN_BYTES_MAX

const isAbsentOr = (value: Bencoded | undefined, holds: (value: Bencoded) => boolean): boolean =>
  value === undefined || holds(value)

/** Short ASCII as text; anything else as the empty text, which names nothing. */
function textOf(value: Bencoded | undefined): string {
  if (!(value instanceof Uint8Array) || value.length > TRANSACTION_BYTES_MAX) return ''
  return String.fromCharCode(...value)
}

/** One bencoded value that fills `bytes` (BEP 3), or undefined. */
function parse(bytes: Uint8Array): Bencoded | undefined {
  const reader = { bytes, at: 0 }
  const value = parseValue(reader, DEPTH_MAX)
  return reader.at === bytes.length ? value : undefined
}

type Reader = { readonly bytes: Uint8Array; at: number }

const CODE = { integer: 0x69, list: 0x6c, dictionary: 0x64, end: 0x65, colon: 0x3a, minus: 0x2d, zero: 0x30, nine: 0x39 }

function parseValue(reader: Reader, depthLeft: number): Bencoded | undefined {
  const code = reader.bytes[reader.at]
  if (code === undefined || depthLeft === 0) return undefined
  if (code >= CODE.zero && code <= CODE.nine) return parseString(reader)
  reader.at++
  if (code === CODE.integer) return parseDigits(reader, CODE.end)
  if (code === CODE.list) return parseList(reader, depthLeft - 1)
  if (code === CODE.dictionary) return parseDictionary(reader, depthLeft - 1)
  return undefined
}

function parseList(reader: Reader, depthLeft: number): Bencoded[] | undefined {
  const list: Bencoded[] = []
  while (reader.bytes[reader.at] !== CODE.end) {
    const value = parseValue(reader, depthLeft)
    if (value === undefined) return undefined
    list.push(value)
  }
  reader.at++
  return list
}

function parseDictionary(reader: Reader, depthLeft: number): Map<string, Bencoded> | undefined {
  const dictionary = new Map<string, Bencoded>()
  while (reader.bytes[reader.at] !== CODE.end) {
    const key = textOf(parseString(reader))
    const value = parseValue(reader, depthLeft)
    // A key twice would be read differently by the two parsers.
    if (key === '' || key === '__proto__' || value === undefined || dictionary.has(key)) return undefined
    dictionary.set(key, value)
  }
  reader.at++
  return dictionary
}

function parseString(reader: Reader): Uint8Array | undefined {
  const length = parseDigits(reader, CODE.colon)
  if (length === undefined || length < 0 || reader.at + length > reader.bytes.length) return undefined
  reader.at += length
  return reader.bytes.subarray(reader.at - length, reader.at)
}

/** A decimal number up to `terminator`, which is read too. */
function parseDigits(reader: Reader, terminator: number): number | undefined {
  const negative = reader.bytes[reader.at] === CODE.minus
  if (negative) reader.at++
  let value = 0
  for (let digits = 0; digits < 16; digits++) {
    const code = reader.bytes[reader.at++]
    if (code === terminator && digits > 0) return negative ? -value : value
    if (code === undefined || code < CODE.zero || code > CODE.nine) return undefined
    value = value * 10 + (code - CODE.zero)
  }
  return undefined
}
