import type { SignedEvent } from '../model/envelope.ts'
import { fromHex, toHex } from '../model/hex.ts'
import { isNodeId, type NodeId } from '../model/ids.ts'
import { BODY_BYTES_MAX } from './body-scan.ts'
import { Cursor, varintLength, writeVarint } from './varint.ts'

// A bundle: events of a log in one file, to be moved and checked elsewhere. The magic; the header (varint length, JSON);
// each event as the log has it (varint length of the body, body, signature of 64 bytes); a zero byte; the number of events
// (varint); and the SHA-256 of everything before it. Written and read as a stream: the count stands at the end.

export const BUNDLE_FORMAT = 1
export const BUNDLE_CHECKSUM_BYTES = 32
const MAGIC = new TextEncoder().encode('p2pt log\n')
const SIGNATURE_BYTES = 64
const HEADER_BYTES_MAX = 64 * 1024
const VARINT_BYTES_MAX = 10

export type BundleHeader = {
  readonly format: number
  /** The node whose log it is from. */
  readonly author: NodeId
  /** Last event of that log when the bundle was begun. */
  readonly head: number
  readonly at: number
  /** The genesis record of its network: the events are of that network alone. */
  readonly genesis: Uint8Array
}

/** Bytes are no bundle, or not a whole one. */
export class BundleError extends Error {
  override readonly name = 'BundleError'
}

export const isBundle = (start: Uint8Array): boolean => MAGIC.every((byte, index) => start[index] === byte)
export const BUNDLE_MAGIC_BYTES = MAGIC.length

export function encodeBundleHeader({ genesis, ...rest }: Omit<BundleHeader, 'format'>): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify({ format: BUNDLE_FORMAT, ...rest, genesis: toHex(genesis) }))
  return joined(MAGIC, varint(json.length), json)
}

export const encodeBundleEvent = ({ body, signature }: SignedEvent): Uint8Array => joined(varint(body.length), body, signature)

/** What stands before the checksum. */
export const encodeBundleEnd = (count: number): Uint8Array => joined(new Uint8Array(1), varint(count))

function varint(value: number): Uint8Array {
  const bytes = new Uint8Array(varintLength(value))
  writeVarint(bytes, 0, value)
  return bytes
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export type Sha256Bytes = { update(bytes: Uint8Array): unknown; digest(): Uint8Array }

/** Reads a bundle from pieces of any size; holds one event and one piece in memory. */
export class BundleReader {
  readonly #hash: Sha256Bytes
  #rest: Uint8Array = new Uint8Array(0)
  #header: BundleHeader | undefined
  #events = 0
  #state: 'header' | 'events' | 'checksum' | 'whole' = 'header'

  constructor(hash: Sha256Bytes) {
    this.#hash = hash
  }

  get header(): BundleHeader | undefined {
    return this.#header
  }

  /** @returns the events that are whole now @throws BundleError */
  push(piece: Uint8Array): SignedEvent[] {
    this.#rest = joined(this.#rest, piece)
    const events: SignedEvent[] = []
    let at = 0
    for (;;) {
      const used = this.#step(at, events)
      if (used === 0) break
      at += used
    }
    this.#rest = this.#rest.slice(at)
    return events
  }

  /** @throws BundleError if the bundle is cut off */
  end(): void {
    if (this.#state !== 'whole') throw new BundleError('the bundle is cut off')
  }

  /** Bytes that the next part of the bundle takes, 0 if it is not all there. */
  #step(at: number, events: SignedEvent[]): number {
    const left = this.#rest.length - at
    if (left === 0) return 0
    switch (this.#state) {
      case 'header':
        return this.#readHeader()
      case 'events':
        return this.#readEvent(at, events)
      case 'checksum': {
        if (left < BUNDLE_CHECKSUM_BYTES) return 0
        const expected = this.#hash.digest()
        if (!expected.every((byte, index) => byte === this.#rest[at + index]))
          throw new BundleError('the bundle is damaged: its checksum is another')
        this.#state = 'whole'
        return BUNDLE_CHECKSUM_BYTES
      }
      case 'whole':
        throw new BundleError('there is something behind the end of the bundle')
    }
  }

  #readHeader(): number {
    if (this.#rest.length < MAGIC.length) return 0
    if (!isBundle(this.#rest)) throw new BundleError('not a bundle')
    const length = this.#varint(MAGIC.length, HEADER_BYTES_MAX)
    if (length === undefined) return 0
    const end = MAGIC.length + varintLength(length) + length
    if (this.#rest.length < end) return 0
    this.#header = parseHeader(new TextDecoder().decode(this.#rest.subarray(end - length, end)))
    this.#state = 'events'
    return this.#take(0, end)
  }

  #readEvent(at: number, events: SignedEvent[]): number {
    const length = this.#varint(at, BODY_BYTES_MAX)
    if (length === undefined) return 0
    const start = at + varintLength(length)
    if (length === 0) {
      const count = this.#varint(start, Number.MAX_SAFE_INTEGER)
      if (count === undefined) return 0
      if (count !== this.#events) throw new BundleError(`the bundle is damaged: it has ${this.#events} events, not ${count}`)
      this.#state = 'checksum'
      return this.#take(at, start + varintLength(count) - at)
    }
    const end = start + length + SIGNATURE_BYTES
    if (this.#rest.length < end) return 0
    events.push({ body: this.#rest.slice(start, start + length), signature: this.#rest.slice(start + length, end) })
    this.#events += 1
    return this.#take(at, end - at)
  }

  #take(at: number, length: number): number {
    this.#hash.update(this.#rest.subarray(at, at + length))
    return length
  }

  /** A number in its shortest form, undefined if it is not all there. */
  #varint(at: number, max: number): number | undefined {
    const end = Math.min(this.#rest.length, at + VARINT_BYTES_MAX)
    let last = at
    while (last < end && (this.#rest[last] as number) >= 128) last++
    if (last === end && end < at + VARINT_BYTES_MAX) return undefined
    if (last === end) throw new BundleError('the bundle is damaged: a number is too long')
    const value = new Cursor(this.#rest, at, last + 1).varint()
    if (value > max || varintLength(value) !== last + 1 - at)
      throw new BundleError('the bundle is damaged: a number is out of range')
    return value
  }
}

function parseHeader(text: string): BundleHeader {
  let header: { [K in keyof BundleHeader]?: unknown }
  try {
    header = (JSON.parse(text) ?? {}) as typeof header
  } catch (cause) {
    throw new BundleError('the bundle is damaged: its header cannot be read', { cause })
  }
  const { format, author, head, at, genesis } = header
  if (typeof format === 'number' && format > BUNDLE_FORMAT)
    throw new BundleError(`the bundle has format ${format}, this version reads up to ${BUNDLE_FORMAT}: use a newer p2pt`)
  if (typeof format !== 'number' || typeof author !== 'string' || !isNodeId(author))
    throw new BundleError('the bundle is damaged: its header names no node')
  if (
    typeof head !== 'number' ||
    typeof at !== 'number' ||
    typeof genesis !== 'string' ||
    !/^([0-9a-f]{2}){1,256}$/.test(genesis)
  )
    throw new BundleError('the bundle is damaged: its header names no network')
  return { format, author, head, at, genesis: fromHex(genesis) }
}
