import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HeadFile, isHeadFileWhole, readHeadFile } from '../../../src/events/log/head-file.fs.ts'

describe('the head file', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-head-'))
  after(() => rmSync(root, { recursive: true }))
  const recordOf = (seq: number) => {
    const mark = { seq, digest: String(seq).repeat(8) }
    return { latest: mark, durable: mark, clean: false, boot: 'a' }
  }

  it('has the record that was written last, over any number of them and after it was opened again', () => {
    const path = join(root, 'last')
    assert.equal(readHeadFile(path), undefined)
    for (let session = 0; session < 3; session++) {
      const file = new HeadFile(path)
      for (let write = 1; write <= 3; write++) {
        const record = recordOf(10 * session + write)
        file.write(record)
        assert.deepEqual(readHeadFile(path), record)
      }
      file.close()
    }
    assert.equal(isHeadFileWhole(path), true)
  })

  it('has the record before where the last one is torn or altered, and none where both are', () => {
    const path = join(root, 'torn')
    const file = new HeadFile(path)
    for (const seq of [11, 22, 33]) file.write(recordOf(seq))
    file.close()
    const whole = readFileSync(path)
    const place = whole.indexOf('"seq":33')
    assert.ok(place > 0)
    writeFileSync(path, whole.with(place + 6, 0x39))
    assert.equal(readHeadFile(path)?.latest.seq, 22, 'another number, without its checksum')
    assert.equal(isHeadFileWhole(path), false)
    writeFileSync(path, whole.subarray(0, 600))
    assert.ok([22, 33].includes(readHeadFile(path)?.latest.seq ?? 0))
    writeFileSync(path, whole.subarray(0, 100))
    assert.equal(readHeadFile(path), undefined)
  })
})
