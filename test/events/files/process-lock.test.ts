import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockHolder, takeLock } from '../../../src/events/files/process-lock.fs.ts'
import { bootId } from '../../../src/events/log/head-file.fs.ts'

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

  const holderOf = () => JSON.parse(readFileSync(path, 'utf8')) as { pid: number; startedAt: string; boot: string }
  const put = (holder: object): void => writeFileSync(path, JSON.stringify(holder))

  it('says who holds it, since when, and in which boot of the machine', () => {
    const release = takeLock(path, root)
    const holder = holderOf()
    assert.deepEqual([holder.pid, holder.boot], [process.pid, bootId()])
    // Clock ticks since the boot: 100 a second.
    const sinceBootMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1_000
    const ageMs = sinceBootMs - Number(holder.startedAt) * 10
    assert.ok(Math.abs(ageMs - process.uptime() * 1_000) < 5_000, `${ageMs}`)
    release()
  })

  it('is held by a process that lives, in this boot, and is the one that took it', () => {
    const release = takeLock(path, root)
    const mine = holderOf()
    release()
    for (const [holder, isHeld] of [
      [mine, true],
      [{ ...mine, startedAt: null }, true],
      [{ ...mine, boot: null }, true],
      [{ pid: mine.pid }, true],
      [{ ...mine, startedAt: '1' }, false],
      [{ ...mine, boot: 'another' }, false],
      [{ ...mine, pid: 2 ** 22 + 1 }, false],
      [{ ...mine, pid: -1 }, false],
      // Of another user, as far as this is not root.
      [{ pid: 1 }, true],
    ] as const) {
      put(holder)
      assert.equal(lockHolder(path), isHeld ? holder.pid : undefined, JSON.stringify(holder))
    }
    rmSync(path)
    assert.equal(lockHolder(path), undefined)
  })

  it('is held by a process that may not be asked', () => {
    const { kill } = process
    put({ pid: process.pid })
    const refusing = (code: string) => {
      process.kill = () => {
        throw Object.assign(new Error(code), { code })
      }
    }
    try {
      refusing('EPERM')
      assert.equal(lockHolder(path), process.pid)
      refusing('ESRCH')
      assert.equal(lockHolder(path), undefined)
    } finally {
      process.kill = kill
    }
    rmSync(path)
  })

  it('names in its error the process and the directory, and leaves no draft behind', () => {
    put({ pid: process.ppid })
    assert.throws(
      () => takeLock(path, '/srv/node'),
      (error) => {
        assert.deepEqual((error as { detail?: unknown }).detail, {
          code: 'LOG_LOCKED',
          directory: '/srv/node',
          pid: process.ppid,
        })
        return true
      },
    )
    assert.deepEqual(readdirSync(root), ['lock'])
    rmSync(path)
    assert.throws(() => takeLock(join(root, 'absent', 'lock'), root), { code: 'ENOENT' })
    // A lock that stands in no file: it is neither taken over nor passed over.
    mkdirSync(path)
    assert.throws(() => takeLock(path, root), { code: 'EISDIR' })
    assert.deepEqual(readdirSync(root), ['lock'])
    rmSync(path, { recursive: true })
  })

  it('that a dead process left is taken over as a whole', () => {
    put({ pid: 2 ** 22 + 1, startedAt: '1', boot: bootId() })
    const release = takeLock(path, root)
    assert.equal(holderOf().pid, process.pid)
    assert.deepEqual(readdirSync(root), ['lock'])
    release()
    assert.deepEqual(readdirSync(root), [])
    release()
  })
})
