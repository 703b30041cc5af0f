import assert from 'node:assert/strict'
import fc from 'fast-check'
import { key32 } from '../../../src/projections/bytes.ts'
import { OrdinalLists } from '../../../src/projections/keyword-index/ordinal-lists.ts'
import { emptyTable } from './small-rows.ts'

describe('lists of ordinals in rows', () => {
  /** A burst to one list, or what happens to all. */
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('append' as const), list: fc.nat(2), count: fc.integer({ min: 1, max: 70 }) }),
    },
    { weight: 2, arbitrary: fc.constant({ do: 'flush' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), list: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.constant({ do: 'reopen' as const }) },
  )

  it('hold what was appended, in its order, over any flushes, restarts and removals', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
        const table = await emptyTable()
        let lists = new OrdinalLists(table, 'x')
        const beside = new OrdinalLists(table, 'y')
        beside.append(0, 0, 77)
        const plain: number[][] = [[], [], []]
        const lengthOf = (list: number): number => plain[list]?.length ?? 0
        let next = 0
        for (const each of steps) {
          if (each.do === 'append') {
            for (let at = 0; at < each.count; at++) {
              lists.append(each.list, lengthOf(each.list), ++next)
              plain[each.list]?.push(next)
            }
          } else if (each.do === 'remove') {
            lists.remove(each.list, lengthOf(each.list))
            plain[each.list] = []
          } else {
            lists.flush(lengthOf)
            if (each.do === 'reopen') lists = new OrdinalLists(table, 'x')
          }
          for (const [list, ordinals] of plain.entries())
            assert.deepEqual([...lists.ordinals(list, () => lengthOf(list))], ordinals)
        }
        assert.deepEqual([...beside.ordinals(0, () => 1)], [77], 'another prefix has lists of its own')
      }),
      { numRuns: 30 },
    )
  })

  it('go on where they grow while they are read', async () => {
    const lists = new OrdinalLists(await emptyTable(), 'x')
    let length = 0
    const grow = (): void => {
      lists.append(0, length, 100 + length)
      length++
    }
    for (let count = 0; count < 60; count++) grow()
    const read: number[] = []
    for (const ordinal of lists.ordinals(0, () => length)) {
      read.push(ordinal)
      if (length < 200) grow()
    }
    assert.deepEqual(
      read,
      Array.from({ length: 200 }, (_, at) => 100 + at),
    )
  })

  it('leave no row behind that is written again without need, nor one of a list that was removed', async () => {
    const table = await emptyTable()
    const puts: string[] = []
    const put = table.put.bind(table)
    table.put = (key, row) => {
      puts.push(key)
      put(key, row)
    }
    const lists = new OrdinalLists(table, 'x')
    lists.append(0, 0, 1)
    lists.append(1, 0, 2)
    const one = (): number => 1
    lists.flush(one)
    assert.equal(puts.length, 2)
    lists.flush(one)
    assert.equal(puts.length, 2, 'nothing has changed')
    for (let length = 1; length < 130; length++) lists.append(1, length, length)
    lists.flush((list) => (list === 1 ? 130 : 1))
    assert.equal(new Set(puts).size, 4, 'two full rows and one begun, and the one of the other')
    lists.append(1, 130, 1)
    lists.remove(1, 131)
    const before = puts.length
    lists.flush((list) => (list === 1 ? 0 : 1))
    assert.equal(puts.length, before, 'what was appended to it last is gone with it')
    const ofOther = key32(0)
    for (const key of new Set(puts)) assert.equal(table.get(key) !== undefined, key.startsWith(`x${ofOther}`))
  })
})
