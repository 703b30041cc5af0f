import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { damageInLogFile, damageInTable } from './leveldb-files.ts'
import { type LiveFiles, liveFiles } from './leveldb-manifest.ts'
import { VarintError } from './varint.ts'

// What LevelDB's files say against themselves, without opening the database: opening drops what it cannot read, and
// rewrites the rest.

export type FileCheck = {
  /** The log was closed cleanly, so that its files end where a record ends. */
  readonly isClean: boolean
  /** Read every block of every table as well, and not only its name and size. */
  readonly tables: boolean
}

/** Sentences about the files of a database: what is missing, has another size, or fails its own checksums. */
export function fileDamage(database: string, { isClean, tables }: FileCheck): string[] {
  const manifest = manifestOf(database)
  if (typeof manifest === 'string') return [manifest]
  const bytes = readFileSync(join(database, manifest.name))
  const problems = damageOf(manifest.name, damageInLogFile(bytes, !isClean))
  const live = liveIn(bytes)
  if (live === undefined) return [...problems, `${manifest.name} cannot be read`]
  problems.push(...logDamage(database, live, isClean))
  for (const [number, size] of live.tables) problems.push(...tableDamage(database, number, size, tables))
  return problems
}

/** The MANIFEST that is in force, or what is wrong. */
function manifestOf(database: string): { readonly name: string } | string {
  try {
    const name = readFileSync(join(database, 'CURRENT'), 'utf8').trim()
    if (!/^MANIFEST-\d+$/.test(name)) return 'CURRENT names no MANIFEST file'
    return statSync(join(database, name), { throwIfNoEntry: false }) === undefined ? `${name} is missing` : { name }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? 'CURRENT is missing' : `CURRENT cannot be read (${code})`
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
  const names = readdirSync(database).filter((name) => /^\d+\.log$/.test(name) && Number.parseInt(name, 10) >= logNumber)
  const problems = names.flatMap((name) => damageOf(name, damageInLogFile(readFileSync(join(database, name)), !isClean)))
  // There is one from the moment at which the manifest says so.
  if (logNumber > 0 && !names.some((name) => Number.parseInt(name, 10) === logNumber))
    problems.push(`${fileName(logNumber, 'log')} is missing`)
  return problems
}

function tableDamage(database: string, number: number, size: number, reads: boolean): string[] {
  const name = ['ldb', 'sst']
    .map((kind) => fileName(number, kind))
    .find((candidate) => sizeOf(database, candidate) !== undefined)
  if (name === undefined) return [`${fileName(number, 'ldb')} is missing`]
  const found = sizeOf(database, name)
  if (found !== size) return [`${name} has ${found} bytes, not ${size}`]
  return reads ? damageOf(name, damageInTable(readFileSync(join(database, name)))) : []
}

const fileName = (number: number, kind: string): string => `${String(number).padStart(6, '0')}.${kind}`
const sizeOf = (database: string, name: string): number | undefined =>
  statSync(join(database, name), { throwIfNoEntry: false })?.size

function damageOf(name: string, [first, ...others]: readonly number[]): string[] {
  if (first === undefined) return []
  return [`${name} is damaged at byte ${first}${others.length > 0 ? ` and in ${others.length} other places` : ''}`]
}
