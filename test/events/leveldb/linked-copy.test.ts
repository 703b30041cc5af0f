import assert from 'node:assert/strict'
import fs, {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { isReadOnly, linkedCopy, removeCopies } from '../../../src/events/leveldb/linked-copy.fs.ts'

describe('a copy of a database whose tables are links', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-linked-'))
    mkdirSync(join(root, 'log'))
    for (const name of ['000005.ldb', '000006.sst', '000007.log', 'CURRENT', 'MANIFEST-000002', 'LOCK', 'a.ldb.old'])
      writeFileSync(join(root, 'log', name), name)
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  /** While a function of node:fs fails so. */
  function failing(name: 'linkSync' | 'mkdtempSync', code: string, within: () => void, times = Number.POSITIVE_INFINITY): void {
    const real = fs[name] as (...parameters: unknown[]) => unknown
    let left = times
    Object.assign(fs, {
      [name]: (...parameters: unknown[]) => {
        if (left-- > 0) throw Object.assign(new Error(code), { code })
        return real(...parameters)
      },
    })
    syncBuiltinESMExports()
    try {
      within()
    } finally {
      Object.assign(fs, { [name]: real })
      syncBuiltinESMExports()
    }
  }

  it('stands beside it, with tables that take no space under names that LevelDB never writes to', () => {
    using copy = linkedCopy(root, 'log', 'read-')
    assert.equal(dirname(copy.path), root)
    assert.match(basename(copy.path), /^read-/)
    assert.deepEqual(readdirSync(copy.path).sort(), [
      '000005.sst',
      '000006.sst',
      '000007.log',
      'CURRENT',
      'MANIFEST-000002',
      'a.ldb.old',
    ])
    const inode = (...parts: string[]): number => statSync(join(...parts)).ino
    assert.equal(inode(copy.path, '000005.sst'), inode(root, 'log', '000005.ldb'))
    assert.equal(inode(copy.path, '000006.sst'), inode(root, 'log', '000006.sst'))
    for (const name of ['000007.log', 'CURRENT', 'MANIFEST-000002', 'a.ldb.old']) {
      assert.notEqual(inode(copy.path, name), inode(root, 'log', name), `${name} is written to`)
      assert.equal(readFileSync(join(copy.path, name), 'utf8'), name)
    }
  })

  it('goes when it is disposed, and leaves the original', () => {
    const copy = linkedCopy(root, 'log', 'read-')
    copy[Symbol.dispose]()
    assert.deepEqual(readdirSync(root), ['log'])
    assert.equal(readFileSync(join(root, 'log', '000005.ldb'), 'utf8'), '000005.ldb')
    copy[Symbol.dispose]()
  })

  it('is empty where there is nothing to copy', () => {
    using copy = linkedCopy(root, 'absent', 'read-')
    assert.deepEqual(readdirSync(copy.path), [])
  })

  it('takes the place of those that a killed process left, and of no others', () => {
    mkdirSync(join(root, 'read-old/below'), { recursive: true })
    mkdirSync(join(root, 'room-old'))
    using copy = linkedCopy(root, 'log', 'read-')
    assert.deepEqual(readdirSync(root).sort(), ['log', basename(copy.path), 'room-old'].sort())
    removeCopies(root, 'room-')
    assert.deepEqual(readdirSync(root).sort(), ['log', basename(copy.path)].sort())
  })

  it('has symbolic links where there can be no others', () => {
    failing('linkSync', 'EXDEV', () => {
      using copy = linkedCopy(root, 'log', 'read-')
      const table = join(copy.path, '000005.sst')
      assert.ok(lstatSync(table).isSymbolicLink())
      assert.equal(readFileSync(table, 'utf8'), '000005.ldb')
      assert.equal(lstatSync(join(copy.path, 'CURRENT')).isSymbolicLink(), false)
    })
  })

  it('stands with temporary files where nothing may be written beside the original', () => {
    for (const code of ['EROFS', 'EACCES', 'EPERM']) {
      let path = ''
      failing(
        'mkdtempSync',
        code,
        () => {
          using copy = linkedCopy(root, 'log', 'read-')
          path = copy.path
          assert.equal(dirname(path), tmpdir())
          assert.match(basename(path), /^p2pt-read-/)
          assert.equal(existsSync(join(path, 'CURRENT')), true)
        },
        1,
      )
      assert.equal(existsSync(path), false)
    }
    failing('mkdtempSync', 'ENOSPC', () => assert.throws(() => linkedCopy(root, 'log', 'read-'), { code: 'ENOSPC' }))
  })

  it('leaves nothing behind where it cannot be made', () => {
    mkdirSync(join(root, 'log', 'folder.log'))
    assert.throws(() => linkedCopy(root, 'log', 'read-'))
    assert.deepEqual(readdirSync(root), ['log'])
  })

  it('knows what a place says that may not be written to', () => {
    for (const code of ['EROFS', 'EACCES', 'EPERM']) assert.equal(isReadOnly({ code }), true)
    for (const other of [{ code: 'ENOSPC' }, {}, undefined]) assert.equal(isReadOnly(other), false)
  })
})
