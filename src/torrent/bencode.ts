// Bencode (BEP 3) as a hostile sender writes it. webtorrent's own decoder follows negative string lengths backwards and
// never ends, so everything that comes from outside is walked here first.

export type Bencoded = number | Uint8Array | readonly Bencoded[] | BencodedDictionary
/** Keys are byte strings, one character a byte (latin-1), so that no key is lost. */
export type BencodedDictionary = ReadonlyMap<string, Bencoded>

/** Nesting beyond this is an attack on the stack, not a torrent. */
const BENCODE_DEPTH_MAX = 64
/** In torrents, where libtorrent stops. */
const LENIENT_DEPTH_MAX = 100

const END = 0x65
const COLON = 0x3a
const DICTIONARY = 0x64
const LIST = 0x6c
const INTEGER = 0x69
const ZERO = 0x30
const NINE = 0x39
const MINUS = 0x2d

export class BencodeError extends Error {
  override readonly name = 'BencodeError'
}

/** What was read, and where it ended. */
export type Decoded = { value: Bencoded; end: number }

export type DecodeOptions = {
  /** Refuses dictionaries whose keys are not in ascending order, as BEP 3 demands. */
  sortedKeys?: boolean
  /**
   * Takes what BEP 3 forbids and torrents that are around hold: numbers with leading zeros, minus zero, and numbers beyond
   * 2^53, which lose their last digits and are no safe integers then. Nests deeper.
   */
  lenient?: boolean
  /** Of a key that occurs again the first value counts; left out: it is refused. */
  firstOfSame?: boolean
}

/**
 * Reads one value that starts at `from`; what follows it is not looked at.
 * @throws BencodeError on anything malformed, too deep, or cut short
 */
export function decodePrefix(bytes: Uint8Array, from = 0, options: DecodeOptions = {}): Decoded {
  return valueAt(bytes, from, 0, options)
}

/** Reads one value that fills `bytes` exactly. @throws BencodeError */
export function decode(bytes: Uint8Array, options: DecodeOptions = {}): Bencoded {
  const { value, end } = decodePrefix(bytes, 0, options)
  if (end !== bytes.length) throw new BencodeError(`${bytes.length - end} bytes follow the end`)
  return value
}

/**
 * The bytes of each value of a dictionary, as they stand: for what is hashed. Of a key that occurs again the first value
 * counts.
 * @param isWhole false where bytes may follow it
 * @param unique keys that must not occur again
 * @throws BencodeError
 */
export function dictionarySpans(
  bytes: Uint8Array,
  { isWhole = true, unique = [] }: { isWhole?: boolean; unique?: readonly string[] } = {},
): ReadonlyMap<string, Uint8Array> {
  if (bytes[0] !== DICTIONARY) throw new BencodeError('not a dictionary')
  const spans = new Map<string, Uint8Array>()
  let at = 1
  while (bytes[at] !== END) {
    const key = stringAt(bytes, at, SPANS)
    const { end } = valueAt(bytes, key.end, 1, SPANS)
    const name = latin1(key.value)
    if (!spans.has(name)) spans.set(name, bytes.subarray(key.end, end))
    else if (unique.includes(name)) throw new BencodeError(`it has ${JSON.stringify(name)} twice`)
    at = end
  }
  if (isWhole && at + 1 !== bytes.length) throw new BencodeError('bytes follow the end')
  return spans
}

const SPANS: DecodeOptions = { lenient: true, firstOfSame: true }

function valueAt(bytes: Uint8Array, at: number, depth: number, options: DecodeOptions): Decoded {
  const depthMax = options.lenient === true ? LENIENT_DEPTH_MAX : BENCODE_DEPTH_MAX
  if (depth > depthMax) throw new BencodeError(`nested deeper than ${depthMax}`)
  switch (bytes[at]) {
    case DICTIONARY:
      return dictionaryAt(bytes, at, depth, options)
    case LIST: {
      const items: Bencoded[] = []
      let next = at + 1
      while (bytes[next] !== END) {
        const item = valueAt(bytes, next, depth + 1, options)
        items.push(item.value)
        next = item.end
      }
      return { value: items, end: next + 1 }
    }
    case INTEGER:
      return integerAt(bytes, at, options)
    default:
      return stringAt(bytes, at, options)
  }
}

