import assert from 'node:assert/strict'
import { liveFiles } from '../../../src/events/leveldb/leveldb-manifest.ts'
import { bytesOf, internalKey, logFileOf, varint } from './leveldb-writer.ts'

const text = (bytes: Uint8Array): Uint8Array => bytesOf(varint(bytes.length), bytes)
const key = (name: string): Uint8Array => text(internalKey({ key: bytesOf(name), write: 70_000 }))
const comparator = bytesOf(1, text(bytesOf('leveldb.BytewiseComparator')))
const logNumber = (number: number): Uint8Array => bytesOf(2, varint(number))
const numbers = bytesOf(3, varint(900), 4, varint(70_001), 9, varint(0))
const pointer = bytesOf(5, varint(1), key('m'))
const added = (number: number, size: number, first: string, last: string): Uint8Array =>
  bytesOf(7, varint(0), varint(number), varint(size), key(first), key(last))
const deleted = (number: number): Uint8Array => bytesOf(6, varint(2), varint(number))
const table = (size: number, first: string, last: string) => ({ size, first: bytesOf(first), last: bytesOf(last) })
const live = (...edits: readonly Uint8Array[]) => liveFiles(logFileOf(...edits))

describe('the manifest of a database', () => {
  it('tells which tables belong to it, and from which log file on', () => {
    const { tables, logNumber: from } = live(
      bytesOf(comparator, logNumber(3), numbers),
      bytesOf(added(300, 70_000, 'a', 'f'), numbers, added(301, 5, 'f', 'z')),
      bytesOf(logNumber(400), pointer, deleted(300), added(302, 9, 'a', 'c')),
    )
    assert.deepEqual(from, 400)
    assert.deepEqual(
      [...tables],
      [
        [301, table(5, 'f', 'z')],
        [302, table(9, 'a', 'c')],
      ],
    )
  })

  it('passes over each field that says nothing of a file', () => {
    for (const field of [comparator, pointer, numbers, bytesOf(3, 1), bytesOf(4, 2), bytesOf(9, 6)])
      assert.deepEqual([...live(bytesOf(field, added(8, 1, 'a', 'b'))).tables.keys()], [8])
  })

  it('is empty where nothing is written', () => {
    assert.deepEqual(live(), { tables: new Map(), logNumber: 0 })
  })

  it('has nothing of an edit behind a field that is not known, and goes on with the next', () => {
    const unknown = bytesOf(8, 1, 2, 3)
    const { tables } = live(bytesOf(added(5, 1, 'a', 'b'), unknown, added(6, 1, 'a', 'b')), added(7, 1, 'c', 'd'))
    assert.deepEqual([...tables.keys()], [5, 7])
  })

  it('is followed up to the first record whose checksum fails', () => {
    const bytes = logFileOf(added(5, 1, 'a', 'b'), added(6, 1, 'a', 'b'))
    assert.deepEqual([...liveFiles(bytes.with(bytes.length - 1, 255)).tables.keys()], [5])
  })

  it('cannot be read where an edit with a good checksum ends in the midst of a field', () => {
    const whole = added(5, 1, 'a', 'b')
    for (const cut of [1, 5, whole.length - 1])
      assert.throws(() => live(whole.slice(0, cut)), { name: 'VarintError' }, `${cut} bytes`)
  })

  it('has tables with keys that are too short to be keys, as empty ones', () => {
    const short = text(bytesOf('abc'))
    const found = live(bytesOf(7, 0, 5, 1, short, short)).tables.get(5)
    assert.deepEqual(found, { size: 1, first: new Uint8Array(), last: new Uint8Array() })
  })

  it('gives copies, which keep no manifest in memory', () => {
    const found = live(added(5, 1, 'abc', 'def')).tables.get(5)
    assert.equal(found?.first.buffer.byteLength, 3)
  })
})
