import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isTableWhole } from './leveldb-table.ts'
import { readManifest, tableNames } from './log-files.fs.ts'

/**
 * The live tables of a database, compressed or not, in which a checksum does not hold. Where its MANIFEST does not say which
 * these are, LevelDB refuses it without looking at any.
 */
export async function damagedTables(database: string): Promise<string[]> {
  const manifest = readManifest(database)
  if (typeof manifest === 'string' || manifest.live === undefined) return []
  const damaged: string[] = []
  for (const name of [...manifest.live.tables.keys()].flatMap(tableNames)) {
    const bytes = await readFile(join(database, name)).catch(() => undefined)
    if (bytes !== undefined && !isTableWhole(bytes)) damaged.push(name)
  }
  return damaged
}
