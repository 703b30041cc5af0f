import assert from 'node:assert/strict'
import { diskProblem } from '../../src/torrent/disk-problem.ts'

describe('a problem of the disk', () => {
  it('says what to do', () => {
    assert.match(
      diskProblem(Object.assign(new Error('x'), { code: 'ENOSPC' }), '/data'),
      /the disk of \/data is full: make room, then resume/,
    )
    assert.equal(diskProblem(new Error('something else'), '/data'), 'something else')
  })

  it('has a sentence for each error that an operator can do something about', () => {
    const of = (code: unknown) => diskProblem(Object.assign(new Error('as the system says'), { code }), '/data')
    const said: readonly [string, string][] = [
      ['ENOSPC', 'the disk of /data is full: make room, then resume'],
      ['EDQUOT', 'the quota for /data is used up: make room, then resume'],
      ['EACCES', 'no permission to read and write in /data: change that, then resume'],
      ['EPERM', 'no permission to read and write in /data: change that, then resume'],
      ['EROFS', '/data cannot be written to, its file system is read-only'],
      ['EMFILE', 'this process has too many files open: raise the limit (ulimit -n), then resume'],
      ['ENOTDIR', 'a file stands where /data needs a folder: move it away, then resume'],
      ['EEXIST', 'a file stands where /data needs a folder: move it away, then resume'],
      ['EISDIR', 'a folder stands in /data where the torrent has a file: move it away, then resume'],
      ['EFBIG', 'the file system of /data does not take files of this size'],
      ['EWHATEVER', 'as the system says'],
    ]
    for (const [code, sentence] of said) assert.equal(of(code), sentence)
    for (const code of [undefined, 5, ['ENOSPC']]) assert.equal(of(code), 'as the system says')
  })
})
