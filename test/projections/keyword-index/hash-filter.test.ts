import { deepEqual, equal } from 'node:assert/strict'
import fc from 'fast-check'
import { HashFilter } from '../../../src/projections/keyword-index/hash-filter.ts'
import { MemoryTable } from '../../../src/projections/row-table.memory.ts'

const hashes = fc.array(
  fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  { maxLength: 200, size: 'max' },
)

describe('the filter of info hashes', () => {
  it('takes none that was added for unknown, also after it was stored and opened again', async () => {
    await fc.assert(
      fc.asyncProperty(hashes, hashes, async (first, second) => {
        const table = new MemoryTable(1)
        const filter = new HashFilter(table, false)
        for (const hash of first) filter.add(hash)
        filter.flush()
        for (const hash of second) filter.add(hash)
        filter.flush()
        await table.commit(1)
        const again = new HashFilter(table.reopened(), true)
        for (const hash of [...first, ...second]) deepEqual([filter.mayHave(hash), again.mayHave(hash)], [true, true])
      }),
      { numRuns: 20 },
    )
  })

  it('takes those for unknown that begin otherwise, by 24 bits', () => {
    const filter = new HashFilter(new MemoryTable(1), false)
    const tail = '0'.repeat(34)
    filter.add(`abcdef${tail}`)
    equal(filter.mayHave(`abcdef${'f'.repeat(34)}`), true)
    for (const other of ['abcdee', 'abcde7', '2bcdef', 'abcdff', '000000', 'ffffff']) equal(filter.mayHave(other + tail), false)
  })

  it('writes a row of a kilobyte for a hash, and no row twice', async () => {
    const table = new MemoryTable(1)
    const filter = new HashFilter(table, false)
    const put: number[] = []
    const rows = Object.assign(Object.create(table) as MemoryTable, {
      put: (_key: string, row: Uint8Array) => void put.push(row.length),
    })
    const counted = new HashFilter(rows, false)
    counted.add('abcdef')
    counted.add('abcdee')
    counted.flush()
    counted.flush()
    deepEqual(put, [1024])
    counted.add('000000')
    counted.flush()
    deepEqual(put, [1024, 1024])
    equal(filter.mayHave('abcdef'), false)
  })
})
