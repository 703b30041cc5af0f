import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { LevelTable } from '../../src/projections/row-table.level.ts'

const AREA = { name: 'p', prefix: 'wp\0' } as const
const BINARY = { keyEncoding: 'view', valueEncoding: 'view' } as const
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

describe('a table in LevelDB', () => {
  let directory: string
  let database: Level
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-table-'))
    database = new Level(directory)
    await database.open()
    const table = LevelTable.empty(database, AREA, 2)
    for (const key of ['a', 'b', '\0\xff']) table.put(key, bytes(`row ${key}`))
    await table.commit(5)
  })
  afterEach(async () => {
    await database.close()
    await rm(directory, { recursive: true, force: true })
  })
  const stored = (key: string) => database.get<Uint8Array, Uint8Array>(bytes(AREA.prefix + key), BINARY)
  const store = (key: string, row: Uint8Array) => database.put<Uint8Array, Uint8Array>(bytes(AREA.prefix + key), row, BINARY)

  it('finds every flipped bit of a row', async () => {
    const row = (await stored('a')) as Uint8Array
    for (let bit = 0; bit < row.length * 8; bit++) {
      const flipped = Uint8Array.from(row)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      await store('a', flipped)
      assert.throws(() => LevelTable.stored(database, AREA)?.get('a'), { code: 'STORE_DAMAGED' }, `bit ${bit}`)
    }
  })

  it('finds rows that are cut, or stand under the key of another', async () => {
    const row = (await stored('a')) as Uint8Array
    const table = LevelTable.stored(database, AREA)
    for (const cut of [0, 1, 3, 4, row.length - 1]) {
      await store('a', row.subarray(0, cut))
      assert.throws(() => table?.get('a'), { code: 'STORE_DAMAGED' }, `${cut} bytes`)
    }
    await store('a', (await stored('b')) as Uint8Array)
    assert.throws(() => table?.get('a'), { code: 'STORE_DAMAGED' })
    assert.equal(Buffer.from(table?.get('b') ?? []).toString('latin1'), 'row b')
  })

  it('finds a checkpoint that is not what was written', async () => {
    const mark = (await stored('')) as Uint8Array
    await store('', mark.subarray(1))
    assert.throws(() => LevelTable.stored(database, AREA), { code: 'STORE_DAMAGED' })
    await database.del(bytes(AREA.prefix), { keyEncoding: 'view' })
    assert.equal(LevelTable.stored(database, AREA), undefined)
  })

  it('lets everything else have its turn while it puts thousands of rows together, which are stored all or none', async () => {
    const table = LevelTable.stored(database, AREA) as LevelTable
    // More than go into a turn of some milliseconds.
    const rows = 40_000
    for (let at = 0; at < rows; at++) table.put(`row ${at}`, bytes('x'))
    const isStored = (at: number) => database.getSync(bytes(`${AREA.prefix}row ${at}`) as never, BINARY as never) !== undefined
    let turns = 0
    const other = setInterval(() => {
      if (!isStored(0)) turns += 1
      assert.equal(isStored(0), isStored(rows - 1))
    }, 0)
    const commit = table.commit(6)
    table.put('row 0', bytes('later'))
    await Promise.resolve()
    await commit
    clearInterval(other)
    assert.ok(turns >= 1, `${turns} turns`)
    const again = LevelTable.stored(database, AREA)
    assert.deepEqual([again?.checkpoint, Buffer.from(again?.get('row 0') ?? []).toString()], [6, 'x'])
    assert.equal(Buffer.from(table.get('row 0') ?? []).toString(), 'later')
  })
})
