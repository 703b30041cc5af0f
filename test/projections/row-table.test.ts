import assert from 'node:assert/strict'
import { WaitingRows } from '../../src/projections/row-table.ts'

const row = (value: number): Uint8Array => Uint8Array.of(value)

describe('rows that wait for their commit', () => {
  it('are read while they are stored, and gone from memory after', async () => {
    const rows = new WaitingRows()
    rows.set('a', row(1))
    const stored = Promise.withResolvers<void>()
    const commit = rows.commit(() => stored.promise)
    rows.set('b', undefined)
    assert.deepEqual([rows.get('a'), rows.has('a'), rows.has('b'), rows.get('b')], [row(1), true, true, undefined])
    stored.resolve()
    await commit
    assert.deepEqual([rows.has('a'), rows.has('b')], [false, true])
  })

  it('wait again when they could not be stored, under what came meanwhile', async () => {
    const rows = new WaitingRows()
    for (const key of ['a', 'b', 'c']) rows.set(key, row(1))
    const stored = Promise.withResolvers<void>()
    const commit = rows.commit(() => stored.promise)
    rows.set('b', row(2))
    rows.set('c', undefined)
    rows.set('d', row(4))
    stored.reject(new Error('no space left on device'))
    await assert.rejects(commit, /no space/)
    let written: unknown
    await rows.commit(async (all) => {
      written = [...all].sort(([a], [b]) => (a < b ? -1 : 1))
    })
    assert.deepEqual(written, [
      ['a', row(1)],
      ['b', row(2)],
      ['c', undefined],
      ['d', row(4)],
    ])
  })
})
