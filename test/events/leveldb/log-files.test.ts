import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../../src/events/leveldb/log-database.level.ts'
import {
  belongs,
  fileDamage,
  isLogFile,
  isTableFile,
  readManifest,
  tableDamage,
  tableNames,
} from '../../../src/events/leveldb/log-files.fs.ts'
import { segmentKey } from '../../../src/events/segments/segment-keys.ts'
import { batchOf, blockOf, bytesOf, internalKey, logFileOf, tableOf } from './leveldb-writer.ts'

describe('the files of a database', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-files-'))
  const original = join(root, 'original')
  let copies = 0
  after(() => rmSync(root, { recursive: true }))
  const NO_KEY = new Uint8Array()
  const table = (size: number) => ({ size, first: NO_KEY, last: NO_KEY })

  before(async () => {
    // Two tables, and what is in none yet.
    for (let session = 0; session < 3; session++) {
      const database = await openDatabase(original, true)
      for (const seq of [1, 2, 3]) await database.put(segmentKey(10 * session + seq), Buffer.alloc(1_000, session))
      await database.close()
    }
  })
  const copy = (): string => {
    const path = join(root, `copy-${copies++}`)
    cpSync(original, path, { recursive: true })
    return path
  }
  const named = (path: string, pattern: RegExp): string => {
    const name = readdirSync(path).find((each) => pattern.test(each))
    assert.ok(name !== undefined, String(pattern))
    return name
  }
  const tables = (path: string): string[] => readdirSync(path).filter(isTableFile)
  const change = (path: string, name: string, at: number): void => {
    const bytes = readFileSync(join(path, name))
    bytes[at] = (bytes[at] ?? 0) ^ 1
    writeFileSync(join(path, name), bytes)
  }
  const damageOf = (path: string, isClean = true) => fileDamage(path, { isClean })

  it('have names that tell what they are', () => {
    assert.deepEqual(tableNames(5), ['000005.ldb', '000005.sst'])
    assert.deepEqual(tableNames(12_345_678), ['12345678.ldb', '12345678.sst'])
    const names = [
      '000005.ldb',
      '5.sst',
      '000005.log',
      'x.ldb',
      '5.ldb.old',
      'MANIFEST-000002',
      'x5.log',
      '5.log.1',
      '.ldb',
      '.log',
    ]
    assert.deepEqual(names.filter(isTableFile), ['000005.ldb', '5.sst'])
    assert.deepEqual(names.filter(isLogFile), ['000005.log'])
  })

  it('say nothing against themselves where they are whole', async () => {
    assert.equal(tables(original).length, 2)
    assert.deepEqual(await damageOf(original), { problems: [], isInTables: false })
    assert.deepEqual(await damageOf(original, false), { problems: [], isInTables: false })
  })

  it('are damaged in tables alone, or elsewhere too', async () => {
    const path = copy()
    const [one, other] = tables(path) as [string, string]
    change(path, one, 50)
    assert.deepEqual(await damageOf(path), { problems: [`${one} is damaged at byte 0`], isInTables: true })
    rmSync(join(path, other))
    assert.deepEqual(await damageOf(path), {
      problems: [`${one} is damaged at byte 0`, `${other} is missing`],
      isInTables: true,
    })
    change(path, named(path, /\.log$/), 100)
    const { problems, isInTables } = await damageOf(path)
    assert.equal(isInTables, false)
    assert.deepEqual(problems.slice(1), [`${one} is damaged at byte 0`, `${other} is missing`])
    assert.match(problems[0] ?? '', /^\d+\.log is damaged at byte 0$/)
  })

  it('may have a torn end where the log was not closed', async () => {
    const path = copy()
    const log = join(path, named(path, /\.log$/))
    writeFileSync(log, readFileSync(log).subarray(0, -3))
    assert.deepEqual((await damageOf(path, false)).problems, [])
    assert.equal((await damageOf(path, true)).problems.length, 1)
    const manifest = join(path, named(path, /^MANIFEST/))
    writeFileSync(manifest, Buffer.concat([readFileSync(manifest), Buffer.from([1, 2, 3, 4, 9, 0, 1, 7])]))
    assert.deepEqual((await damageOf(path, false)).problems, [])
    assert.equal((await damageOf(path, true)).problems.length, 2)
  })

  it('lack the log file that the manifest names, and need none that is older', async () => {
    const path = copy()
    const log = named(path, /\.log$/)
    writeFileSync(join(path, '000001.log'), 'nothing that anybody reads')
    assert.deepEqual((await damageOf(path)).problems, [])
    renameSync(join(path, log), join(path, '900000.log'))
    assert.deepEqual(await damageOf(path), { problems: [`${log} is missing`], isInTables: false })
  })

  it('have records twice where a log file was written over with itself', async () => {
    const path = copy()
    const log = named(path, /\.log$/)
    const record = batchOf(90_000, [{ key: segmentKey(90), value: bytesOf('x') }])
    const later = batchOf(90_001, [{ key: segmentKey(91), value: bytesOf('x') }])
    writeFileSync(join(path, log), logFileOf(record, later))
    assert.deepEqual((await damageOf(path)).problems, [])
    writeFileSync(join(path, log), logFileOf(record, later, record))
    assert.deepEqual((await damageOf(path)).problems, [`${log} has records twice`])
  })

  it('are counted where several places of one are damaged', async () => {
    const path = copy()
    const log = named(path, /\.log$/)
    const record = new Uint8Array(32_768 - 7)
    const bytes = logFileOf(record, record, record, bytesOf(1))
    for (const at of [100, 33_000]) bytes[at] = 1
    writeFileSync(join(path, log), bytes)
    assert.deepEqual((await damageOf(path)).problems, [`${log} is damaged at byte 0 and in 1 other places`])
  })

  it('say nothing of tables where the manifest cannot be read', async () => {
    const path = copy()
    const manifest = named(path, /^MANIFEST/)
    writeFileSync(join(path, manifest), logFileOf(Uint8Array.of(7)))
    assert.deepEqual(await damageOf(path), { problems: [`${manifest} cannot be read`], isInTables: false })
    const found = readManifest(path)
    assert.ok(typeof found !== 'string')
    assert.deepEqual([found.name, found.live], [manifest, undefined])
    rmSync(join(path, manifest))
    assert.deepEqual(await damageOf(path), { problems: [`${manifest} is missing`], isInTables: false })
  })

  it('have tables of the size that the manifest says, neither shorter nor longer', async () => {
    writeFileSync(join(root, '000005.ldb'), new Uint8Array(10))
    const memory = (reads: boolean) => ({ reads: () => reads, isKnown: () => false, onWhole: () => {} })
    const damage = (size: number) => tableDamage(root, 5, table(size), memory(false))
    assert.deepEqual(await damage(10), [])
    assert.deepEqual(await damage(9), ['000005.ldb has 10 bytes, not 9'])
    assert.deepEqual(await damage(11), ['000005.ldb has 10 bytes, not 11'])
    assert.deepEqual(await tableDamage(root, 6, table(1), memory(false)), ['000006.ldb is missing'])
    assert.equal((await tableDamage(root, 5, table(10), memory(true))).length, 1, 'it is read where that is asked for')
    assert.equal((await tableDamage(root, 5, table(10), undefined)).length, 1, 'and where nothing is remembered')
    renameSync(join(root, '000005.ldb'), join(root, '000005.sst'))
    assert.deepEqual(await damage(9), ['000005.sst has 10 bytes, not 9'], 'under its older name too')
  })

  it('are remembered when they are whole, and not looked at block by block again', async () => {
    const bytes = tableOf([blockOf([[internalKey({ key: segmentKey(1), write: 1 }), bytesOf('value')]])])
    const live = { size: bytes.length, first: segmentKey(1), last: segmentKey(1) }
    const told: string[] = []
    const memory = (isKnown: boolean) => ({
      reads: () => true,
      isKnown: () => isKnown,
      onWhole: (name: string) => void told.push(name),
    })
    writeFileSync(join(root, '000007.ldb'), bytes)
    const damage = (isKnown: boolean, expected = live) => tableDamage(root, 7, expected, memory(isKnown))
    assert.deepEqual([await damage(false), told], [[], ['000007.ldb']])
    const other = { ...live, last: segmentKey(2) }
    assert.deepEqual(await damage(true, other), ['000007.ldb is not the table that belongs there'])
    writeFileSync(join(root, '000007.ldb'), bytes.with(12, 0xee))
    assert.deepEqual(await damage(false), ['000007.ldb is damaged at byte 0'])
    assert.deepEqual(told, ['000007.ldb'], 'one that is damaged is not')
    assert.deepEqual(await damage(true), [])
    assert.deepEqual(told, ['000007.ldb', '000007.ldb'])
  })

  it('belong to their places by size and bounds, as far as these can be told', () => {
    const entry = (first: number) => [internalKey({ key: segmentKey(first), write: first }), bytesOf('value')] as const
    const bytes = tableOf([blockOf([entry(1), entry(2)])])
    const live = { size: bytes.length, first: segmentKey(1), last: segmentKey(2) }
    assert.equal(belongs(bytes, live), true)
    assert.equal(belongs(bytes, { ...live, size: bytes.length + 1 }), false)
    assert.equal(belongs(bytes, { ...live, first: segmentKey(2) }), false)
    assert.equal(belongs(bytes, { ...live, last: segmentKey(1) }), false)
    const unreadable = bytes.with(bytes.length - 1, 0)
    assert.equal(belongs(unreadable, live), true)
    assert.equal(belongs(unreadable, { ...live, size: 1 }), false)
  })

  it('begin with a CURRENT that names a manifest in one whole line', async () => {
    for (const [text, says] of [
      ['', 'CURRENT names no MANIFEST file'],
      ['MANIFEST-000002', 'CURRENT is cut off'],
      ['MANIFEST-000002\n\n', 'CURRENT is cut off'],
      ['MANIFEST-000002\n', 'MANIFEST-000002 is missing'],
      ['../MANIFEST-000002\n', 'CURRENT names no MANIFEST file'],
      ['MANIFEST-000002x\n', 'CURRENT names no MANIFEST file'],
      ['MANIFEST-\n', 'CURRENT names no MANIFEST file'],
    ] as const) {
      writeFileSync(join(root, 'CURRENT'), text)
      assert.equal(readManifest(root), says)
    }
    rmSync(join(root, 'CURRENT'))
    assert.equal(readManifest(root), 'CURRENT is missing')
    assert.deepEqual(await damageOf(root), { problems: ['CURRENT is missing'], isInTables: false })
    mkdirSync(join(root, 'CURRENT'))
    assert.equal(readManifest(root), 'CURRENT or its MANIFEST cannot be read (EISDIR)')
  })
})
