import assert from 'node:assert/strict'
import fs, { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { syncDirectory } from '../../../src/events/files/sync-directory.fs.ts'

describe('the names in a directory', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-sync-'))
  const real = { fsyncSync: fs.fsyncSync, openSync: fs.openSync }
  after(() => rmSync(root, { recursive: true }))
  afterEach(() => {
    Object.assign(fs, real)
    syncBuiltinESMExports()
  })
  const failing = (name: 'fsyncSync' | 'openSync', code: string): void => {
    Object.assign(fs, {
      [name]: () => {
        throw Object.assign(new Error(code), { code })
      },
    })
    syncBuiltinESMExports()
  }
  const openFiles = (): number => readdirSync('/proc/self/fd').length

  it('are brought to the disk, by the directory itself', () => {
    const synced: string[] = []
    fs.fsyncSync = (file) => {
      synced.push(fs.readlinkSync(`/proc/self/fd/${file}`))
      real.fsyncSync(file)
    }
    syncBuiltinESMExports()
    const before = openFiles()
    syncDirectory(root)
    assert.deepEqual([synced, openFiles()], [[fs.realpathSync(root)], before])
  })

  it('are believed to be there where a file system refuses, and not where the disk fails', () => {
    for (const name of ['fsyncSync', 'openSync'] as const) {
      for (const code of ['EINVAL', 'ENOTSUP', 'ENOSYS', 'EISDIR', 'EPERM', 'EACCES', 'EBADF']) {
        failing(name, code)
        syncDirectory(root)
      }
      const before = openFiles()
      for (const code of ['EIO', 'ENOSPC', 'EDQUOT']) {
        failing(name, code)
        assert.throws(() => syncDirectory(root), { code })
      }
      Object.assign(fs, real)
      syncBuiltinESMExports()
      assert.equal(openFiles(), before, 'nothing is left open')
    }
    assert.throws(() => syncDirectory(join(root, 'absent')), { code: 'ENOENT' })
  })
})
