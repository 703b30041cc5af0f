import assert from 'node:assert/strict'
import fs, { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogError, type NodeId } from '../../../src/events/index.ts'
import {
  assertThere,
  createDatabase,
  encodeMeta,
  entriesOfDatabase,
  logPaths,
  openDatabase,
  openExistingDatabase,
  readMeta,
} from '../../../src/events/leveldb/log-database.level.ts'
import { HeadFile } from '../../../src/events/log/head-file.fs.ts'
import { META_KEY, SEGMENTS, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'

const [ada, bob] = ['a', 'b'].map((digit) => digit.repeat(64)) as [NodeId, NodeId]

describe('the database of a log', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-database-'))
  let directories = 0
  const fresh = (): string => join(root, String(directories++))
  after(() => rmSync(root, { recursive: true }))
  const withHead = (directory: string, seq: number): void => {
    mkdirSync(directory, { recursive: true })
    const file = new HeadFile(logPaths(directory).head)
    const mark = { seq, digest: 'ab' }
    file.write({ latest: mark, durable: { seq: 1, digest: 'cd' }, clean: true, boot: null })
    file.close()
  }
  const damage = (ranges: readonly object[]) => (error: unknown) => {
    assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED')
    assert.deepEqual(error.detail.ranges, ranges)
    return true
  }

  it('stands in its folder beside the head file', () => {
    assert.deepEqual(logPaths('/a'), { database: '/a/log', head: '/a/head' })
  })

  it('is made once, names its author, and is told to be empty until there is an event', async () => {
    const directory = fresh()
    assert.equal(await createDatabase(directory, ada), true)
    // A first start that was cut off goes on, and does not make it somebody else's.
    assert.equal(await createDatabase(directory, bob), true)
    const database = await openDatabase(logPaths(directory).database, false)
    assert.deepEqual(await readMeta(database, ada), { format: 1, author: ada, since: '0.1.0' })
    assert.deepEqual(await database.keys().all(), [Buffer.from(META_KEY)])
    await database.put(segmentKey(1), Buffer.from('x'))
    await database.close()
    assert.equal(await createDatabase(directory, ada), true, 'without a summary there is no segment')
    const again = await openDatabase(logPaths(directory).database, false)
    await again.put(summaryKey(1), Buffer.from('x'))
    await again.close()
    assert.equal(await createDatabase(directory, ada), false)
  })

  it('has the names of its files on the disk when it is made', async () => {
    const synced: string[] = []
    const { openSync, fsyncSync } = fs
    const paths = new Map<number, string>()
    fs.openSync = (...parameters) => {
      const file = openSync(...parameters)
      paths.set(file, String(parameters[0]))
      return file
    }
    fs.fsyncSync = (file) => {
      synced.push(paths.get(file) ?? '?')
      fsyncSync(file)
    }
    syncBuiltinESMExports()
    const directory = fresh()
    try {
      await createDatabase(directory, ada)
    } finally {
      Object.assign(fs, { openSync, fsyncSync })
      syncBuiltinESMExports()
    }
    assert.deepEqual(synced, [logPaths(directory).database])
  })

  it('is locked while it is open, and not made where that is not asked for', async () => {
    const path = join(fresh(), 'log')
    await assert.rejects(openDatabase(path, false), (error) => !(error instanceof LogError))
    assert.equal(existsSync(join(path, 'CURRENT')), false)
    mkdirSync(path, { recursive: true })
    await assert.rejects(openDatabase(path, false), (error) => !(error instanceof LogError))
    await using _database = await openDatabase(path, true)
    await assert.rejects(openDatabase(path, false), (error) => {
      assert.ok(error instanceof LogError)
      assert.deepEqual(error.detail, { code: 'LOG_LOCKED', directory: path, pid: 0 })
      assert.ok(error.cause instanceof Error)
      return true
    })
  })

  it('is not compressed, and has tables of several megabytes', async () => {
    const path = join(fresh(), 'log')
    const database = await openDatabase(path, true)
    for (let first = 1; first <= 6; first++) await database.put(segmentKey(first), Buffer.alloc(1_000_000))
    const tables = () => readdirSync(path).filter((name) => name.endsWith('.ldb'))
    assert.deepEqual(tables(), [], 'six megabytes wait in memory')
    await database.compactRange(segmentKey(0), segmentKey(9))
    assert.equal(tables().length, 1)
    assert.ok(tables().every((name) => statSync(join(path, name)).size > 6_000_000))
    await database.close()
  })

  it('is missing where there never was one, and damaged where the head file knows of one', async () => {
    const directory = fresh()
    const missing = { code: 'LOG_MISSING', message: `there is no event log in ${directory}` }
    assert.throws(() => assertThere(directory), missing)
    await assert.rejects(openExistingDatabase(directory), missing)
    withHead(directory, 7)
    const gone = damage([{ from: 1, to: 7, what: 'missing' }])
    assert.throws(() => assertThere(directory), gone)
    await assert.rejects(openExistingDatabase(directory), gone)
    writeFileSync(logPaths(directory).database, 'a file')
    assert.throws(() => assertThere(directory), gone, 'a file is no database')
  })

  it('is damaged where LevelDB cannot open it, up to the last event that is known of', async () => {
    const directory = fresh()
    mkdirSync(logPaths(directory).database, { recursive: true })
    assertThere(directory)
    await assert.rejects(openExistingDatabase(directory), damage([{ from: 1, to: 0, what: 'unproven' }]))
    withHead(directory, 9)
    await assert.rejects(openExistingDatabase(directory), damage([{ from: 1, to: 9, what: 'unproven' }]))
    assert.equal(existsSync(join(logPaths(directory).database, 'CURRENT')), false, 'and none is made')
  })

  it('that is open already is locked, and not damaged', async () => {
    const directory = fresh()
    await createDatabase(directory, ada)
    await using _first = await openExistingDatabase(directory)
    await assert.rejects(openExistingDatabase(directory), { code: 'LOG_LOCKED' })
  })

  it('has its entries in order, all of them, as of now or of a moment', async () => {
    const path = join(fresh(), 'log')
    await using database = await openDatabase(path, true)
    const batch = database.batch()
    for (let first = 2_500; first >= 1; first--) batch.put(segmentKey(first), Buffer.from(String(first)))
    batch.put(summaryKey(1), Buffer.from('summary'))
    await batch.write()
    const snapshot = database.snapshot()
    await database.put(segmentKey(1), Buffer.from('later'))
    await database.del(segmentKey(2))
    const valuesOf = async (entries: ReturnType<typeof entriesOfDatabase>): Promise<string[]> => {
      const values: string[] = []
      for await (const [, value] of entries.entries(SEGMENTS)) values.push(value.toString())
      return values
    }
    const numbers = Array.from({ length: 2_500 }, (_, index) => String(index + 1))
    const [now, then] = [entriesOfDatabase(database), entriesOfDatabase(database, snapshot)]
    assert.deepEqual(await valuesOf(then), numbers)
    assert.deepEqual(await valuesOf(now), ['later', ...numbers.slice(2)])
    assert.deepEqual(
      [await now.get(segmentKey(1)), await now.get(segmentKey(2)), await then.get(segmentKey(2))].map((value) =>
        value?.toString(),
      ),
      ['later', undefined, '2'],
    )
    await snapshot.close()
  })
})

