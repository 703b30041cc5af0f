import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { newSha256 } from '../../src/projections/sha256.system.ts'
import { digestRows } from '../../src/projections/sha256.ts'

describe('the digest of rows', () => {
  it('tells rows apart whose keys and values run together to the same text', () => {
    const digests = [
      [['a', 'bc']],
      [['ab', 'c']],
      [['abc', '']],
      [
        ['a', ''],
        ['bc', ''],
      ],
    ].map((rows) => digestRows(rows as [string, string][], newSha256))
    assert.equal(new Set(digests).size, digests.length)
  })

  it('is of all rows once, however many there are', () => {
    const rows = Array.from({ length: 5_000 }, (_, index) => [`key ${index}`, 'é'.repeat(index % 90)] as const)
    const text = rows.map(([key, value]) => `${key.length}:${key}${value.length}:${value}`).join('')
    assert.equal(digestRows(rows, newSha256), createHash('sha256').update(text).digest('hex'))
  })
})
