import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { openLevelProjectionStore } from '../../src/projections/projection-store.level.ts'
import { projectionStoreContract } from './projection-store.contract.ts'

describe('projection store on LevelDB', () => {
  let base: string
  let count = 0
  const fresh = (): string => join(base, String(count++))
  before(async () => {
    base = await mkdtemp(join(tmpdir(), 'p2pt-store-'))
  })
  after(async () => {
    await rm(base, { recursive: true, force: true })
  })

  projectionStoreContract('the store on LevelDB', () => openLevelProjectionStore({ directory: fresh() }))

  it('has what was committed after it was closed and opened', async () => {
    const directory = fresh()
    {
      await using store = await openLevelProjectionStore({ directory })
      await store.commit('p', 4, 8, [['a', '1']])
    }
    await using store = await openLevelProjectionStore({ directory })
    assert.deepEqual(await store.load('p'), { version: 4, checkpoint: 8, rows: [['a', '1']] })
  })

  const alter = async (directory: string, change: (database: Level) => Promise<void>): Promise<void> => {
    const database = new Level(directory)
    await change(database)
    await database.close()
  }
  const DAMAGES: readonly [string, (database: Level) => Promise<void>][] = [
    ['an altered row', (database) => database.put('pp\0a', '2')],
    ['a lost row', (database) => database.del('pp\0a')],
    ['a row too many', (database) => database.put('pp\0c', '1')],
    ['a lost checkpoint', (database) => database.del('cp')],
    ['an unreadable checkpoint', (database) => database.put('cp', '{')],
  ]
  for (const [what, change] of DAMAGES) {
    it(`calls ${what} damage, and takes a fresh start after a clear`, async () => {
      const directory = fresh()
      {
        await using store = await openLevelProjectionStore({ directory })
        await store.commit('p', 1, 8, [
          ['a', '1'],
          ['b', '1'],
        ])
      }
      await alter(directory, change)
      await using store = await openLevelProjectionStore({ directory })
      await assert.rejects(store.load('p'), { code: 'STORE_DAMAGED' })
      await store.clear('p')
      await store.commit('p', 1, 9, [['a', '3']])
      assert.deepEqual((await store.load('p'))?.rows, [['a', '3']])
    })
  }

  it('starts empty, and says so, where the database cannot be opened', async () => {
    const directory = fresh()
    {
      await using store = await openLevelProjectionStore({ directory })
      await store.commit('p', 1, 8, [['a', '1']])
    }
    const manifest = (await readdir(directory)).find((file) => file.startsWith('MANIFEST'))
    assert.ok(manifest)
    await writeFile(join(directory, manifest), 'not a manifest')
    const reasons: string[] = []
    await using store = await openLevelProjectionStore({ directory, onDiscarded: (reason) => reasons.push(reason) })
    assert.equal(reasons.length, 1)
    assert.equal(await store.load('p'), undefined)
  })
})
