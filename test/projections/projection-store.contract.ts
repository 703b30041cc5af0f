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
  })
}
