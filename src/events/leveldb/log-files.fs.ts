import { readdirSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { VarintError } from '../codec/varint.ts'
import { isKeyPrefix, KEY_BYTES } from '../segments/segment-keys.ts'
import { damageInLogFile, readLogFile, repeatsWrites } from './leveldb-log-file.ts'
import { type LiveFiles, type LiveTable, liveFiles } from './leveldb-manifest.ts'
import { boundsOfTable, damageInTable } from './leveldb-table.ts'

// What LevelDB's files say against themselves, without opening the database: opening drops what it cannot read, and
// rewrites the rest.

export type FileCheck = {
  /** The log was closed cleanly, so that its files end where a record ends. */
  readonly isClean: boolean
  /** How tables are read; undefined: all of them, block by block. */
  readonly tables?: TableMemory
}

/** What is known of tables that were read before. */
export type TableMemory = {
  /** False for a table of which only name and size are looked at. */
  reads(name: string): boolean
  /** True for the bytes of a table that were found whole before: blocks need no second look. */
  isKnown(name: string, bytes: Uint8Array): boolean
  onWhole(name: string, bytes: Uint8Array): void
}

/** What is wrong with the files of a database. */
export type FileDamage = {
  /** Sentences: what is missing, has another size, is at another's place, or fails its own checksums. */
  readonly problems: readonly string[]
  /** True if it is in tables alone: the database still says which these are. */
  readonly isInTables: boolean
}

export async function fileDamage(database: string, { isClean, tables }: FileCheck): Promise<FileDamage> {
  const manifest = readManifest(database)
  if (typeof manifest === 'string') return { problems: [manifest], isInTables: false }
  const { name, bytes, live } = manifest
  const problems = damageOf(name, damageInLogFile(bytes, !isClean))
  if (live === undefined) return { problems: [...problems, `${name} cannot be read`], isInTables: false }
  problems.push(...logDamage(database, live, isClean))
  const inTables: string[] = []
  for (const [number, table] of live.tables) inTables.push(...(await tableDamage(database, number, table, tables)))
  return { problems: [...problems, ...inTables], isInTables: problems.length === 0 && inTables.length > 0 }
}

/** Sentences about one table of a database. */
export async function tableDamage(
  database: string,
  number: number,
  table: LiveTable,
  memory: TableMemory | undefined,
): Promise<string[]> {
  const name = tableNames(number).find((candidate) => sizeOf(database, candidate) !== undefined)
  if (name === undefined) return [`${fileName(number, 'ldb')} is missing`]
  const found = sizeOf(database, name)
  if (found !== table.size) return [`${name} has ${found} bytes, not ${table.size}`]
  if (memory?.reads(name) === false) return []
  // One at a time, and not at once: a starting node still answers, and can be stopped.
  const bytes = await readFile(join(database, name))
  const damaged = memory?.isKnown(name, bytes) === true ? [] : damageOf(name, damageInTable(bytes))
  if (damaged.length > 0) return damaged
  if (!belongs(bytes, table)) return [`${name} is not the table that belongs there`]
  memory?.onWhole(name, bytes)
  return []
}

/** True if these are the bytes of the table that the MANIFEST means, as far as its size and its bounds tell. */
export function belongs(bytes: Uint8Array, { size, first, last }: LiveTable): boolean {
  const bounds = boundsOfTable(bytes)
  return bytes.length === size && (bounds === undefined || (same(bounds.first, first) && same(bounds.last, last)))
}

export type Manifest = { readonly name: string; readonly bytes: Uint8Array; readonly live: LiveFiles | undefined }

/** The MANIFEST that is in force, or a sentence about what is wrong. */
export function readManifest(database: string): Manifest | string {
  try {
    const text = readFileSync(join(database, 'CURRENT'), 'utf8')
    const name = text.trim()
    // LevelDB takes no other.
    if (!/^MANIFEST-\d+$/.test(name)) return 'CURRENT names no MANIFEST file'
    if (text !== `${name}\n`) return 'CURRENT is cut off'
    if (statSync(join(database, name), { throwIfNoEntry: false }) === undefined) return `${name} is missing`
    const bytes = readFileSync(join(database, name))
    return { name, bytes, live: liveIn(bytes) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'CURRENT is missing' : `CURRENT or its MANIFEST cannot be read (${code})`
  }
}

function liveIn(manifest: Uint8Array): LiveFiles | undefined {
  try {
    return liveFiles(manifest)
  } catch (error) {
    if (error instanceof VarintError) return undefined
    throw error
  }
}

function logDamage(database: string, { logNumber }: LiveFiles, isClean: boolean): string[] {
  const names = readdirSync(database).filter((name) => isLogFile(name) && Number.parseInt(name, 10) >= logNumber)
  const problems = names.flatMap((name) => {
    const bytes = readFileSync(join(database, name))
    const damaged = damageOf(name, damageInLogFile(bytes, !isClean))
    const repeats = repeatsWrites(readLogFile(bytes, isKeyPrefix, KEY_BYTES).entries)
    return repeats ? [...damaged, `${name} has records twice`] : damaged
  })
  // There is one from the moment at which the manifest says so.
  if (logNumber > 0 && !names.some((name) => Number.parseInt(name, 10) === logNumber))
    problems.push(`${fileName(logNumber, 'log')} is missing`)
  return problems
}

const fileName = (number: number, kind: string): string => `${String(number).padStart(6, '0')}.${kind}`
/** What a table may be called; the first one is what LevelDB writes now. */
export const tableNames = (number: number): string[] => ['ldb', 'sst'].map((kind) => fileName(number, kind))
export const isTableFile = (name: string): boolean => /^\d+\.(ldb|sst)$/.test(name)
export const isLogFile = (name: string): boolean => /^\d+\.log$/.test(name)

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
const sizeOf = (database: string, name: string): number | undefined =>
  statSync(join(database, name), { throwIfNoEntry: false })?.size

function damageOf(name: string, [first, ...others]: readonly number[]): string[] {
  if (first === undefined) return []
  return [`${name} is damaged at byte ${first}${others.length > 0 ? ` and in ${others.length} other places` : ''}`]
}
