import { hexName } from '../model/hex-names.ts'
import type { InfoHash, NodeId } from '../model/ids.ts'
import { utf8Length } from '../model/utf8-length.ts'

export const NODE_ID_BYTES = 32
export const INFO_HASH_BYTES = 20
export const SIGNATURE_BYTES = 64
const PORT_MAX = 0xffff

type Maybe<T> = T | null | undefined

/**
 * Takes the fields of a decoded protobuf message, each within its bounds: the bytes come from strangers. A field that is not
 * there counts as empty or 0, as protobuf has it. What a message may hold is for its own codec to say; here is how it
 * is measured, and one error for whatever is outside.
 */
export class FieldReader {
  readonly #errorOf: (sentence: string, options?: ErrorOptions) => Error

  /** @param errorOf makes what every method here throws */
  constructor(errorOf: (sentence: string, options?: ErrorOptions) => Error) {
    this.#errorOf = errorOf
  }

  /** The message of these bytes, whose number is bounded already. */
  message<M>(codec: { decode(bytes: Uint8Array): M }, bytes: Uint8Array, what: string): M {
    try {
      return codec.decode(bytes)
    } catch (cause) {
      throw this.#errorOf(`${what} cannot be read`, { cause })
    }
  }

  /** Exactly so many bytes; a view, as the decoder made it. */
  bytes(value: Maybe<Uint8Array>, length: number, what: string): Uint8Array {
    if (value?.length !== length) throw this.#errorOf(`${what} must have ${length} bytes`)
    return value
  }

  /** At most so many bytes; a view, as the decoder made it. */
  bytesUpTo(value: Maybe<Uint8Array>, bytesMax: number, what: string): Uint8Array {
    const bytes = value ?? new Uint8Array()
    this.demand(bytes.length <= bytesMax, `${what} has more than ${bytesMax} bytes`)
    return bytes
  }

  node(value: Maybe<Uint8Array>, what = 'a node id'): NodeId {
    return hexName(this.bytes(value, NODE_ID_BYTES, what), 0, NODE_ID_BYTES) as NodeId
  }

  infoHash(value: Maybe<Uint8Array>): InfoHash {
    return hexName(this.bytes(value, INFO_HASH_BYTES, 'an info hash'), 0, INFO_HASH_BYTES) as InfoHash
  }

  signature(value: Maybe<Uint8Array>): Uint8Array {
    return this.bytes(value, SIGNATURE_BYTES, 'a signature')
  }

  /** A text of at most so many bytes of UTF-8. */
  text(value: Maybe<string>, bytesMax: number, what: string): string {
    const text = value ?? ''
    // Three bytes for each UTF-16 unit at most: most texts are not counted at all.
    const fits = text.length * 3 <= bytesMax || (text.length <= bytesMax && utf8Length(text) <= bytesMax)
    this.demand(fits, `${what} has more than ${bytesMax} bytes`)
    return text
  }

  /** A whole number from 0 to `max`, which is 2^53 - 1 if it is not given. */
  count(value: Maybe<number>, what = 'a count', max = Number.MAX_SAFE_INTEGER): number {
    const count = value ?? 0
    this.demand(Number.isSafeInteger(count) && count >= 0 && count <= max, `${what} is out of range`)
    return count
  }

  port(value: Maybe<number>): number {
    return this.count(value, 'a port', PORT_MAX)
  }

  /** A list of at most so many. */
  list<T>(value: Maybe<readonly T[]>, countMax: number, what: string): readonly T[] {
    const list = value ?? []
    this.demand(list.length <= countMax, `more than ${countMax} ${what}`)
    return list
  }

  oneOf<T extends string | number>(values: readonly T[], value: Maybe<string | number>, what: string): T {
    const found = values.find((candidate) => candidate === value)
    if (found === undefined) throw this.#errorOf(`unknown ${what}`)
    return found
  }

  /** For a bound that only its own message has. */
  demand(holds: boolean, sentence: string): void {
    if (!holds) throw this.#errorOf(sentence)
  }
}
