import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { compareKeys } from '../../src/projections/index.ts'
import {
  checkpointKey,
  clearArea,
  rowArea,
  rowAreas,
  snapshotArea,
  snapshotKey,
  snapshotMarks,
  tableArea,
  tablesFrom,
  tablesKey,
} from '../../src/projections/store-areas.level.ts'
import type { Area } from '../../src/projections/store-rows.level.ts'
import { parseRecord } from '../../src/projections/store-rows.level.ts'

describe('where the rows of a projection stand', () => {
  it('is in the order of their generations and sequences, whatever their digits', () => {
    for (const [a, b] of [
      [1, 2],
      [9, 10],
      [9_999, 10_000],
      [99_999, 100_000],
    ] as const) {
      assert.ok(rowArea('p', a).prefix < rowArea('p', b).prefix)
      assert.ok(snapshotArea('p', a).prefix < snapshotArea('p', b).prefix)
      assert.ok(snapshotKey('p', a) < snapshotKey('p', b))
    }
  })

  it('is cleared of every generation but one, older and newer', () => {
    const holds = (areas: ReturnType<typeof rowAreas>, generation: number): boolean =>
      areas.some(({ prefix, end }) => {
        const row = `${rowArea('p', generation).prefix}row`
        return row >= prefix && row < end
      })
    for (const kept of [0, 1, 2, 10]) {
      const areas = rowAreas('p', rowArea('p', kept))
      for (const generation of [0, 1, 2, 3, 10, 11])
        assert.equal(holds(areas, generation), generation !== kept, `${kept} ${generation}`)
    }
    for (const generation of [0, 1, 11]) assert.ok(holds(rowAreas('p'), generation))
  })
})

describe('where tables of a projection on disk stand', () => {
  const isIn = ({ prefix, end }: Area, key: string): boolean => key >= prefix && key < end

  it('is cleared from a generation on, and of no projection whose name begins alike', () => {
    for (const from of [1, 2, 9, 10]) {
      for (const generation of [1, 2, 8, 9, 10, 11, 100]) {
        const row = `${tableArea('p', generation).prefix}row`
        assert.equal(isIn(tablesFrom('p', from), row), generation >= from, `${from} ${generation}`)
        for (const other of ['o', 'pq', 'p ', 'q']) {
          assert.equal(isIn(tablesFrom('p', from), `${tableArea(other, generation).prefix}row`), false, other)
        }
      }
    }
  })

  it('holds rows of any name, and none of another generation', () => {
    for (const row of ['', '\0', 'row', '\uffff'])
      for (const generation of [1, 2, 10]) {
        const key = tableArea('p', generation).prefix + row
        for (const each of [1, 2, 10]) assert.equal(isIn(tableArea('p', each), key), each === generation)
      }
  })

  it('is beside everything else that is stored under the same name', () => {
    const areas = [...rowAreas('p'), snapshotArea('p', 3), tablesFrom('p', 0)]
    const keys = [checkpointKey('p'), tablesKey('p'), snapshotKey('p', 3), ...areas.map(({ prefix }) => `${prefix}row`)]
    assert.equal(new Set(keys).size, keys.length)
    for (const keyOf of [checkpointKey, tablesKey]) assert.notEqual(keyOf('p'), keyOf('q'))
    for (const area of areas)
      assert.deepEqual(
        keys.filter((key) => isIn(area, key)),
        [`${area.prefix}row`],
      )
  })
})

describe('what stands in a store', () => {
  let directory: string
  let database: Level
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-areas-'))
    database = new Level(directory)
  })
  after(async () => {
    await database.close()
    await rm(directory, { recursive: true })
  })

  it('is, of snapshots, those of a projection whose records can be read, ascending', async () => {
    const record = (version: number, checkpoint: number) => JSON.stringify({ version, checkpoint, rows: 0, sum: '0' })
    assert.deepEqual(await snapshotMarks(database, 'p'), [])
    for (const seq of [10, 9, 100]) await database.put(snapshotKey('p', seq), record(3, seq))
    await database.put(snapshotKey('p', 50), '{"damaged')
    await database.put(snapshotKey('pq', 5), record(1, 5))
    assert.deepEqual(
      await snapshotMarks(database, 'p'),
      [9, 10, 100].map((seq) => ({ version: 3, seq })),
    )
  })

  it('is cleared by areas, to their last row and no farther', async () => {
    const of = (name: string, row: string): string => rowArea(name, 0).prefix + row
    const kept = [of('o', 'z'), of('pq', ''), checkpointKey('p'), checkpointKey('q'), tablesKey('p'), tablesKey('q')]
    const gone = [of('p', ''), of('p', 'a'), of('p', '\uffff')]
    for (const key of [...kept, ...gone]) await database.put(key, key)
    await clearArea(database, rowArea('p', 0))
    assert.deepEqual(await database.getMany(kept), kept)
    assert.deepEqual(
      await database.getMany(gone),
      gone.map(() => undefined),
    )
  })
})

describe('a checkpoint', () => {
  it('is read only whole', () => {
    const whole = { version: 1, checkpoint: 2, rows: 3, sum: '4' }
    assert.deepEqual(parseRecord(JSON.stringify(whole)), { ...whole, generation: 0 })
    for (const missing of ['version', 'checkpoint', 'rows', 'sum'])
      assert.throws(() => parseRecord(JSON.stringify({ ...whole, [missing]: undefined })), SyntaxError, missing)
    assert.throws(() => parseRecord(JSON.stringify({ ...whole, rows: '3' })), SyntaxError)
    assert.throws(() => parseRecord(JSON.stringify({ ...whole, generation: 1.5 })), SyntaxError)
  })
})

describe('keys of rows', () => {
  it('are ordered by code units, as LevelDB orders them, and not by a language', () => {
    assert.deepEqual(['é', 'a', 'B', 'b', 'A', ''].sort(compareKeys), ['', 'A', 'B', 'a', 'b', 'é'])
    assert.equal(compareKeys('a', 'a'), 0)
  })
})
