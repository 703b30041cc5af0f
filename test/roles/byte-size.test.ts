import { equal } from 'node:assert/strict'
import { bytes } from '../../src/roles/byte-size.ts'

describe('a size for people', () => {
  const table: [count: number, text: string][] = [
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 kB'],
    [1_540, '1.5 kB'],
    [999_949, '999.9 kB'],
    // It would be shown as 1000.0: it belongs to the next unit.
    [999_950, '1.0 MB'],
    [1_000_000, '1.0 MB'],
    [2_500_000_000, '2.5 GB'],
    [1e12, '1.0 TB'],
    [1e15, '1.0 PB'],
    // There is no unit after it.
    [5e18, '5000.0 PB'],
  ]
  for (const [count, text] of table) {
    it(`of ${count} bytes is ${text}`, () => {
      equal(bytes(count), text)
    })
  }
})
