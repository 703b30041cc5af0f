import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { BodyError } from '../codec/body-scan.ts'
import { PayloadError } from '../codec/payload.ts'
import { VarintError } from '../codec/varint.ts'
import { type DamagedRange, LogError } from '../log/event-log.ts'
import { encodePreface, framesAt, type Preface } from './segment-preface.ts'

// Values in the database stand behind four bytes of crc-32: LevelDB hands out altered bytes without a word, and this
// check costs a replay a few per cent where the chain of sha-256 would cost it a third.

export const CHECKSUM_BYTES = 4

/** The parts as one value behind its checksum. */
export function sealValue(parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.allocUnsafeSlow(parts.reduce((length, part) => length + part.length, CHECKSUM_BYTES))
  let at = CHECKSUM_BYTES
  for (const part of parts) {
    value.set(part, at)
    at += part.length
  }
  value.writeUInt32LE(crc32(value.subarray(CHECKSUM_BYTES)), 0)
  return value
}

/** A segment as it is stored: what it says of itself, then its frames. */
export const sealSegment = (preface: Preface, frames: readonly Uint8Array[]): Buffer =>
  sealValue([encodePreface(preface), ...frames])

/** The frames of a stored segment whose checksum holds, as a view. @throws VarintError if they cannot be found */
export const storedFrames = (value: Buffer): Uint8Array => value.subarray(framesAt(value, CHECKSUM_BYTES))

export function isSealed(value: Buffer): boolean {
  return value.length >= CHECKSUM_BYTES && crc32(value.subarray(CHECKSUM_BYTES)) === value.readUInt32LE(0)
}

/** The chain digest after a frame: sha-256 over the digest before it and its bytes. The first one follows 32 zero bytes. */
export function chainDigest(before: Uint8Array, frame: Uint8Array): Uint8Array {
  return createHash('sha256').update(before).update(frame).digest()
}

export const damaged = (...ranges: DamagedRange[]): LogError => new LogError({ code: 'LOG_DAMAGED', ranges })

/** What of LevelDB's complaints about reading is the disk's, or that of a file which is cut or gone. */
const UNREADABLE = /Input\/output error|Invalid argument|No such file|truncated/

/** What LevelDB itself found to be damaged, or cannot read, as damage of these events; any other error as it is. */
export function asDamage(error: unknown, from: number, to: number): unknown {
  const { code, message } = error as { code?: string; message: string }
  const isUnreadable = code === 'LEVEL_IO_ERROR' && UNREADABLE.test(message)
  if (isUnreadable) return new LogError({ code: 'LOG_DAMAGED', ranges: [{ from, to, what: 'missing' }] }, { cause: error })
  if (code !== 'LEVEL_CORRUPTION') return error
  return new LogError({ code: 'LOG_DAMAGED', ranges: [{ from, to, what: 'altered' }] }, { cause: error })
}

/** Runs a reader of stored bytes; what it cannot read is damage of these events. */
export function orDamaged<T>(from: number, to: number, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof VarintError || cause instanceof BodyError || cause instanceof PayloadError)) throw cause
    throw new LogError({ code: 'LOG_DAMAGED', ranges: [{ from, to, what: 'altered' }] }, { cause })
  }
}
