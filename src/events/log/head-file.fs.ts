import { closeSync, fstatSync, fsync, fsyncSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { HeadMark, HeadRecord } from './head-record.ts'

// The head file: two slots of fixed length, written in turn, each one line of JSON after its checksum. A write that a
// crash cuts off leaves the other slot whole. It is written into the page cache with every commit and brought to the
// disk now and then: what that means for a crash is said in head-record.ts.

const SLOT_BYTES = 512
const SYNC_AFTER_MS = 1000

/** Changes with every boot of the machine; null where the system does not tell. */
export function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return null
  }
}

type Slot = { readonly turn: number; readonly record: HeadRecord }

function isMark(value: unknown): value is HeadMark {
  const mark = value as Partial<HeadMark> | null
  return typeof mark?.seq === 'number' && Number.isSafeInteger(mark.seq) && typeof mark.digest === 'string'
}

function parseSlot(bytes: Uint8Array): Slot | undefined {
  if (bytes.length !== SLOT_BYTES) return undefined
  const line = Buffer.from(bytes).toString('latin1').trimEnd()
  const json = line.slice(9)
  if (line.slice(0, 8) !== checksum(json)) return undefined
  const { turn, latest, durable, clean, boot } = JSON.parse(json) as Partial<HeadRecord> & { turn?: number }
  if (typeof turn !== 'number' || !isMark(latest) || !isMark(durable)) return undefined
  return { turn, record: { latest, durable, clean: clean === true, boot: boot ?? null } }
}

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0')

function newest(bytes: Uint8Array): Slot | undefined {
  return [0, SLOT_BYTES]
    .flatMap((start) => parseSlot(bytes.subarray(start, start + SLOT_BYTES)) ?? [])
    .sort((a, b) => b.turn - a.turn)[0]
}

/** What the head file says; undefined if it is missing or unreadable. */
export function readHeadFile(path: string): HeadRecord | undefined {
  try {
    return newest(readFileSync(path))?.record
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** True if both slots can be read; a record is written over the older one, so a crash leaves both. */
export function isHeadFileWhole(path: string): boolean {
  const bytes = readFileSync(path)
  return [0, SLOT_BYTES].every((start) => parseSlot(bytes.subarray(start, start + SLOT_BYTES)) !== undefined)
}

/** False while the log is open, and where its process ended without closing it. */
export const isHeadClean = (path: string): boolean => readHeadFile(path)?.clean === true

/** The head file, open for writing. */
export class HeadFile {
  readonly #file: number
  #turn: number
  #syncTimer: NodeJS.Timeout | undefined
  #syncing = false

  constructor(path: string) {
    this.#file = openSync(path, 'a+')
    closeSync(this.#file)
    this.#file = openSync(path, 'r+')
    const bytes = Buffer.alloc(Math.min(fstatSync(this.#file).size, 2 * SLOT_BYTES))
    readSync(this.#file, bytes, 0, bytes.length, 0)
    this.#turn = newest(bytes)?.turn ?? 0
  }

  /** Into the page cache: survives the process. Reaches the disk within about a second. */
  write(record: HeadRecord): void {
    this.#turn++
    const json = JSON.stringify({ turn: this.#turn, ...record })
    const slot = Buffer.alloc(SLOT_BYTES, ' ')
    slot.write(`${checksum(json)} ${json}`)
    slot[SLOT_BYTES - 1] = 10
    writeSync(this.#file, slot, 0, SLOT_BYTES, (this.#turn % 2) * SLOT_BYTES)
    this.#syncTimer ??= setTimeout(() => this.#syncSoon(), SYNC_AFTER_MS).unref()
  }

  sync(): void {
    fsyncSync(this.#file)
  }

  close(): void {
    clearTimeout(this.#syncTimer)
    fsyncSync(this.#file)
    if (!this.#syncing) closeSync(this.#file)
    this.#closed = true
  }

  #closed = false

  #syncSoon(): void {
    // Its number may be another file's by now.
    if (this.#closed) return
    this.#syncing = true
    fsync(this.#file, () => {
      this.#syncing = false
      this.#syncTimer = undefined
      if (this.#closed) closeSync(this.#file)
    })
  }
}
