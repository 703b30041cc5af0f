import assert from 'node:assert/strict'
import type { Projection, Row } from '../../src/projections/index.ts'
import { initialStateOf } from '../../src/projections/initial-state.ts'

const projection: Projection<unknown> = {
  ...{ name: 'p', version: 1, handles: [] },
  initial: () => 'empty',
  apply: (state) => state,
  changes: () => [],
  rows: () => [],
  load: (rows: Iterable<Row>) => [...rows],
}

describe('the state with which a fold begins', () => {
  it('is the snapshot that the log keeps for what it let go of', async () => {
    const rows = [['a', '1']] as const
    const asked: string[] = []
    const snapshot = async (name: string) => {
      asked.push(name)
      return rows
    }
    assert.deepEqual(await initialStateOf({ snapshot }, projection), { state: rows, rows })
    assert.deepEqual(asked, ['p'])
  })

  it('is empty where there is none', async () => {
    assert.deepEqual(await initialStateOf({ snapshot: async () => [] }, projection), { state: 'empty', rows: [] })
  })
})
