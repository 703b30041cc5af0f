import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { Level } from 'level'
import { crc32c, crc32cSteps } from '../../../src/events/leveldb/crc32c.ts'
import { damageInLogFile, readLogFile, recordsOf, repeatsWrites } from '../../../src/events/leveldb/leveldb-log-file.ts'
import { blocksOf, boundsOfTable, damageInTable, readTable } from '../../../src/events/leveldb/leveldb-table.ts'
import { isKeyPrefix, KEY_BYTES, segmentKey, summaryKey } from '../../../src/events/segments/segment-keys.ts'
import { isSealed, sealValue } from '../../../src/events/segments/segment-value.level.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const looking = {
  isKey: isKeyPrefix,
  isSound: (_key: Uint8Array, value: Uint8Array): boolean => isSealed(Buffer.from(value)),
}

describe("LevelDB's checksums", () => {
  it('are those of RFC 3720', () => {
    assert.equal(crc32c(new Uint8Array(32), 0, 32), 0x8a9136aa)
    assert.equal(crc32c(new Uint8Array(32).fill(0xff), 0, 32), 0x62a8ab43)
    const counting = Uint8Array.from({ length: 32 }, (_, index) => index)
    assert.equal(crc32c(counting, 0, 32), 0x46dd794e)
    assert.equal(crc32c(text('.123456789.'), 1, 10), 0xe3069283)
    assert.equal(crc32cSteps.end(counting.reduce(crc32cSteps.add, crc32cSteps.start)), 0x46dd794e)
  })

  it('find a table that is too short, or is none', () => {
    assert.deepEqual(damageInTable(new Uint8Array(3)), [0])
    assert.deepEqual(damageInTable(new Uint8Array(100)), [52])
    assert.deepEqual(readTable(new Uint8Array(100), looking), { entries: [], unread: [{ at: 0, length: 100 }] })
  })

  it('take an empty log file for whole, and a torn end only where it may be torn', () => {
    assert.deepEqual(damageInLogFile(new Uint8Array(), false), [])
    const torn = new Uint8Array([1, 2, 3, 4, 200, 0, 1, 9, 9])
    assert.deepEqual(damageInLogFile(torn, true), [])
    assert.deepEqual(damageInLogFile(torn, false), [0])
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

  it('are known to repeat writes where records stand twice', () => {
    const { entries } = readLogFile(logFile, isKeyPrefix, KEY_BYTES)
    assert.equal(repeatsWrites(entries), false)
    assert.equal(repeatsWrites([...entries, ...entries.slice(0, 1)]), true)
  })

  it('are damaged in the padding of a footer as anywhere else', () => {
    assert.deepEqual(damageInTable(table), [])
    assert.notDeepEqual(damageInTable(table.with(table.length - 9, 1)), [])
  })

  it('are damaged in the middle of a log file, and torn at its end alone', () => {
    const record = (length: number): number[] => {
      const content = [1, ...Array(length).fill(7)]
      const crc = crc32c(Uint8Array.from(content), 0, content.length)
      const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
      return [...new Uint8Array(Uint32Array.of(masked).buffer), length & 255, length >> 8, ...content]
    }
    const whole = Uint8Array.from([...record(32_768 - 7), ...record(100), ...record(100)])
    assert.deepEqual(damageInLogFile(whole, false), [])
    assert.deepEqual(damageInLogFile(whole.with(50, 0), true), [0], 'what was written after it is there')
    assert.deepEqual(damageInLogFile(whole.with(whole.length - 1, 0), true), [])
    assert.deepEqual(damageInLogFile(whole.with(whole.length - 1, 0), false), [32_768 + 107])
  })

  it('repeat a write where its number stands twice, and only whole records count', () => {
    const entry = (write: number, isWhole = true) => ({ key: new Uint8Array(), value: undefined, write, isWhole })
    assert.equal(repeatsWrites([entry(5), entry(6), entry(9)]), false)
    assert.equal(repeatsWrites([entry(5), entry(5)]), true)
    assert.equal(repeatsWrites([entry(6), entry(5)]), true)
    assert.equal(repeatsWrites([entry(5), entry(0, false), entry(6)]), false)
  })
})