function dictionaryAt(bytes: Uint8Array, at: number, depth: number, options: DecodeOptions): Decoded {
  const entries = new Map<string, Bencoded>()
  let next = at + 1
  let previous: string | undefined
  while (bytes[next] !== END) {
    const read = stringAt(bytes, next, options)
    const key = latin1(read.value)
    const isAgain = entries.has(key)
    if (isAgain && options.firstOfSame !== true) throw new BencodeError('a key occurs twice')
    if (options.sortedKeys === true && previous !== undefined && key < previous) {
      throw new BencodeError('keys are not in ascending order')
    }
    const item = valueAt(bytes, read.end, depth + 1, options)
    if (!isAgain) entries.set(key, item.value)
    previous = key
    next = item.end
  }
  return { value: entries, end: next + 1 }
}

function integerAt(bytes: Uint8Array, at: number, options: DecodeOptions): Decoded {
  const negative = bytes[at + 1] === MINUS
  const first = at + (negative ? 2 : 1)
  const { number, end } = digitsAt(bytes, first, END, options)
  if (negative && number === 0 && options.lenient !== true) throw new BencodeError('minus zero')
  return { value: negative && number !== 0 ? -number : number, end }
}

function stringAt(bytes: Uint8Array, at: number, options: DecodeOptions): { value: Uint8Array; end: number } {
  const { number, end } = digitsAt(bytes, at, COLON, options)
  if (end + number > bytes.length) throw new BencodeError('cut short')
  return { value: bytes.subarray(end, end + number), end: end + number }
}

/** Decimal digits up to `terminator`. */
function digitsAt(
  bytes: Uint8Array,
  from: number,
  terminator: number,
  { lenient = false }: DecodeOptions,
): { number: number; end: number } {
  let number = 0
  let at = from
  for (; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte === terminator) break
    if (byte < ZERO || byte > NINE) throw new BencodeError(`unexpected byte 0x${byte.toString(16)}`)
    number = number * 10 + (byte - ZERO)
    if (number > Number.MAX_SAFE_INTEGER && !lenient) throw new BencodeError('number too large')
  }
  if (at >= bytes.length) throw new BencodeError('cut short')
  if (at === from) throw new BencodeError('a number without digits')
  if (bytes[from] === ZERO && at - from > 1 && !lenient) throw new BencodeError('a number with a leading zero')
  return { number, end: at + 1 }
}

function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** What can be encoded; integers only. Keys of an object are text; those of a map are bytes, one character a byte. */
export type Encodable =
  | number
  | string
  | Uint8Array
  | readonly Encodable[]
  | ReadonlyMap<string, Encodable>
  | { readonly [key: string]: Encodable }

/** Bencode (BEP 3), keys in ascending order of their bytes. */
export function encode(value: Encodable): Uint8Array {
  const parts: Uint8Array[] = []
  encodeInto(value, parts)
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const encoder = new TextEncoder()

function encodeInto(value: Encodable, parts: Uint8Array[]): void {
  if (typeof value === 'number') parts.push(encoder.encode(`i${value}e`))
  else if (typeof value === 'string') encodeInto(encoder.encode(value), parts)
  else if (value instanceof Uint8Array) parts.push(encoder.encode(`${value.length}:`), value)
  else if (isList(value)) {
    parts.push(encoder.encode('l'))
    for (const each of value) encodeInto(each, parts)
    parts.push(encoder.encode('e'))
  } else if (value instanceof Map) {
    parts.push(encoder.encode('d'))
    for (const key of [...(value as ReadonlyMap<string, Encodable>).keys()].sort()) {
      encodeInto(
        Uint8Array.from(key, (letter) => letter.charCodeAt(0)),
        parts,
      )
      encodeInto(value.get(key), parts)
    }
    parts.push(encoder.encode('e'))
  } else {
    parts.push(encoder.encode('d'))
    // Keys in use are ASCII, whose order of code units is that of their bytes.
    const object = value as { readonly [key: string]: Encodable }
    for (const key of Object.keys(object).sort()) {
      const each = object[key]
      if (each === undefined) continue
      encodeInto(key, parts)
      encodeInto(each, parts)
    }
    parts.push(encoder.encode('e'))
  }
}

const isList = (value: Encodable): value is readonly Encodable[] => Array.isArray(value)
