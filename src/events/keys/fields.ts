import { hexName } from '../model/hex-names.ts'
import type { Millis, NodeId } from '../model/ids.ts'
import { CredentialError } from './credential-error.ts'

// Fields of records that strangers hand over: each is checked before it is used.

const text = new TextEncoder()

/** @throws CredentialError `malformed` */
export function readMessage<M>(codec: { decode(bytes: Uint8Array): M }, bytes: Uint8Array, bytesMax: number, what: string): M {
  if (bytes.length > bytesMax) throw new CredentialError('malformed', `${what} has more than ${bytesMax} bytes`)
  try {
    return codec.decode(bytes)
  } catch (cause) {
    throw new CredentialError('malformed', `${what} cannot be read`, { cause })
  }
}

/** A copy, of exactly this length. @throws CredentialError `malformed` */
export function bytesOf(value: Uint8Array | null | undefined, length: number, what: string): Uint8Array {
  if (value == null || value.length !== length) throw new CredentialError('malformed', `${what} must have ${length} bytes`)
  return new Uint8Array(value)
}

/** @throws CredentialError `malformed` */
export function keyOf(value: Uint8Array | null | undefined, what: string): NodeId {
  return hexName(bytesOf(value, 32, what), 0, 32) as NodeId
}

/** Printable text of at most so many UTF-8 bytes. @throws CredentialError `malformed` */
export function textOf(value: string | null | undefined, bytesMax: number, what: string): string {
  const result = value ?? ''
  if (text.encode(result).length > bytesMax) throw new CredentialError('malformed', `${what} is longer than ${bytesMax} bytes`)
  if (/\p{Cc}/u.test(result)) throw new CredentialError('malformed', `${what} has control characters`)
  return result
}

/** @throws CredentialError `malformed` */
export function timeOf(value: number | null | undefined): Millis {
  const time = value ?? 0
  if (!Number.isSafeInteger(time) || time < 0) throw new CredentialError('malformed', 'a time is out of range')
  return time as Millis
}
