import assert from 'node:assert/strict'
import { fields, table } from '../../../src/cli/render/table.ts'
import { clip, textWidth } from '../../../src/cli/render/text-width.ts'

describe('tables', () => {
  it('aligns columns, numbers to the right, and leaves no spaces at line ends', () => {
    const rows = [
      { name: 'a', count: 5 },
      { name: 'longer', count: 12345 },
    ]
    const text = table(rows, [
      { title: 'NAME', value: (row) => row.name },
      { title: 'COUNT', value: (row) => String(row.count), align: 'right' },
    ])
    assert.equal(text, 'NAME    COUNT\na           5\nlonger  12345')
  })

  it('counts the columns of wide characters and combining marks as a terminal does', () => {
    assert.equal(textWidth('日本'), 4)
    assert.equal(textWidth('e\u0301'), 1)
    assert.equal(textWidth('🎵'), 2)
    const text = table(
      ['日本', 'abcd', 'e\u0301'],
      [
        { title: 'T', value: (row) => row },
        { title: 'X', value: () => 'x' },
      ],
    )
    assert.deepEqual(text.split('\n'), ['T     X', '日本  x', 'abcd  x', 'e\u0301     x'])
  })

  it('cuts cells that are too long, never in the middle of a wide character', () => {
    assert.equal(clip('abcdef', 4), 'abc…')
    assert.equal(clip('日本語', 4), '日…')
    assert.equal(clip('abcd', 4), 'abcd')
  })

  it('makes every cell and value printable', () => {
    assert.equal(table(['\u001b[2Jx'], [{ title: 'T', value: (row) => row }]), 'T\nx')
    assert.equal(fields([['name', 'a\u202eb'], undefined, ['n', 'c']]), 'name  ab\nn     c')
  })
})
