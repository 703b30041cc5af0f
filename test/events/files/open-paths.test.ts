import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { claimPath } from '../../../src/events/files/open-paths.fs.ts'

describe('a place that this process has open', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-claim-'))
  after(() => rmSync(root, { recursive: true }))

  it('is claimed once until it is given back, by whatever path', () => {
    symlinkSync(root, join(root, 'link'))
    const release = claimPath(root, 'log')
    for (const directory of [root, join(root, 'link'), `${root}/.`])
      assert.throws(
        () => claimPath(directory, 'log'),
        (error) => {
          assert.deepEqual((error as { detail?: unknown }).detail, { code: 'LOG_LOCKED', directory, pid: process.pid })
          return true
        },
      )
    release()
    release()
    claimPath(join(root, 'link'), 'log')()
  })

  it('is another one than those beside it, above it and below it', () => {
    mkdirSync(join(root, 'below'))
    const releases = [
      claimPath(root),
      claimPath(root, 'log'),
      claimPath(root, 'projections'),
      claimPath(join(root, 'below'), 'log'),
    ]
    assert.throws(() => claimPath(root), { code: 'LOG_LOCKED' })
    for (const release of releases) release()
    claimPath(root)()
  })

  it('need not exist, but its directory has to', () => {
    claimPath(root, 'absent')()
    assert.throws(() => claimPath(join(root, 'absent'), 'log'), { code: 'ENOENT' })
  })
})
