import assert from 'node:assert/strict'
import { isPassing, readProblem } from '../../src/torrent/read-problem.ts'

const failed = (code: unknown) => Object.assign(new Error('as the system says'), { code })

describe('why a file could not be read', () => {
  it('is told in a few words', () => {
    for (const [code, why] of [
      ['EACCES', 'permission denied'],
      ['EPERM', 'permission denied'],
      ['ENOENT', 'it is gone'],
      ['ELOOP', 'a symbolic link leads in a circle'],
      ['ENAMETOOLONG', 'its path is too long'],
      ['EIO', 'the disk reports an error'],
      ['EMFILE', 'this process has too many files open (ulimit -n)'],
      ['EOTHER', 'as the system says'],
      [5, 'as the system says'],
    ] as const)
      assert.equal(readProblem(failed(code)), why)
    assert.equal(readProblem(new Error('its own words')), 'its own words')
    assert.equal(readProblem('a text'), 'a text')
    assert.equal(readProblem({ code: 'EIO' }), '[object Object]')
  })

  it('is over in a moment where this process has too much open, or is to try again', () => {
    for (const code of ['EMFILE', 'ENFILE', 'EAGAIN']) assert.equal(isPassing(failed(code)), true)
    for (const error of [failed('EIO'), failed(undefined), new Error('x'), { code: 'EMFILE' }, 'EMFILE', undefined])
      assert.equal(isPassing(error), false)
  })
})
