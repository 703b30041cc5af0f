import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readManifest, tableDamage } from '../../../src/events/leveldb/log-files.fs.ts'

describe('the files of a database', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-files-'))
  after(() => rmSync(root, { recursive: true }))
  const NO_KEY = new Uint8Array()
  const table = (size: number) => ({ size, first: NO_KEY, last: NO_KEY })

  it('have tables of the size that the manifest says, neither shorter nor longer', async () => {
    writeFileSync(join(root, '000005.ldb'), new Uint8Array(10))
    const memory = (reads: boolean) => ({ reads: () => reads, isKnown: () => false, onWhole: () => {} })
    const damage = (size: number) => tableDamage(root, 5, table(size), memory(false))
    assert.deepEqual(await damage(10), [])
    assert.deepEqual(await damage(9), ['000005.ldb has 10 bytes, not 9'])
    assert.deepEqual(await damage(11), ['000005.ldb has 10 bytes, not 11'])
    assert.deepEqual(await tableDamage(root, 6, table(1), memory(false)), ['000006.ldb is missing'])
    assert.equal((await tableDamage(root, 5, table(10), memory(true))).length, 1, 'it is read where that is asked for')
    assert.equal((await tableDamage(root, 5, table(10), undefined)).length, 1, 'and where nothing is remembered')
  })

  it('begin with a CURRENT that names a manifest in one whole line', () => {
    for (const [text, says] of [
      ['', 'CURRENT names no MANIFEST file'],
      ['MANIFEST-000002', 'CURRENT is cut off'],
      ['MANIFEST-000002\n', 'MANIFEST-000002 is missing'],
      ['../MANIFEST-000002\n', 'CURRENT names no MANIFEST file'],
    ] as const) {
      writeFileSync(join(root, 'CURRENT'), text)
      assert.equal(readManifest(root), says)
    }
  })
})
