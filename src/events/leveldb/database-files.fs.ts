import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { isKeyPrefix, KEY_BYTES, type KeyRange, META_KEY } from '../segments/segment-keys.ts'
import { isSealed } from '../segments/segment-value.level.ts'
import { readLogFile } from './leveldb-log-file.ts'
import { type Looking, readTable } from './leveldb-table.ts'
import { belongs, isLogFile, isTableFile, readManifest } from './log-files.fs.ts'
import type { StoredEntries } from './stored-entries.ts'

// A log's database read from its files, without LevelDB: nothing is changed by it, damage ends no process, and what
// LevelDB has replaced or would refuse is there as well.

/** One write that is found in the files. */
export type StoredVersion = {
  readonly key: Uint8Array
  /** LevelDB's number of the write. */
  readonly write: number
  readonly isDeletion: boolean
  /** It was written whole, and its file is one that the MANIFEST means; where that cannot be read, any file. */
  readonly isLive: boolean
  readonly place: Place
}

/** Where bytes are: in a file, or here. */
export type Place = { readonly file: string; readonly at: number; readonly length: number } | { readonly value: Uint8Array }

const LOOKING: Looking = {
  isKey: isKeyPrefix,
  // The entry that names format and author has no checksum.
  isSound: (key, value) => isSealed(Buffer.from(value.buffer, value.byteOffset, value.length)) || compare(key, META_KEY) === 0,
}

const compare = (a: Uint8Array, b: Uint8Array): number => Buffer.compare(a, b)

export class DatabaseFiles implements StoredEntries, Disposable {
  readonly #path: string
  readonly #versions: StoredVersion[]
  /** Bytes of which no entries can be made as a whole. */
  readonly unread: readonly Place[]
  readonly #open = new Map<string, number>()

  private constructor(path: string, versions: StoredVersion[], unread: readonly Place[]) {
    this.unread = unread
    this.#path = path
    this.#versions = versions.sort((a, b) => compare(a.key, b.key) || b.write - a.write)
  }

  /**
   * Reads all files of a database; keeps of them where each value stands.
   * @param onProgress bytes that were read
   */
  static read(path: string, onProgress: (bytes: number) => void = () => {}): DatabaseFiles {
    const manifest = readManifest(path)
    const live = typeof manifest === 'string' ? undefined : manifest.live
    const versions: StoredVersion[] = []
    const unread: Place[] = []
    for (const name of readdirSync(path).sort()) {
      const number = Number.parseInt(name, 10)
      if (isTableFile(name)) {
        const bytes = readFileSync(join(path, name))
        const table = live?.tables.get(number)
        const isLive = live === undefined || (table !== undefined && belongs(bytes, table))
        const content = readTable(bytes, LOOKING)
        unread.push(...content.unread.map((span) => ({ file: name, ...span })))
        for (const { key, write, isDeletion, at, length } of content.entries) {
          // A copy: a view would keep the whole table in memory.
          versions.push({ key: key.slice(), write, isDeletion, isLive, place: { file: name, at, length } })
        }
        onProgress(bytes.length)
      } else if (isLogFile(name)) {
        const isNeeded = number >= (live?.logNumber ?? 0)
        const content = readLogFile(readFileSync(join(path, name)), isKeyPrefix, KEY_BYTES)
        unread.push(...content.unread.map((value) => ({ value })))
        for (const { key, write, value, isWhole } of content.entries)
          versions.push({
            ...{ key, write, isDeletion: value === undefined, isLive: isNeeded && isWhole },
            place: { value: value ?? NOTHING },
          })
      }
    }
    return new DatabaseFiles(path, versions, unread)
  }

  /** The newest live value of each key. */
  async *entries(range: KeyRange): AsyncGenerator<readonly [Uint8Array, Buffer]> {
    let before: Uint8Array | undefined
    for (const version of this.#within(range)) {
      if (!version.isLive || (before !== undefined && compare(version.key, before) === 0)) continue
      before = version.key
      if (!version.isDeletion) yield [version.key, this.value(version)]
    }
  }

  async get(key: Uint8Array): Promise<Buffer | undefined> {
    const newest = this.#versions.find((version) => version.isLive && compare(version.key, key) === 0)
    return newest === undefined || newest.isDeletion ? undefined : this.value(newest)
  }

  /** Everything that was written under these keys and is still there, by key, the newest first. */
  versions(range: KeyRange): StoredVersion[] {
    return this.#within(range)
  }

  value({ place }: Pick<StoredVersion, 'place'>): Buffer {
    if ('value' in place) return Buffer.from(place.value)
    let file = this.#open.get(place.file)
    if (file === undefined) {
      file = openSync(join(this.#path, place.file), 'r')
      this.#open.set(place.file, file)
    }
    const bytes = Buffer.alloc(place.length)
    readSync(file, bytes, 0, place.length, place.at)
    return bytes
  }

  [Symbol.dispose](): void {
    for (const file of this.#open.values()) closeSync(file)
    this.#open.clear()
  }

  #within({ gte, lt }: KeyRange): StoredVersion[] {
    return this.#versions.filter(({ key }) => compare(key, gte) >= 0 && compare(key, lt) < 0)
  }
}

const NOTHING = new Uint8Array()
