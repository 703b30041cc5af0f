import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { Level } from 'level'
import { readLogFile, recordsOf } from '../../../src/events/leveldb/leveldb-log-file.ts'
import {
  blocksOf,
  boundsOfTable,
  damageInTable,
  isTableWhole,
  type Looking,
  placesOfTable,
  readTable,
} from '../../../src/events/leveldb/leveldb-table.ts'
import { firstOfKey, isKeyPrefix, KEY_BYTES, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'
import { isSealed, sealValue } from '../../../src/events/segments/segment-value.level.ts'
import { blockOf, bytesOf, fixed, internalKey, MAGIC, sealedBlock, tableOf, varint } from './leveldb-writer.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const looking: Looking = {
  isKey: isKeyPrefix,
  isSound: (_key: Uint8Array, value: Uint8Array): boolean => isSealed(Buffer.from(value)),
}

/** Of a segment, with a sound value. */
const stored = (first: number, write = first, isDeletion = false, length = 20) => ({
  key: internalKey({ key: segmentKey(first), write, isDeletion }),
  value: isDeletion ? new Uint8Array() : new Uint8Array(sealValue([new Uint8Array(length).fill(first)])),
})
const blockWith = (...entries: readonly { key: Uint8Array; value: Uint8Array }[]): Uint8Array =>
  blockOf(entries.map(({ key, value }) => [key, value] as const))
/** One whose value is not sound may come twice: nobody knows where it ends. */
const firstsIn = (bytes: Uint8Array) => [...new Set(readTable(bytes, looking).entries.map(({ key }) => firstOfKey(key)))]

