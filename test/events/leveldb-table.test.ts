import assert from 'node:assert/strict'
import { crc32c } from '../../src/events/crc32c.ts'
import { damageInLogFile } from '../../src/events/leveldb-log-file.ts'
import { damageInTable } from '../../src/events/leveldb-table.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

describe("LevelDB's checksums", () => {
  it('are those of RFC 3720', () => {
    assert.equal(crc32c(new Uint8Array(32), 0, 32), 0x8a9136aa)
    assert.equal(crc32c(new Uint8Array(32).fill(0xff), 0, 32), 0x62a8ab43)
    assert.equal(
      crc32c(
        Uint8Array.from({ length: 32 }, (_, index) => index),
        0,
        32,
      ),
      0x46dd794e,
    )
    assert.equal(crc32c(text('.123456789.'), 1, 10), 0xe3069283)
  })

  it('find a table that is too short, or is none', () => {
    assert.deepEqual(damageInTable(new Uint8Array(3)), [0])
    assert.deepEqual(damageInTable(new Uint8Array(100)), [52])
  })

  it('take an empty log file for whole, and a torn end only where it may be torn', () => {
    assert.deepEqual(damageInLogFile(new Uint8Array(), false), [])
    const torn = new Uint8Array([1, 2, 3, 4, 200, 0, 1, 9, 9])
    assert.deepEqual(damageInLogFile(torn, true), [])
    assert.deepEqual(damageInLogFile(torn, false), [0])
  })
})
