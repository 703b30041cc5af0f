import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeDirectory } from '../../../src/events/files/make-directory.fs.ts'

describe('a directory that is made', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-make-'))
  after(() => rmSync(root, { recursive: true }))

  it('comes with those above it, for its owner alone, and may be there already', async () => {
    const path = join(root, 'a/b/c')
    await makeDirectory(path)
    await makeDirectory(path)
    for (const part of ['a', 'a/b', 'a/b/c']) assert.equal(statSync(join(root, part)).mode & 0o777, 0o700)
  })

  it('is refused where a file has its name, or the name of one above it', async () => {
    writeFileSync(join(root, 'file'), '')
    await assert.rejects(makeDirectory(join(root, 'file')), { code: 'EEXIST' })
    await assert.rejects(makeDirectory(join(root, 'file/below')), { code: 'ENOTDIR' })
  })
})