describe('a table', () => {
  const blocks = [blockWith(stored(1), stored(2, 70_000)), blockWith(stored(3, 9, true)), blockWith(stored(4), stored(5))]
  const table = tableOf(blocks)
  const [one, two, three] = blocks.map(({ length }) => length) as [number, number, number]

  it('is damaged where it is too short, or is none', () => {
    assert.deepEqual(damageInTable(new Uint8Array(3)), [0])
    assert.deepEqual(damageInTable(new Uint8Array(47)), [0])
    assert.deepEqual(damageInTable(new Uint8Array(100)), [52])
    assert.deepEqual(readTable(new Uint8Array(100), looking), { entries: [], unread: [{ at: 0, length: 100 }] })
    assert.deepEqual([...blocksOf(new Uint8Array(100))], [{ at: 0, length: 100, isWhole: false }])
    assert.equal(boundsOfTable(new Uint8Array(100)), undefined)
    for (let at = 1; at <= 8; at++) assert.deepEqual(damageInTable(table.with(table.length - at, 0)), [table.length - 48])
  })

  it('has its entries with their numbers and places, puts and deletions', () => {
    assert.deepEqual(damageInTable(table), [])
    const { entries, unread } = readTable(table, looking)
    assert.deepEqual(unread, [])
    assert.deepEqual(
      entries.map(({ key, write, isDeletion }) => [firstOfKey(key), write, isDeletion]),
      [
        [1, 1, false],
        [2, 70_000, false],
        [3, 9, true],
        [4, 4, false],
        [5, 5, false],
      ],
    )
    for (const { key, at, length, isDeletion } of entries)
      assert.deepEqual(hex(table.subarray(at, at + length)), isDeletion ? '' : hex(stored(firstOfKey(key)).value))
    assert.deepEqual(boundsOfTable(table), { first: segmentKey(1), last: segmentKey(5) })
    const large = tableOf([blockWith(stored(1, 2 ** 52 + 1))])
    assert.equal(readTable(large, looking).entries[0]?.write, 2 ** 52 + 1)
  })

  it('has keys that share their beginning with the one before', () => {
    const [a, b, c] = [stored(1), stored(2), stored(258)] as const
    const bytes = tableOf([
      blockOf([
        [a.key, a.value],
        [b.key, b.value, 8],
        [c.key, c.value, 7],
      ]),
    ])
    assert.deepEqual(firstsIn(bytes), [1, 2, 258])
  })

  it('is damaged at the blocks whose checksums fail, and nowhere else', () => {
    assert.deepEqual(
      [...blocksOf(table)],
      [
        { at: 0, length: one - 5, isWhole: true },
        { at: one, length: two - 5, isWhole: true },
        { at: one + two, length: three - 5, isWhole: true },
      ],
    )
    const changed = table.with(one - 1, 7).with(one + two + 3, 7)
    assert.deepEqual(damageInTable(changed), [0, one + two])
    assert.deepEqual(
      [...blocksOf(changed)].map(({ isWhole }) => isWhole),
      [false, true, false],
    )
    assert.equal(boundsOfTable(changed), undefined)
    const ends = one + two + three
    assert.deepEqual(damageInTable(table.with(ends, 9)), [ends], 'in what describes it')
    assert.deepEqual(damageInTable(table.with(ends + 13, 9)), [ends + 13], 'in its index')
    assert.deepEqual(damageInTable(table.with(ends, 9).with(ends + 13, 9)), [ends, ends + 13])
  })

  it('is damaged where its handles lead out of it', () => {
    const footer = table.length - 48
    for (const handle of [new Uint8Array(10).fill(255), varint(2 ** 40), varint(table.length)]) {
      const bytes = table.slice()
      bytes.set(handle, footer)
      assert.notDeepEqual(damageInTable(bytes), [])
    }
    const index = (content: Uint8Array) => tableOf([blocks[0] as Uint8Array], () => sealedBlock(content))
    // A whole index that is too short for its restart points, or says that it has more than it is long.
    for (const content of [new Uint8Array(3), fixed(1, 4), bytesOf(0, 5, 1, fixed(0, 4))]) {
      const bytes = index(content)
      assert.deepEqual(damageInTable(bytes), [bytes.length - 48])
    }
    assert.deepEqual(damageInTable(index(fixed(0, 4))), [], 'one without entries')
  })

  it('has no entries where it is compressed, and is none the worse for that', () => {
    const bytes = tableOf([sealedBlock(bytesOf('snappy'), 1)])
    assert.deepEqual(damageInTable(bytes), [])
    assert.deepEqual(readTable(bytes, looking), { entries: [], unread: [] })
    assert.equal(boundsOfTable(bytes), undefined)
    const index = tableOf([blocks[0] as Uint8Array], (handles) => {
      const plain = blockOf(handles)
      return sealedBlock(plain.subarray(0, plain.length - 5), 1)
    })
    assert.deepEqual([damageInTable(index), [...blocksOf(index)]], [[], []])
  })

  it('has no entries in a block that has its checksum and still is none', () => {
    const entry = (shared: number, key: Uint8Array) => bytesOf(varint(shared), varint(key.length), varint(0), key)
    const tail = bytesOf(fixed(0, 4), fixed(1, 4))
    const { key } = stored(1)
    const found = (content: Uint8Array) => readTable(tableOf([sealedBlock(content)]), looking).entries.length
    assert.equal(found(bytesOf(entry(0, key), tail)), 1)
    assert.equal(found(bytesOf(entry(0, key), entry(18, key), tail)), 0, 'it shares more than there is')
    assert.equal(found(bytesOf(entry(0, key.slice(0, 8)), tail)), 0, 'a trailer without a key')
    assert.equal(found(bytesOf(entry(0, key.with(9, 2)), tail)), 0, 'neither put nor deletion')
    assert.equal(found(bytesOf(entry(0, key).slice(0, -1), tail)), 0, 'it is cut off')
    const long = (length: number) => internalKey({ key: new Uint8Array(length), write: 1 })
    assert.equal(found(bytesOf(entry(0, long(1_016)), tail)), 1)
    assert.equal(found(bytesOf(entry(0, long(1_017)), tail)), 0, 'a key that is too long')
  })

  it('is whole where blocks of any kind fill it, with its index compressed or not', () => {
    const compressed = tableOf([sealedBlock(bytesOf('snappy'), 1), blocks[0] as Uint8Array], (handles) => {
      const plain = blockOf(handles)
      return sealedBlock(plain.subarray(0, plain.length - 5), 1)
    })
    for (const bytes of [table, compressed]) {
      assert.equal(isTableWhole(bytes), true)
      for (let at = 0; at < bytes.length - 48; at += 3)
        assert.equal(isTableWhole(bytes.with(at, (bytes[at] ?? 0) ^ 4)), false, `${at}`)
      for (let at = 1; at <= 8; at++) assert.equal(isTableWhole(bytes.with(bytes.length - at, 0)), false)
    }
    assert.equal(isTableWhole(MAGIC), false)
    assert.equal(isTableWhole(new Uint8Array()), false)
    assert.equal(isTableWhole(bytesOf(new Uint8Array(40), MAGIC)), true, 'a footer alone')
    const other = tableOf([sealedBlock(bytesOf('zstd'), 2)])
    assert.equal(isTableWhole(other), false, 'of a kind that is not known')
  })

  it('has the entries that stand between its blocks, or in a damaged one up to what is damaged', () => {
    const values = stored(1).value.length
    const second = 3 + 17 + values
    // The value of the second entry of the first block.
    const changed = table.with(second + 25, 0xee)
    assert.deepEqual(firstsIn(changed), [1, 2, 3, 4, 5])
    assert.deepEqual(readTable(changed, looking).unread, [{ at: 0, length: one }])
    // The key of the first entry: the second is found by itself.
    assert.deepEqual(firstsIn(table.with(3, 0x7a)), [2, 3, 4, 5])
    assert.deepEqual(firstsIn(table.with(second + 3, 0x7a)), [1, 3, 4, 5])
    const hidden = tableOf(blocks, (handles) => blockOf(handles.filter((_, number) => number !== 1)))
    assert.deepEqual(firstsIn(hidden), [1, 2, 3, 4, 5], 'a block that the index leaves out')
    assert.deepEqual(readTable(hidden, looking).unread, [])
  })

  it('has of bytes without an index the sound entries of whole blocks, and says which belong to none', () => {
    const lost = table.subarray(0, table.length - 48)
    assert.deepEqual(firstsIn(lost), [1, 2, 3, 4, 5])
    assert.deepEqual(readTable(lost, looking).unread, [])
    const { key, value } = stored(6)
    const unsound = blockWith({ key, value: value.with(0, (value[0] ?? 0) ^ 1) })
    assert.deepEqual(firstsIn(bytesOf(...blocks, unsound)), [1, 2, 3, 4, 5], 'a value that is not sound')
    const noise = bytesOf(lost.subarray(0, one), new Uint8Array(9).fill(0xee), lost.subarray(one))
    assert.deepEqual(firstsIn(noise), [1, 2, 3, 4, 5])
    assert.deepEqual(readTable(noise, looking).unread, [{ at: one, length: 9 }])
    assert.deepEqual(readTable(bytesOf(noise, 0xee), looking).unread, [
      { at: one, length: 9 },
      { at: noise.length, length: 1 },
    ])
  })

  it('has entries with up to four unsound values between them, and none beyond that', () => {
    const run = (unsound: number) => {
      const entries = Array.from({ length: unsound + 2 }, (_, index) => stored(index + 1))
      const content = blockOf(
        entries.map(({ key, value }, index) => {
          const isSound = index === 0 || index === unsound + 1
          // All but the first share a beginning, so that none of them is found by itself.
          return [key, isSound ? value : value.with(0, (value[0] ?? 0) ^ 1), index === 0 ? 0 : 8]
        }),
      )
      // Without its restart points it is no block.
      return firstsIn(content.subarray(0, content.length - 13))
    }
    assert.deepEqual(run(0), [1, 2])
    assert.deepEqual(run(4), [1, 2, 3, 4, 5, 6])
    assert.deepEqual(run(5), [1, 2], 'the next one comes along: it may be an entry with a damaged value')
  })

  it('has its keys in the order of their places, also where its index has another', () => {
    const turned = tableOf(blocks, (handles) => blockOf(handles.toReversed()))
    assert.deepEqual(firstsIn(turned), [1, 2, 3, 4, 5])
    const places = placesOfTable(turned, looking).map(({ at }) => at)
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
  })
})

