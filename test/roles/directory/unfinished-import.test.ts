import { deepEqual, equal } from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beginImport, endImport, unfinishedImport } from '../../../src/roles/directory/unfinished-import.fs.ts'

describe('the mark of an import that is under way', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'p2pt-unfinished-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))
  const path = () => join(directory, 'import.json')

  it('stands from its beginning to its end, and names the file', () => {
    equal(unfinishedImport(directory), undefined)
    beginImport(directory, '/exports/one.bundle')
    equal(unfinishedImport(directory), '/exports/one.bundle')
    deepEqual(JSON.parse(readFileSync(path(), 'utf8')), { file: '/exports/one.bundle' })
    deepEqual(readdirSync(directory), ['import.json'])
    beginImport(directory, '/exports/two.bundle')
    equal(unfinishedImport(directory), '/exports/two.bundle')
    endImport(directory)
    deepEqual([unfinishedImport(directory), existsSync(path())], [undefined, false])
  })

  it('may be taken away where there is none', () => {
    endImport(directory)
    equal(unfinishedImport(directory), undefined)
  })

  it('holds though nobody can tell which file it was', () => {
    for (const text of ['', '{', 'null', '{}', '{"file":7}', '"x"']) {
      writeFileSync(path(), text)
      equal(unfinishedImport(directory), 'an export', text)
    }
  })
})
