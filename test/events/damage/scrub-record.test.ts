import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileStamp, readScrubRecord, removeScrubRecord, writeScrubRecord } from '../../../src/events/damage/scrub-record.fs.ts'

describe('the record of tables that were read', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-scrub-record-'))
  after(() => rmSync(root, { recursive: true }))
  const nothing = { checked: {}, damaged: [] }
  const found = { at: 1, crc32: 2, file: '3' }
  const readOf = (text: string) => {
    writeFileSync(join(root, 'scrub.json'), text)
    return readScrubRecord(root)
  }

  it('comes back as it was written, and is removed whether it is there or not', () => {
    removeScrubRecord(root)
    assert.deepEqual(readScrubRecord(root), nothing)
    const record = { checked: { '000005.ldb': found }, damaged: ['000006.ldb'] }
    for (const each of [record, { ...record, isOpening: true }]) {
      writeScrubRecord(root, each)
      assert.deepEqual(readScrubRecord(root), each)
    }
    assert.ok(readFileSync(join(root, 'scrub.json'), 'utf8').endsWith('}\n'))
    removeScrubRecord(root)
    assert.deepEqual([readScrubRecord(root), readdirSync(root)], [nothing, []])
  })

  it('is empty where it cannot be read, and has of one that can what is right', () => {
    for (const text of ['', 'x', 'null', '{"checked": {"a": "b"}, "damaged": 3', '[]', '{}', '{"damaged": {"0": "a"}}'])
      assert.deepEqual(readOf(text), nothing, text)
    const wrong = {
      a: 'b',
      b: null,
      c: 5,
      d: {},
      e: { ...found, at: '1' },
      f: { ...found, crc32: null },
      g: { ...found, file: 3 },
    }
    const text = JSON.stringify({ checked: { ...wrong, good: found }, damaged: [7, 'x', null], isOpening: 'true' })
    assert.deepEqual(readOf(text), { checked: { good: found }, damaged: ['x'] })
  })

  it('tells a file from any other at its place', () => {
    const path = join(root, 'table')
    assert.equal(fileStamp(path), undefined)
    writeFileSync(path, 'one')
    utimesSync(path, 1_000, 1_000)
    const stamp = fileStamp(path)
    assert.equal(fileStamp(path), stamp)
    utimesSync(path, 1_000, 1_001)
    const stamps = [stamp, fileStamp(path)]
    writeFileSync(path, 'four')
    utimesSync(path, 1_000, 1_000)
    stamps.push(fileStamp(path))
    writeFileSync(join(root, 'other'), 'one')
    utimesSync(join(root, 'other'), 1_000, 1_000)
    renameSync(join(root, 'other'), path)
    stamps.push(fileStamp(path))
    assert.equal(new Set(stamps).size, 4)
  })
})
