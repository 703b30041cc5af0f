import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { BodyError } from './body-scan.ts'
import { type DamagedRange, LogError } from './event-log.ts'
import { PayloadError } from './payload.ts'
import { VarintError } from './varint.ts'

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

export function isSealed(value: Buffer): boolean {
  return value.length >= CHECKSUM_BYTES && crc32(value.subarray(CHECKSUM_BYTES)) === value.readUInt32LE(0)
}

/** The chain digest after a frame: sha-256 over the digest before it and its bytes. The first one follows 32 zero bytes. */
export function chainDigest(before: Uint8Array, frame: Uint8Array): Uint8Array {
  return createHash('sha256').update(before).update(frame).digest()
}

export const damaged = (...ranges: DamagedRange[]): LogError => new LogError({ code: 'LOG_DAMAGED', ranges })

/** What LevelDB itself found to be damaged, as damage of these events; any other error as it is. */
export function asDamage(error: unknown, from: number, to: number): unknown {
  if ((error as { code?: string }).code !== 'LEVEL_CORRUPTION') return error
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
