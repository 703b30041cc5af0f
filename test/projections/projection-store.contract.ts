import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { ProjectionStore } from '../../src/projections/index.ts'

/** What every projection store owes the runner. `open` gives an empty one. */
export function projectionStoreContract(name: string, open: () => Promise<ProjectionStore>): void {
  describe(`${name}, as a projection store`, () => {
    let store: ProjectionStore
    beforeEach(async () => {
      store = await open()
    })
    afterEach(async () => {
      await store[Symbol.asyncDispose]()
    })

    it('knows nothing of a projection that was never committed', async () => {
      assert.equal(await store.load('liveness'), undefined)
    })

    it('gives back rows in key order, with their version and checkpoint', async () => {
      await store.commit('liveness', 3, 17, [
        ['b', '2'],
        ['a', '1'],
        ['é', '3'],
      ])
      assert.deepEqual(await store.load('liveness'), {
        version: 3,
        checkpoint: 17,
        rows: [
          ['a', '1'],
          ['b', '2'],
          ['é', '3'],
        ],
      })
    })

    it('orders keys by code units, also where their bytes have another order', async () => {
      const keys = ['a', '\u{1f600}', '\uff5e']
      await store.commit(
        'p',
        1,
        1,
        keys.toReversed().map((key) => [key, '1'] as const),
      )
      assert.deepEqual(
        (await store.load('p'))?.rows.map(([key]) => key),
        keys,
      )
    })

    it('puts changes over the rows before, the last one of a key counting', async () => {
      await store.commit('p', 1, 1, [
        ['a', '1'],
        ['b', '1'],
      ])
      await store.commit('p', 1, 2, [
        ['a', null],
        ['b', '2'],
        ['b', '3'],
        ['c', null],
      ])
      assert.deepEqual((await store.load('p'))?.rows, [['b', '3']])
    })

    it('keeps a checkpoint that came with no rows', async () => {
      await store.commit('p', 1, 5, [])
      assert.deepEqual(await store.load('p'), { version: 1, checkpoint: 5, rows: [] })
    })

    it('keeps projections apart, whatever their names begin with', async () => {
      await store.commit('down', 1, 1, [['k', 'short']])
      await store.commit('downloads', 2, 2, [['k', 'long']])
      await store.clear('down')
      assert.equal(await store.load('down'), undefined)
      assert.deepEqual(await store.load('downloads'), { version: 2, checkpoint: 2, rows: [['k', 'long']] })
    })

    it('starts empty after it was cleared', async () => {
      await store.commit('p', 1, 9, [['old', '1']])
      await store.clear('p')
      await store.commit('p', 2, 3, [['new', '1']])
      assert.deepEqual(await store.load('p'), { version: 2, checkpoint: 3, rows: [['new', '1']] })
    })

    it('replaces all rows at once, again and again, and takes changes over them', async () => {
      await store.commit('p', 1, 9, [
        ['old', '1'],
        ['both', '1'],
      ])
      for (const round of [2, 3]) {
        const rows = [
          ['both', String(round)] as const,
          ...Array.from({ length: 2500 }, (_, at) => [`r${at}`, String(round)] as const),
        ]
        await store.replace('p', round, round, rows)
        await store.commit('p', round, round + 1, [['more', '1']])
        const stored = await store.load('p')
        assert.deepEqual([stored?.version, stored?.checkpoint, stored?.rows.length], [round, round + 1, 2502])
        assert.deepEqual(stored?.rows.slice(0, 2), [
          ['both', String(round)],
          ['more', '1'],
        ])
      }
      await store.clear('p')
      assert.equal(await store.load('p'), undefined)
    })

    it('leaves what is stored as it is when a replacement fails half-way', async () => {
      await store.commit('p', 1, 9, [['old', '1']])
      const failing = function* (): Generator<readonly [string, string]> {
        for (let at = 0; at < 2500; at++) yield [`r${at}`, '2']
        throw new Error('no more')
      }
      await assert.rejects(store.replace('p', 2, 3, failing()), /no more/)
      assert.deepEqual(await store.load('p'), { version: 1, checkpoint: 9, rows: [['old', '1']] })
      await store.replace('p', 2, 3, [['new', '1']])
      assert.deepEqual(await store.load('p'), { version: 2, checkpoint: 3, rows: [['new', '1']] })
    })

    it('keeps snapshots beside the rows, in their order, until they are dropped', async () => {
      await store.keepSnapshot('p')
      assert.deepEqual(await store.snapshots('p'), [])
      await store.saveSnapshot('p', { version: 2, seq: 1_000 }, [['a', '1000']])
      await store.commit('p', 2, 70, [['a', '70']])
      await store.keepSnapshot('p')
      await store.replace('p', 2, 200, [['a', '200']])
      await store.keepSnapshot('p')
      await store.commit('p', 2, 300, [['a', '300']])
      await store.saveSnapshot('pp', { version: 1, seq: 5 }, [])
      assert.deepEqual(
        (await store.snapshots('p')).map(({ seq }) => seq),
        [70, 200, 1_000],
      )
      for (const seq of [70, 200, 1_000]) {
        assert.deepEqual(await store.loadSnapshot('p', seq), { version: 2, checkpoint: seq, rows: [['a', String(seq)]] })
      }
      await store.dropSnapshot('p', 200)
      assert.equal(await store.loadSnapshot('p', 200), undefined)
      assert.deepEqual(await store.snapshots('p'), [
        { version: 2, seq: 70 },
        { version: 2, seq: 1_000 },
      ])
      assert.deepEqual((await store.load('p'))?.rows, [['a', '300']])
    })

    it('holds what a map would hold after any changes', async () => {
      const change = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(fc.string(), { nil: null }))
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 5 }), async (batches) => {
          await store.clear('p')
          const model = new Map<string, string>()
          for (const [index, batch] of batches.entries()) {
            for (const [key, value] of batch) {
              if (value === null) model.delete(key)
              else model.set(key, value)
            }
            await store.commit('p', 1, index + 1, batch)
          }
          assert.deepEqual(
            (await store.load('p'))?.rows ?? [],
            [...model].sort(([a], [b]) => (a < b ? -1 : 1)),
          )
        }),
        { numRuns: 40 },
      )
    })

    it('refuses to be used once it is closed', async () => {
      await store[Symbol.asyncDispose]()
      await assert.rejects(store.load('p'), { code: 'STORE_CLOSED' })
      await assert.rejects(store.commit('p', 1, 1, []), { code: 'STORE_CLOSED' })
      await assert.rejects(store.replace('p', 1, 1, []), { code: 'STORE_CLOSED' })
      await assert.rejects(store.clear('p'), { code: 'STORE_CLOSED' })
      await assert.rejects(store.snapshots('p'), { code: 'STORE_CLOSED' })
      await assert.rejects(store.keepSnapshot('p'), { code: 'STORE_CLOSED' })
      await assert.rejects(store.saveSnapshot('p', { version: 1, seq: 1 }, []), { code: 'STORE_CLOSED' })
      await assert.rejects(store.loadSnapshot('p', 1), { code: 'STORE_CLOSED' })
      await assert.rejects(store.dropSnapshot('p', 1), { code: 'STORE_CLOSED' })
    })

    describe('with tables', () => {
      const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
      const text = (row: Uint8Array | undefined): string | undefined => row && new TextDecoder().decode(row)
      /** Every byte has its place in a key. */
      const HIGH = '\0\xff\x7f'
      const begun = async (version = 3) => {
        const table = await store.beginTable('p', version)
        table.put(HIGH, bytes('one'))
        await table.commit(7)
        return table
      }

      it('has none that was not adopted', async () => {
        assert.equal(await store.openTable('p'), undefined)
        await begun()
        assert.equal(await store.openTable('p'), undefined)
      })

      it('reads what was put at once, and after a commit and an adoption when it is opened', async () => {
        const table = await begun()
        table.put('b', bytes('two'))
        table.delete(HIGH)
        assert.deepEqual([text(table.get('b')), table.get(HIGH), table.get('c')], ['two', undefined, undefined])
        await table.commit(9)
        await store.adoptTable('p', table)
        const opened = await store.openTable('p')
        assert.deepEqual([opened?.version, opened?.checkpoint], [3, 9])
        assert.deepEqual([text(opened?.get('b')), opened?.get(HIGH)], ['two', undefined])
      })

      it('has nothing that was not committed when it is opened', async () => {
        const table = await begun()
        await store.adoptTable('p', table)
        table.put(HIGH, bytes('later'))
        const opened = await store.openTable('p')
        assert.deepEqual([opened?.checkpoint, text(opened?.get(HIGH))], [7, 'one'])
      })

      it('goes on with a table that was begun, of the same version, and with no other', async () => {
        await begun()
        const left = await store.beginTable('p', 3)
        assert.deepEqual([left.checkpoint, text(left.get(HIGH))], [7, 'one'])
        const other = await store.beginTable('p', 4)
        assert.deepEqual([other.checkpoint, other.get(HIGH)], [0, undefined])
        await other.commit(1)
        await store.dropBegun('p')
        assert.equal((await store.beginTable('p', 4)).checkpoint, 0)
      })

      it('keeps what is adopted until another is, and adopts only what was begun last', async () => {
        const first = await begun()
        await store.adoptTable('p', first)
        const second = await store.beginTable('p', 3)
        second.put('b', bytes('two'))
        await second.commit(8)
        assert.equal(text((await store.openTable('p'))?.get(HIGH)), 'one')
        await store.adoptTable('p', first)
        assert.equal((await store.openTable('p'))?.checkpoint, 7)
        await store.adoptTable('p', second)
        const opened = await store.openTable('p')
        assert.deepEqual([opened?.checkpoint, opened?.get(HIGH), text(opened?.get('b'))], [8, undefined, 'two'])
      })

      it('puts rows apart from those that wait, and clears a range of what is stored', async () => {
        const table = await begun()
        table.put('waits', bytes('w'))
        await table.putApart(['a', 'b', 'c', 'd'].map((key) => [key, bytes(key)] as const))
        await table.clear('b', 'd')
        assert.deepEqual(
          ['a', 'b', 'c', 'd', 'waits'].map((key) => text(table.get(key))),
          ['a', undefined, undefined, 'd', 'w'],
        )
      })

      it('says that a row is missing that must be there', async () => {
        const table = await begun()
        assert.equal(text(table.need(HIGH)), 'one')
        assert.throws(() => table.need('no'), { code: 'STORE_DAMAGED' })
      })

      it('makes one commit at a time', async () => {
        const table = await begun()
        table.put('b', bytes('two'))
        const commit = table.commit(8)
        table.put('c', bytes('three'))
        assert.equal(text(table.get('b')), 'two', 'while it is being stored')
        await assert.rejects(table.commit(9), /under way/)
        await commit
        assert.equal(text(table.get('c')), 'three')
        await table.commit(9)
        await store.adoptTable('p', table)
        assert.equal(text((await store.openTable('p'))?.get('c')), 'three')
      })

      it('keeps tables apart, and those for a look at the past are found by nobody', async () => {
        const table = await begun()
        await store.adoptTable('p', table)
        const other = await store.beginTable('q', 3)
        const { table: past, drop } = await store.scratchTable('p', 3)
        const another = await store.scratchTable('p', 3)
        for (const one of [other, past, another.table]) assert.equal(one.get(HIGH), undefined)
        past.put(HIGH, bytes('past'))
        await past.commit(2)
        assert.deepEqual([text(past.get(HIGH)), another.table.get(HIGH), text(table.get(HIGH))], ['past', undefined, 'one'])
        await drop()
        await another.drop()
        assert.deepEqual([(await store.openTable('p'))?.checkpoint, await store.openTable('q')], [7, undefined])
      })

      it('gives nothing once it is closed', async () => {
        const table = await begun()
        await store[Symbol.asyncDispose]()
        assert.throws(() => table.get(HIGH), { code: 'STORE_CLOSED' })
        await assert.rejects(table.commit(9), { code: 'STORE_CLOSED' })
        await assert.rejects(table.putApart([]), { code: 'STORE_CLOSED' })
      })
    })
  })
}
