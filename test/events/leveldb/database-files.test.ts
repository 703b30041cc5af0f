import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseFiles } from '../../../src/events/leveldb/database-files.fs.ts'
import { openDatabase } from '../../../src/events/leveldb/log-database.level.ts'
import {
  firstOfKey,
  type KeyRange,
  META_KEY,
  SEGMENTS,
  SUMMARIES,
  segmentKey,
  summaryKey,
} from '../../../src/events/segments/segment-keys.ts'
import { CHECKSUM_BYTES, sealValue } from '../../../src/events/segments/segment-value.level.ts'

const sealed = (text: string): Buffer => sealValue([Buffer.from(text)])
const textOf = (value: Buffer | undefined): string | undefined => value?.subarray(CHECKSUM_BYTES).toString()

describe('a database read from its files', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-database-files-'))
  const original = join(root, 'original')
  let copies = 0
  after(() => rmSync(root, { recursive: true }))

  before(async () => {
    const database = await openDatabase(original, true)
    await database.put(META_KEY, Buffer.from('{"format":1}'))
    for (let first = 1; first <= 4; first++) {
      await database.put(segmentKey(first), sealed(`segment ${first}`))
      await database.put(summaryKey(first), sealed(`summary ${first}`))
    }
    // Into a table; what follows stays in the log file.
    await database.compactRange(new Uint8Array([0]), new Uint8Array([255]))
    await database.put(segmentKey(2), sealed('segment 2 anew'))
    await database.del(segmentKey(3))
    await database.put(segmentKey(5), sealed('segment 5'))
    await database.close()
  })
  const copy = (): string => {
    const path = join(root, `copy-${copies++}`)
    cpSync(original, path, { recursive: true })
    return path
  }
  const named = (path: string, ending: string): string => {
    const [name, ...others] = readdirSync(path).filter((each) => each.endsWith(ending))
    assert.ok(name !== undefined && others.length === 0, `${ending}: ${name} ${others}`)
    return join(path, name)
  }
  async function entriesOf(files: DatabaseFiles, range: KeyRange = SEGMENTS): Promise<[number, string | undefined][]> {
    const entries: [number, string | undefined][] = []
    for await (const [key, value] of files.entries(range)) entries.push([firstOfKey(key), textOf(value)])
    return entries
  }
  const versionsOf = (files: DatabaseFiles, range: KeyRange = SEGMENTS) =>
    files
      .versions(range)
      .map(
        (version) =>
          [firstOfKey(version.key), version.isDeletion ? null : textOf(files.value(version)), version.isLive] as const,
      )

  it('has what LevelDB would hand out: the newest value of each key, in their order', async () => {
    using files = DatabaseFiles.read(original)
    assert.deepEqual(await entriesOf(files), [
      [1, 'segment 1'],
      [2, 'segment 2 anew'],
      [4, 'segment 4'],
      [5, 'segment 5'],
    ])
    assert.deepEqual(
      (await entriesOf(files, SUMMARIES)).map(([first]) => first),
      [1, 2, 3, 4],
    )
    assert.deepEqual(await entriesOf(files, { gte: segmentKey(2), lt: segmentKey(4) }), [[2, 'segment 2 anew']])
    assert.deepEqual(files.unread, [])
    assert.equal((await files.get(META_KEY))?.toString(), '{"format":1}')
    assert.deepEqual(await Promise.all([1, 2, 3, 6].map(async (first) => textOf(await files.get(segmentKey(first))))), [
      'segment 1',
      'segment 2 anew',
      undefined,
      undefined,
    ])
  })

  it('has every version that was written, the newest first', () => {
    using files = DatabaseFiles.read(original)
    assert.deepEqual(versionsOf(files), [
      [1, 'segment 1', true],
      [2, 'segment 2 anew', true],
      [2, 'segment 2', true],
      [3, null, true],
      [3, 'segment 3', true],
      [4, 'segment 4', true],
      [5, 'segment 5', true],
    ])
    const writes = files.versions({ gte: segmentKey(2), lt: segmentKey(3) }).map(({ write }) => write)
    assert.deepEqual(writes, [10, 4])
  })

  it('tells how many bytes of tables it has read, and keeps none of them', () => {
    const read: number[] = []
    using files = DatabaseFiles.read(original, (bytes) => read.push(bytes))
    assert.deepEqual(read, [readFileSync(named(original, '.ldb')).length])
    for (const { key } of files.versions(SUMMARIES)) assert.equal(key.buffer.byteLength, key.byteLength)
  })

  it('reads a table under both of its names, and no other file', async () => {
    const path = copy()
    renameSync(named(path, '.ldb'), named(path, '.ldb').replace('.ldb', '.sst'))
    writeFileSync(join(path, 'notes.ldb'), 'no number')
    writeFileSync(join(path, '000099.ldb.old'), 'another ending')
    using files = DatabaseFiles.read(path)
    assert.equal((await entriesOf(files)).length, 4)
    assert.deepEqual(files.unread, [])
  })

  it('has a table that belongs to another database as one that is not live', async () => {
    const path = copy()
    const table = new Uint8Array(readFileSync(named(path, '.ldb')))
    writeFileSync(join(path, '000900.ldb'), table)
    using files = DatabaseFiles.read(path)
    assert.deepEqual(
      versionsOf(files).filter(([first]) => first === 1),
      [
        [1, 'segment 1', true],
        [1, 'segment 1', false],
      ],
    )
    assert.equal((await entriesOf(files)).length, 4)
  })

  it('has nothing live of a table that has lost its end, and all of its values all the same', async () => {
    const path = copy()
    const table = new Uint8Array(readFileSync(named(path, '.ldb')))
    writeFileSync(named(path, '.ldb'), table.subarray(0, -1))
    using files = DatabaseFiles.read(path)
    assert.deepEqual(await entriesOf(files), [
      [2, 'segment 2 anew'],
      [5, 'segment 5'],
    ])
    assert.equal(await files.get(META_KEY), undefined)
    assert.deepEqual(
      versionsOf(files).filter(([, , isLive]) => !isLive),
      [1, 2, 3, 4].map((first) => [first, `segment ${first}`, false]),
    )
    assert.equal(files.unread.length > 0, true)
    for (const place of files.unread) assert.ok('file' in place && place.file.endsWith('.ldb'))
  })

  it('takes all files for live where the manifest cannot be read', async () => {
    const path = copy()
    writeFileSync(join(path, 'CURRENT'), 'nothing')
    using files = DatabaseFiles.read(path)
    assert.equal((await entriesOf(files)).length, 4)
    const torn = copy()
    writeFileSync(named(torn, '.ldb'), readFileSync(named(torn, '.ldb')).subarray(0, -1))
    rmSync(join(torn, 'CURRENT'))
    using rest = DatabaseFiles.read(torn)
    assert.equal((await entriesOf(rest)).length, 4)
    assert.ok(versionsOf(rest).every(([, , isLive]) => isLive))
  })

  it('has of a log file that is older than the manifest, or damaged, nothing that is live', async () => {
    const path = copy()
    renameSync(named(path, '.log'), join(path, '000001.log'))
    using old = DatabaseFiles.read(path)
    assert.deepEqual(
      (await entriesOf(old)).map(([first, value]) => [first, value]),
      [1, 2, 3, 4].map((first) => [first, `segment ${first}`]),
    )
    const damaged = copy()
    const bytes = readFileSync(named(damaged, '.log'))
    // The kind of its first entry.
    writeFileSync(named(damaged, '.log'), bytes.fill(7, 7, 8))
    using files = DatabaseFiles.read(damaged)
    assert.deepEqual(
      (await entriesOf(files)).map(([first]) => first),
      [1, 2, 4, 5],
    )
    assert.equal(textOf(await files.get(segmentKey(2))), 'segment 2')
    assert.equal(files.unread.length, 1)
    assert.ok(versionsOf(files).some(([first, value, isLive]) => first === 2 && value === 'segment 2 anew' && !isLive))
    assert.ok(files.unread.every((place) => 'value' in place && files.value({ place }).length === place.value.length))
  })

  it('takes the entry without a checksum for sound, and no other', async () => {
    const path = copy()
    // Without its index, each value is believed by its own checksum.
    const table = new Uint8Array(readFileSync(named(path, '.ldb')))
    rmSync(join(path, 'CURRENT'))
    writeFileSync(named(path, '.ldb'), table.subarray(0, -48))
    using files = DatabaseFiles.read(path)
    assert.equal((await files.get(META_KEY))?.toString(), '{"format":1}')
  })

  it('opens each file once, and closes it', () => {
    const open = (): number => readdirSync('/proc/self/fd').length
    const files = DatabaseFiles.read(original)
    const before = open()
    for (const version of [...files.versions(SEGMENTS), ...files.versions(SUMMARIES)]) files.value(version)
    assert.equal(open(), before + 1)
    files[Symbol.dispose]()
    assert.equal(open(), before)
    files[Symbol.dispose]()
  })
})
