import assert from 'node:assert/strict'
import { frozenStore } from '../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../src/projections/projection-store.memory.ts'

describe('a frozen store', () => {
  it('can be read, and nothing that is written or removed reaches the store behind it', async () => {
    const inner = openMemoryProjectionStore()
    await inner.commit('p', 1, 4, [['a', '1']])
    await inner.keepSnapshot('p')
    const store = frozenStore(inner)
    await store.commit('p', 2, 5, [['a', '2']])
    await store.replace('p', 2, 5, [])
    await store.clear('p')
    await store.keepSnapshot('p')
    await store.saveSnapshot('p', { version: 1, seq: 9 }, [])
    await store.dropSnapshot('p', 4)
    const kept = { version: 1, checkpoint: 4, rows: [['a', '1']] }
    for (const each of [inner, store]) {
      assert.deepEqual(await each.load('p'), kept)
      assert.deepEqual(await each.snapshots('p'), [{ version: 1, seq: 4 }])
      assert.deepEqual(await each.loadSnapshot('p', 4), kept)
    }
  })

  it('ends the store behind it when it is done with', async () => {
    const inner = openMemoryProjectionStore()
    await frozenStore(inner)[Symbol.asyncDispose]()
    await assert.rejects(inner.load('p'), { code: 'STORE_CLOSED' })
  })
})
