import assert from 'node:assert/strict'
import fc from 'fast-check'
import { damageInLogFile, readLogFile, recordsOf, repeatsWrites } from '../../../src/events/leveldb/leveldb-log-file.ts'
import { isKeyPrefix, KEY_BYTES, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'
import { batchOf, bytesOf, fixed, logFileOf, maskedChecksum, varint } from './leveldb-writer.ts'

const BLOCK_BYTES = 32_768
const HEADER_BYTES = 7
const read = (bytes: Uint8Array) => readLogFile(bytes, isKeyPrefix, KEY_BYTES)
const hex = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex')
const fragment = (kind: number, content: Uint8Array): Uint8Array =>
  bytesOf(maskedChecksum(bytesOf(kind, content)), fixed(content.length, 2), kind, content)
const put = (first: number, value = bytesOf(`value ${first}`)) => ({ key: segmentKey(first), value })
const facts = (bytes: Uint8Array) =>
  read(bytes).entries.map(({ key, write, value, isWhole }) => [hex(key), write, hex(value), isWhole])

describe('the records of a log file', () => {
  it('come back as they were written, whatever their sizes', () => {
    const size = fc.oneof(fc.nat(100), fc.integer({ min: BLOCK_BYTES - 30, max: BLOCK_BYTES + 10 }), fc.nat(100_000))
    fc.assert(
      fc.property(fc.array(size, { maxLength: 12, size: 'max' }), (sizes) => {
        const records = sizes.map((length, index) => new Uint8Array(length).fill(index + 1))
        const bytes = logFileOf(...records)
        assert.deepEqual([...recordsOf(bytes)].map(hex), records.map(hex))
        assert.deepEqual(damageInLogFile(bytes, false), [])
      }),
      {
        numRuns: 30,
        examples: [[[BLOCK_BYTES - 7, 1]], [[BLOCK_BYTES - 13, 1]], [[BLOCK_BYTES - 14, 1]], [[BLOCK_BYTES - 15, 1]]],
      },
    )
  })

  it('come back up to where the file is cut off, and the rest is known to be torn', () => {
    const records = [5, 0, 20].map((length) => new Uint8Array(length).fill(9))
    const bytes = logFileOf(...records)
    const ends = [0, 12, 19, 46]
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.slice(0, length)
      const whole = ends.filter((end) => end <= length).length - 1
      assert.equal([...recordsOf(cut)].length, whole, `${length} bytes`)
      assert.deepEqual(damageInLogFile(cut, true), [], 'a crash leaves it so')
      const isAtEnd = ends.includes(length) || cut.subarray(ends[whole]).every((byte) => byte === 0)
      assert.deepEqual(damageInLogFile(cut, false), isAtEnd ? [] : [ends[whole]], `${length} bytes`)
    }
  })

  it('end before the first whose bytes were changed', () => {
    const bytes = logFileOf(...[1, 2, 3].map((number) => new Uint8Array(4).fill(number)))
    for (let at = 0; at < bytes.length; at++) {
      const changed = bytes.with(at, (bytes[at] ?? 0) ^ 16)
      assert.equal([...recordsOf(changed)].length, Math.floor(at / 11), `byte ${at}`)
      assert.deepEqual(damageInLogFile(changed, false), [11 * Math.floor(at / 11)])
    }
  })

  it('are none where parts do not make one', () => {
    const [first, middle, last, full] = [2, 3, 4, 1].map((kind) => fragment(kind, bytesOf(kind))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    const contents = (...parts: readonly Uint8Array[]) => [...recordsOf(bytesOf(...parts))].map(hex)
    assert.deepEqual(contents(first, middle, middle, last, full), ['02030304', '01'])
    assert.deepEqual(contents(full, first, last), ['01', '0204'])
    assert.deepEqual(contents(full, middle, last, full), ['01'], 'a middle without a first')
    assert.deepEqual(contents(full, last, full), ['01'], 'a last without a first')
    assert.deepEqual(contents(full, first, full), ['01'], 'a first without a last')
    assert.deepEqual(contents(full, first, first, last), ['01'])
    assert.deepEqual(contents(full, first), ['01'])
    assert.deepEqual(contents(full, first, middle), ['01'])
    for (const kind of [0, 5]) assert.deepEqual(contents(full, fragment(kind, bytesOf(1)), full), ['01'], `kind ${kind}`)
  })

  it('are damaged in the padding of a block, which is zeros', () => {
    const bytes = logFileOf(new Uint8Array(BLOCK_BYTES - 2 * HEADER_BYTES + 2), new Uint8Array(1))
    assert.equal(bytes.length, BLOCK_BYTES + 8)
    assert.deepEqual(damageInLogFile(bytes, false), [])
    assert.deepEqual(damageInLogFile(bytes.with(BLOCK_BYTES - 1, 1), false), [BLOCK_BYTES - 5])
    assert.deepEqual(
      damageInLogFile(bytes.with(BLOCK_BYTES - 5, 1), true),
      [BLOCK_BYTES - 5],
      'something was written behind it',
    )
    assert.equal([...recordsOf(bytes.with(BLOCK_BYTES - 1, 1))].length, 2, 'nothing stands there that could be lost')
  })

  it('are damaged in the middle of a file, and torn at its end alone', () => {
    const whole = logFileOf(...[BLOCK_BYTES - 7 - 7, 100, 100].map((length) => new Uint8Array(length).fill(7)))
    assert.deepEqual(damageInLogFile(whole, false), [])
    assert.deepEqual(damageInLogFile(whole.with(50, 0), true), [0], 'what was written after it is there')
    const last = whole.length - 1
    assert.deepEqual(damageInLogFile(whole.with(last, 0), true), [])
    assert.deepEqual(damageInLogFile(whole.with(last, 0), false), [last - 106])
    assert.deepEqual(damageInLogFile(new Uint8Array(), false), [])
  })
})

describe('what a log file writes', () => {
  it('are the puts and deletions of its batches, numbered from the first of each', () => {
    const bytes = logFileOf(
      batchOf(70_000, [put(1), { key: summaryKey(1) }, put(2, new Uint8Array())]),
      batchOf(70_009, [put(300)]),
    )
    assert.deepEqual(facts(bytes), [
      [hex(segmentKey(1)), 70_000, hex(bytesOf('value 1')), true],
      [hex(summaryKey(1)), 70_001, undefined, true],
      [hex(segmentKey(2)), 70_002, '', true],
      [hex(segmentKey(300)), 70_009, hex(bytesOf('value 300')), true],
    ])
    assert.deepEqual(read(bytes).unread, [])
    assert.deepEqual(read(logFileOf(batchOf(5, []))), { entries: [], unread: [] })
  })

  it('are of a damaged record the puts that can be found, whole or cut off, and no deletions', () => {
    const record = batchOf(9, [put(1), { key: summaryKey(7) }, put(2), put(3, new Uint8Array(300).fill(5))])
    const bytes = logFileOf(record)
    // The kind of the first entry: the record fails its checksum.
    const { entries, unread } = read(bytes.with(HEADER_BYTES, 8))
    assert.deepEqual(
      entries.map(({ key, write, value, isWhole }) => [hex(key), write, hex(value), isWhole]),
      [1, 2, 3].map((first) => [
        hex(segmentKey(first)),
        0,
        hex(first === 3 ? new Uint8Array(300).fill(5) : bytesOf(`value ${first}`)),
        false,
      ]),
    )
    assert.deepEqual(unread.map(hex), [hex(record.with(0, 8))])
    const cut = read(bytes.slice(0, bytes.length - 100)).entries
    assert.deepEqual(
      cut.map(({ value }) => value?.length),
      [7, 7, 200],
      'a value may be cut off',
    )
  })

  it('are nothing that only looks like a put', () => {
    const found = (record: Uint8Array) => read(logFileOf(record).with(0, 1)).entries.length
    const entry = (kind: number, key: Uint8Array, rest = bytesOf(1, 9)) =>
      bytesOf(new Uint8Array(12), kind, varint(key.length), key, rest)
    assert.equal(found(entry(1, segmentKey(5))), 1)
    assert.equal(found(entry(0, segmentKey(5))), 0, 'a deletion has no value')
    assert.equal(found(entry(1, segmentKey(5).with(0, 0x7a))), 0, 'no key of ours')
    for (const at of [1, 4]) assert.equal(found(entry(1, segmentKey(5).with(at, 1))), 0, 'a sequence of 2^32')
    assert.equal(found(entry(1, segmentKey(5).with(5, 1))), 1, 'a sequence below it')
    assert.equal(found(entry(1, segmentKey(5), bytesOf())), 0, 'the record ends with the key')
    assert.equal(found(entry(1, segmentKey(5), new Uint8Array(10).fill(255))), 0, 'its value has no length')
    assert.equal(found(entry(1, segmentKey(5).slice(0, 8))), 0)
  })

  it('are unread where a record has its checksum and still is no batch', () => {
    for (const record of [new Uint8Array(11), bytesOf(new Uint8Array(12), 1, 200), bytesOf(new Uint8Array(12), 1, 1, 5)]) {
      const { entries, unread } = read(logFileOf(record))
      assert.deepEqual([entries, unread.map(hex)], [[], [hex(record)]])
    }
  })

  it('go on behind a record of which even the length is damaged', () => {
    const batches = [1, 2, 3].map((first) => batchOf(first, [put(first)]))
    const bytes = logFileOf(...batches)
    const second = HEADER_BYTES + (batches[0]?.length ?? 0)
    for (const at of [4, 5, 6]) {
      const { entries, unread } = read(bytes.with(second + at, 255))
      assert.deepEqual(
        entries.map(({ write, isWhole }) => [write, isWhole]),
        [
          [1, true],
          [0, false],
          [3, true],
        ],
        `byte ${at}`,
      )
      assert.equal(unread.length, 1)
      assert.equal(hex(entries[1]?.value), hex(bytesOf('value 2')))
    }
  })

  it('are found in each part of a record that lost another', () => {
    const value = new Uint8Array(BLOCK_BYTES).fill(3)
    const record = batchOf(1, [put(1), put(2, value), put(3)])
    const bytes = logFileOf(record)
    // A byte of its last part.
    const { entries, unread } = read(bytes.with(bytes.length - 1, 0))
    assert.deepEqual(
      entries.map(({ key }) => hex(key)),
      [1, 2, 3].map((first) => hex(segmentKey(first))),
    )
    assert.equal(entries[1]?.value?.length, value.length)
    assert.equal(unread.length, 1)
    // Its first part is gone, and a whole record stands behind it.
    const without = bytesOf(bytes.subarray(BLOCK_BYTES), logFileOf(batchOf(9, [put(9)])))
    assert.deepEqual(
      read(without).entries.map(({ write, isWhole }) => [write, isWhole]),
      [
        [0, false],
        [9, true],
      ],
    )
  })

  it('are lost in no more than their own block', () => {
    // One block of noise, then a record.
    const bytes = bytesOf(new Uint8Array(BLOCK_BYTES).fill(0xee), logFileOf(batchOf(5, [put(5)])))
    const { entries, unread } = read(bytes)
    assert.deepEqual(
      entries.map(({ write }) => write),
      [5],
    )
    assert.equal(unread.length, 1)
  })
})

describe('writes in a log file', () => {
  it('are repeated where a number stands twice, or a lower one behind it; only whole records count', () => {
    const entry = (write: number, isWhole = true) => ({ key: new Uint8Array(), value: undefined, write, isWhole })
    assert.equal(repeatsWrites([]), false)
    assert.equal(repeatsWrites([entry(0), entry(1)]), false)
    assert.equal(repeatsWrites([entry(5), entry(6), entry(9)]), false)
    assert.equal(repeatsWrites([entry(5), entry(5)]), true)
    assert.equal(repeatsWrites([entry(6), entry(5)]), true)
    assert.equal(repeatsWrites([entry(5), entry(0, false), entry(6)]), false)
    const { entries } = read(logFileOf(batchOf(5, [put(1), put(2)]), batchOf(7, [put(3)])))
    assert.equal(repeatsWrites(entries), false)
    assert.equal(repeatsWrites([...entries, ...entries.slice(0, 1)]), true)
  })
})