describe('the entry that says whose log it is', () => {
  const stored = (text: string | undefined) => ({ get: async () => (text === undefined ? undefined : Buffer.from(text)) })
  const metaOf = (fields: object) => readMeta(stored(JSON.stringify({ format: 1, author: ada, ...fields })), undefined)

  it('comes back as it was written, with the numbers that are not given out', async () => {
    const floors = { gossip: 7, index: 70_000 }
    const encoded = encodeMeta({ author: ada, floors }).toString()
    assert.deepEqual(JSON.parse(encoded), { format: 1, since: '0.1.0', author: ada, floors })
    assert.deepEqual(await readMeta(stored(encoded), ada), { format: 1, since: '0.1.0', author: ada, floors })
    assert.deepEqual(await readMeta(stored(encodeMeta({ author: bob }).toString()), undefined), {
      ...{ format: 1, since: '0.1.0', author: bob },
    })
  })

  it('is refused where it is of a newer format or of another node', async () => {
    await assert.rejects(metaOf({ format: 2, since: '9.1.0-beta+5' }), (error) => {
      assert.ok(error instanceof LogError)
      assert.deepEqual(error.detail, { code: 'LOG_NEWER', format: 2, supported: 1, since: '9.1.0-beta+5' })
      return true
    })
    await assert.rejects(readMeta(stored(encodeMeta({ author: ada }).toString()), bob), (error) => {
      assert.ok(error instanceof LogError)
      assert.deepEqual(error.detail, { code: 'LOG_FOREIGN', expected: bob, found: ada })
      return true
    })
    assert.equal((await metaOf({ format: 0 })).format, 0)
  })

  it('is damaged where it is not there or cannot be read', async () => {
    const fields = { format: 1, author: ada }
    const unreadable = [
      ...[undefined, '', '{', 'null', '[]', '7'],
      ...[
        { ...fields, format: '1' },
        { ...fields, author: 5 },
        { ...fields, author: 'ada' },
        { format: 1 },
        { author: ada },
      ].map((each) => JSON.stringify(each)),
    ]
    for (const text of unreadable)
      await assert.rejects(readMeta(stored(text), undefined), (error) => {
        assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED', String(text))
        assert.deepEqual(error.detail.ranges, [{ from: 1, to: 1, what: 'altered' }])
        return true
      })
  })

  it('names the first version that reads it only if that can be one', async () => {
    const since = async (value: unknown) => (await metaOf({ since: value })).since
    for (const version of ['1', '10.20.30', 'v1.2.3-rc.1+Z', '1'.repeat(32)]) assert.equal(await since(version), version)
    for (const other of ['', '1'.repeat(33), '1 2', '1\n', 'a;b', '\u001b[2J', 5, null])
      assert.equal(await since(other), undefined)
    assert.equal('since' in (await metaOf({})), false)
    assert.equal('floors' in (await metaOf({})), false)
  })
})