describe('files of LevelDB, read from outside', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-leveldb-'))
  after(() => rmSync(root, { recursive: true }))
  const put = new Map<string, string>()
  let table: Uint8Array
  let logFile: Uint8Array

  const open = async (): Promise<Level<Uint8Array, Uint8Array>> => {
    const database = new Level<Uint8Array, Uint8Array>(join(root, 'database'), {
      ...{ keyEncoding: 'view', valueEncoding: 'view', compression: false },
    })
    await database.open()
    return database
  }
  const largest = (ending: string): Uint8Array =>
    readdirSync(join(root, 'database'))
      .filter((name) => name.endsWith(ending))
      .map((name) => new Uint8Array(readFileSync(join(root, 'database', name))))
      .sort((a, b) => b.length - a.length)[0] ?? assert.fail(ending)

  before(async () => {
    const database = await open()
    for (let first = 1; first <= 400; first++) {
      for (const key of [segmentKey(first), summaryKey(first)]) {
        const value = sealValue([Buffer.alloc(40 + ((first * 37) % 3_000), first)])
        put.set(hex(key), hex(value))
        await database.put(key, value)
      }
    }
    await database.close()
    logFile = largest('.log')
    await (await open()).close()
    table = largest('.ldb')
  })

  /** What is found, by key. */
  const found = (bytes: Uint8Array): Map<string, string> =>
    new Map(
      readTable(bytes, looking)
        .entries.map(({ key, at, length }) => [hex(key), hex(bytes.subarray(at, at + length))] as const)
        .filter(([, value]) => isSealed(Buffer.from(value, 'hex'))),
    )

  it('have every entry of a whole table', () => {
    assert.deepEqual(damageInTable(table), [])
    const { entries, unread } = readTable(table, looking)
    assert.deepEqual([entries.length, unread], [put.size, []])
    assert.deepEqual(found(table), put)
    assert.ok([...blocksOf(table)].every(({ isWhole }) => isWhole))
    const bounds = boundsOfTable(table)
    assert.deepEqual([bounds?.first, bounds?.last], [summaryKey(1), segmentKey(400)])
  })

  it('have every entry of a table that lost its end, of which the blocks before are whole', () => {
    for (const cut of [1, 8, 47, 48, 49, 100]) assert.deepEqual(found(table.subarray(0, table.length - cut)), put, `${cut}`)
  })

  it('have no value that was never written, and nearly all of the rest, whatever is changed', () => {
    const values = new Set(put.values())
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.uint8Array({ minLength: 1, maxLength: 40, size: 'max' }),
        (share, noise) => {
          const bytes = table.slice()
          const at = Math.floor(share * (bytes.length - noise.length))
          bytes.set(noise, at)
          const left = found(bytes)
          // A key has no checksum of its own: a value may come under another, and the caller sees by the value which it had.
          for (const value of left.values()) assert.ok(values.has(value))
          // At most one entry itself, and in its block those behind it up to the next restart point.
          assert.ok(left.size >= put.size - 17, `${put.size - left.size} are gone`)
        },
      ),
      { numRuns: 60, examples: [[0.000003180813333969496, Uint8Array.of(1)]] },
    )
  })

  it('have what a log file writes, and of damaged records the puts that are whole', () => {
    const whole = readLogFile(logFile, isKeyPrefix, KEY_BYTES)
    assert.deepEqual(whole.unread, [])
    assert.deepEqual(new Map(whole.entries.map(({ key, value = new Uint8Array() }) => [hex(key), hex(value)])), put)
    assert.equal(whole.entries.length, [...recordsOf(logFile)].length)
    const bytes = logFile.slice()
    // The length of a record in the midst: the next ones are found all the same.
    bytes[20_000] = (bytes[20_000] ?? 0) ^ 1
    const { entries, unread } = readLogFile(bytes, isKeyPrefix, KEY_BYTES)
    assert.equal(unread.length, 1)
    assert.ok(entries.filter(({ isWhole }) => isWhole).length >= put.size - 1)
    assert.ok([...recordsOf(bytes)].length < 200, 'nothing is believed behind it')
  })

  it('are damaged in the padding of a footer as anywhere else', () => {
    assert.deepEqual(damageInTable(table), [])
    assert.notDeepEqual(damageInTable(table.with(table.length - 9, 1)), [])
  })
})
