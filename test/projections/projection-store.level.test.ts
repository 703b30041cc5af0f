import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import type { NetworkId } from '../../src/events/index.ts'
import { openLevelProjectionStore } from '../../src/projections/projection-store.level.ts'
import type { StoreOwner } from '../../src/projections/store-owner.level.ts'
import { signerOf } from '../events/samples.ts'
import { TEST_NETWORK } from '../events/test-network.ts'
import { projectionStoreContract } from './projection-store.contract.ts'

describe('projection store on LevelDB', () => {
  let base: string
  let count = 0
  const owner: StoreOwner = { author: signerOf(1).id, network: TEST_NETWORK }
  const fresh = (): string => join(base, String(count++))
  before(async () => {
    base = await mkdtemp(join(tmpdir(), 'p2pt-store-'))
  })
  after(async () => {
    await rm(base, { recursive: true, force: true })
  })

  projectionStoreContract('the store on LevelDB', () => openLevelProjectionStore({ directory: fresh(), owner }))

  it('has what was committed after it was closed and opened', async () => {
    const directory = fresh()
    {
      await using store = await openLevelProjectionStore({ directory, owner })
      await store.commit('p', 4, 8, [['a', '1']])
    }
    await using store = await openLevelProjectionStore({ directory, owner })
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
        await using store = await openLevelProjectionStore({ directory, owner })
        await store.commit('p', 1, 8, [
          ['a', '1'],
          ['b', '1'],
        ])
      }
      await alter(directory, change)
      await using store = await openLevelProjectionStore({ directory, owner })
      await assert.rejects(store.load('p'), { code: 'STORE_DAMAGED' })
      await store.clear('p')
      await store.commit('p', 1, 9, [['a', '3']])
      assert.deepEqual((await store.load('p'))?.rows, [['a', '3']])
    })
  }

  it('starts empty, and says so, where a table is damaged that may be: LevelDB could end the process at it', async () => {
    const directory = fresh()
    const rows = Array.from({ length: 500 }, (_, row): [string, string] => [`row ${row}`, `value ${row} `.repeat(20)])
    {
      await using store = await openLevelProjectionStore({ directory, owner })
      await store.commit('p', 1, 8, rows)
    }
    // The next open brings it to a table.
    await (await openLevelProjectionStore({ directory, owner }))[Symbol.asyncDispose]()
    const table = (await readdir(directory)).find((name) => name.endsWith('.ldb')) ?? assert.fail('no table')
    const whole = await readFile(join(directory, table))
    const opened = async (bytes: Buffer): Promise<[discarded: string[], isThere: boolean]> => {
      await rm(join(base, 'spoilt'), { recursive: true, force: true })
      await cp(directory, join(base, 'spoilt'), { recursive: true })
      await writeFile(join(base, 'spoilt', table), bytes)
      // As a kill leaves it: no part of the database.
      await writeFile(join(base, 'spoilt', '999999.ldb'), 'half a table')
      const discarded: string[] = []
      await using store = await openLevelProjectionStore({
        ...{ directory: join(base, 'spoilt'), owner, isSuspect: true },
        onDiscarded: (reason) => discarded.push(reason),
      })
      return [discarded, (await store.load('p')) !== undefined]
    }
    assert.deepEqual(await opened(whole), [[], true])
    for (let round = 0; round < 20; round++) {
      const place = Math.floor(((round + 0.5) / 20) * whole.length)
      const bytes = Buffer.from(whole)
      if (round % 2 === 0) bytes[place] = (bytes[place] ?? 0) ^ 4
      else bytes.fill(0xff, place, place + 16)
      assert.deepEqual(await opened(bytes), [[`${table} is damaged`], false], `at ${place} of ${whole.length}`)
    }
  })

  it('starts empty, and says so, where LevelDB could not read in it the last time', async () => {
    const directory = fresh()
    {
      await using store = await openLevelProjectionStore({ directory, owner })
      const rows = Array.from({ length: 500 }, (_, row): [string, string] => [`row ${row}`, `value ${row} `.repeat(20)])
      await store.commit('p', 1, 8, rows)
    }
    await (await openLevelProjectionStore({ directory, owner }))[Symbol.asyncDispose]()
    const table = (await readdir(directory)).find((name) => name.endsWith('.ldb')) ?? assert.fail('no table')
    const whole = await readFile(join(directory, table))
    const discarded: string[] = []
    const open = () => openLevelProjectionStore({ directory, owner, onDiscarded: (reason) => discarded.push(reason) })
    const read = async (): Promise<boolean> => {
      await using store = await open()
      return (await store.load('p')) !== undefined
    }
    await writeFile(join(directory, table), Buffer.from(whole).fill(0xff, whole.length >> 1, (whole.length >> 1) + 16))
    await assert.rejects(read(), /it cannot be read/)
    await writeFile(join(directory, table), whole)
    assert.ok(await read(), 'it was the disk for a moment')
    await writeFile(join(directory, table), Buffer.from(whole).fill(0xff, whole.length >> 1, (whole.length >> 1) + 16))
    await assert.rejects(read(), /it cannot be read/)
    assert.deepEqual(discarded, [])
    assert.equal(await read(), false)
    assert.deepEqual(discarded, [`${table} is damaged`])
  })

  it('starts empty, and says so, where the database cannot be opened', async () => {
    const directory = fresh()
    {
      await using store = await openLevelProjectionStore({ directory, owner })
      await store.commit('p', 1, 8, [['a', '1']])
    }
    const manifest = (await readdir(directory)).find((file) => file.startsWith('MANIFEST'))
    assert.ok(manifest)
    await writeFile(join(directory, manifest), 'not a manifest')
    const reasons: string[] = []
    await using store = await openLevelProjectionStore({ directory, owner, onDiscarded: (reason) => reasons.push(reason) })
    assert.equal(reasons.length, 1)
    assert.equal(await store.load('p'), undefined)
  })
  const OTHERS: readonly [string, StoreOwner, RegExp][] = [
    ['another node', { ...owner, author: signerOf(2).id }, new RegExp(`^they are those of node ${owner.author}$`)],
    [
      'the same key in another network',
      { ...owner, network: 'f'.repeat(64) as NetworkId },
      new RegExp(`^they are of the network ${owner.network}$`),
    ],
  ]
  for (const [what, other, sentence] of OTHERS) {
    it(`gives nothing of it to ${what}, snapshots included, whose own it is from then on`, async () => {
      const directory = fresh()
      {
        await using store = await openLevelProjectionStore({ directory, owner })
        await store.commit('p', 1, 8, [['a', '1']])
        await store.keepSnapshot('p')
      }
      await assert.rejects(openLevelProjectionStore({ directory, owner: other, discard: false }), {
        code: 'STORE_FAILED',
        message: new RegExp(sentence.source.slice(1)),
      })
      {
        const reasons: string[] = []
        await using store = await openLevelProjectionStore({
          ...{ directory, owner: other },
          onDiscarded: (reason) => reasons.push(reason),
        })
        assert.match(reasons.join(), sentence)
        assert.equal(await store.load('p'), undefined)
        assert.deepEqual(await store.snapshots('p'), [])
        await store.commit('p', 1, 3, [['b', '1']])
      }
      await using store = await openLevelProjectionStore({ directory, owner: other, discard: false })
      assert.equal((await store.load('p'))?.checkpoint, 3)
    })
  }

  it('takes no rows that do not say whose they are', async () => {
    const directory = fresh()
    {
      await using store = await openLevelProjectionStore({ directory, owner })
      await store.commit('p', 1, 8, [['a', '1']])
    }
    for (const change of [
      (database: Level) => database.del('o'),
      (database: Level) => database.put('o', '{'),
      (database: Level) => database.put('o', 'null'),
    ]) {
      await alter(directory, change)
      await assert.rejects(openLevelProjectionStore({ directory, owner, discard: false }), { code: 'STORE_FAILED' })
    }
  })

  it('takes a snapshot that was altered for none, and leaves the rows', async () => {
    const directory = fresh()
    {
      await using store = await openLevelProjectionStore({ directory, owner })
      await store.commit('p', 1, 7, [['a', '1']])
      await store.keepSnapshot('p')
      assert.equal((await store.loadSnapshot('p', 7))?.checkpoint, 7)
    }
    await alter(directory, async (database) => {
      const [key] = await database.keys({ gte: 's', lt: 't' }).all()
      assert.ok(key)
      await database.put(key, '2')
    })
    await using store = await openLevelProjectionStore({ directory, owner })
    assert.equal(await store.loadSnapshot('p', 7), undefined)
    assert.deepEqual((await store.load('p'))?.rows, [['a', '1']])
  })

  it('is refused, and keeps its rows, while a running node has it open', async () => {
    const directory = fresh()
    await using store = await openLevelProjectionStore({ directory, owner })
    await store.commit('p', 1, 1, [['a', '1']])
    await assert.rejects(openLevelProjectionStore({ directory, owner, onDiscarded: () => assert.fail() }), {
      code: 'STORE_FAILED',
    })
    assert.ok((await readdir(directory)).includes('CURRENT'))
    await store.commit('p', 1, 2, [['b', '1']])
    assert.equal((await store.load('p'))?.rows.length, 2)
  })
})
