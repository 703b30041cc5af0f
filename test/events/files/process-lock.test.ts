import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockHolder, takeLock } from '../../../src/events/files/process-lock.fs.ts'

describe('a lock file', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-lock-'))
  const path = join(root, 'lock')
  after(() => rmSync(root, { recursive: true }))

  it('is held until it is given back, and leaves nothing behind', () => {
    const release = takeLock(path, root)
    assert.equal(lockHolder(path), process.pid)
    assert.throws(() => takeLock(path, root), { code: 'LOG_LOCKED' })
    assert.equal(lockHolder(path), process.pid)
    release()
    assert.deepEqual(readdirSync(root), [])
  })

  it('is not removed by one who no longer holds it', () => {
    const release = takeLock(path, root)
    writeFileSync(path, JSON.stringify({ pid: process.ppid, startedAt: null, boot: null }))
    release()
    assert.equal(existsSync(path), true)
    assert.equal(lockHolder(path), process.ppid)
    rmSync(path)
  })

  it('that says nothing of a process is held by nobody, and taken over', () => {
    for (const text of ['', '{}', '{"pid":0}', '{"pid":"1"}']) {
      writeFileSync(path, text)
      assert.equal(lockHolder(path), undefined)
      takeLock(path, root)()
    }
  })
})
