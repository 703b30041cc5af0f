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
  /** The value of this key of the outermost dictionary is given as its bytes, as they stand. */
  raw?: string
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
    const key = spanOfString(bytes, at, SPANS)
    const end = endOfValue(bytes, key.end, 1)
    const name = latin1(bytes, key.from, key.end)
    if (!spans.has(name)) spans.set(name, bytes.subarray(key.end, end))
    else if (unique.includes(name)) throw new BencodeError(`it has ${JSON.stringify(name)} twice`)
    at = end
  }
  if (isWhole && at + 1 !== bytes.length) throw new BencodeError('bytes follow the end')
  return spans
}

const SPANS: DecodeOptions = { lenient: true, firstOfSame: true }

/** Where a value ends, as {@link valueAt} with SPANS has it, without making it. */
function endOfValue(bytes: Uint8Array, at: number, depth: number): number {
  if (depth > LENIENT_DEPTH_MAX) throw new BencodeError(`nested deeper than ${LENIENT_DEPTH_MAX}`)
  const kind = bytes[at]
  if (kind === INTEGER) return integerAt(bytes, at, SPANS).end
  if (kind !== LIST && kind !== DICTIONARY) return spanOfString(bytes, at, SPANS).end
  let next = at + 1
  while (bytes[next] !== END) {
    if (kind === DICTIONARY) next = spanOfString(bytes, next, SPANS).end
    next = endOfValue(bytes, next, depth + 1)
  }
  return next + 1
}

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
    const { from, end: keyEnd } = spanOfString(bytes, next, options)
    const key = latin1(bytes, from, keyEnd)
    const isAgain = entries.has(key)
    if (isAgain && options.firstOfSame !== true) throw new BencodeError('a key occurs twice')
    if (options.sortedKeys === true && previous !== undefined && key < previous) {
      throw new BencodeError('keys are not in ascending order')
    }
    const isRaw = depth === 0 && key === options.raw
    const item = isRaw ? rawAt(bytes, keyEnd) : valueAt(bytes, keyEnd, depth + 1, options)
    if (!isAgain) entries.set(key, item.value)
    previous = key
    next = item.end
  }
  return { value: entries, end: next + 1 }
}

function rawAt(bytes: Uint8Array, at: number): Decoded {
  const end = endOfValue(bytes, at, 1)
  return { value: bytes.subarray(at, end), end }
}

/** Items of a list, one after the other: what is made of one may be let go of before the next. @throws BencodeError */
export function* itemsOf(list: Uint8Array, options: DecodeOptions = {}): Generator<Bencoded, void> {
  for (let at = 1; list[at] !== END; ) {
    const { value, end } = valueAt(list, at, 1, options)
    yield value
    at = end
  }
}

/** How many items a list has; undefined if it is no list. @throws BencodeError */
export function countItems(value: Uint8Array): number | undefined {
  if (value[0] !== LIST) return undefined
  let count = 0
  for (let at = 1; value[at] !== END; at = endOfValue(value, at, 1)) count++
  return count
}

function integerAt(bytes: Uint8Array, at: number, options: DecodeOptions): Decoded {
  const negative = bytes[at + 1] === MINUS
  const first = at + (negative ? 2 : 1)
  const { number, end } = digitsAt(bytes, first, END, options)
  if (negative && number === 0 && options.lenient !== true) throw new BencodeError('minus zero')
  return { value: negative && number !== 0 ? -number : number, end }
}

function stringAt(bytes: Uint8Array, at: number, options: DecodeOptions): { value: Uint8Array; end: number } {
  const { from, end } = spanOfString(bytes, at, options)
  return { value: bytes.subarray(from, end), end }
}

function spanOfString(bytes: Uint8Array, at: number, options: DecodeOptions): { from: number; end: number } {
  const { number, end: from } = digitsAt(bytes, at, COLON, options)
  if (from + number > bytes.length) throw new BencodeError('cut short')
  return { from, end: from + number }
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

function latin1(bytes: Uint8Array, from = 0, end = bytes.length): string {
  let text = ''
  for (let at = from; at < end; at++) text += String.fromCharCode(bytes[at] as number)
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
  const written = new Written()
  encodeInto(value, written)
  return written.bytes
}

const encoder = new TextEncoder()

/** Bytes written one after the other: a torrent may have half a million strings, each too small to be an array of its own. */
class Written {
  #bytes = new Uint8Array(1_024)
  #length = 0

  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  put(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** Of characters that are one byte each. */
  ascii(text: string): void {
    this.#room(text.length)
    for (let index = 0; index < text.length; index++) this.#bytes[this.#length++] = text.charCodeAt(index)
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(this.#length + more, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

function encodeInto(value: Encodable, into: Written): void {
  if (typeof value === 'number') into.ascii(`i${value}e`)
  else if (typeof value === 'string') encodeText(value, into)
  else if (value instanceof Uint8Array) {
    into.ascii(`${value.length}:`)
    into.put(value)
  } else if (isList(value)) {
    into.ascii('l')
    for (const each of value) encodeInto(each, into)
    into.ascii('e')
  } else if (value instanceof Map) {
    into.ascii('d')
    for (const key of [...(value as ReadonlyMap<string, Encodable>).keys()].sort()) {
      into.ascii(`${key.length}:${key}`)
      encodeInto(value.get(key), into)
    }
    into.ascii('e')
  } else {
    into.ascii('d')
    // Keys in use are ASCII, whose order of code units is that of their bytes.
    const object = value as { readonly [key: string]: Encodable }
    for (const key of Object.keys(object).sort()) {
      const each = object[key]
      if (each === undefined) continue
      encodeText(key, into)
      encodeInto(each, into)
    }
    into.ascii('e')
  }
}

function encodeText(text: string, into: Written): void {
  if (isAscii(text)) into.ascii(`${text.length}:${text}`)
  else encodeInto(encoder.encode(text), into)
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false
  return true
}

const isList = (value: Encodable): value is readonly Encodable[] => Array.isArray(value)
