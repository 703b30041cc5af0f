import { deepEqual, equal, throws } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  readFork,
  readRestoredMark,
  removeRestoredMark,
  writeFork,
  writeRestoredMark,
} from '../../../src/roles/node/restored.fs.ts'
import { ServiceError } from '../../../src/roles/services.ts'

describe('the marks of a node that goes on from an older copy', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'p2pt-restored-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))
  const put = (name: string, text: string) => writeFileSync(join(directory, name), text)

  it('say what copy it was, and go when they are taken away', () => {
    equal(readRestoredMark(directory), undefined)
    const mark = { from: 'repair', at: 7, gossipSeq: 3, indexSeq: 9 } as const
    writeRestoredMark(directory, mark)
    deepEqual(readRestoredMark(directory), mark)
    removeRestoredMark(directory)
    removeRestoredMark(directory)
    deepEqual([readRestoredMark(directory), readdirSync(directory)], [undefined, []])
  })

  it('are marks still where they cannot be understood, or are those of a version that said less', () => {
    const unsaid = { from: 'backup', at: 0, gossipSeq: 0, indexSeq: 0 }
    for (const text of ['', '{', 'null', '{}']) {
      put('restored.json', text)
      deepEqual(readRestoredMark(directory), unsaid, text)
    }
    put('restored.json', '{"at":5,"gossipSeq":2,"indexSeq":1}')
    deepEqual(readRestoredMark(directory), { from: 'backup', at: 5, gossipSeq: 2, indexSeq: 1 })
  })

  it('are not taken for none where the disk does not give them', () => {
    mkdirSync(join(directory, 'restored.json'))
    throws(() => readRestoredMark(directory), { code: 'EISDIR' })
  })

  it('remember a fork, and start no node where nothing says which', () => {
    equal(readFork(directory), undefined)
    writeFork(directory, { stream: 'index', authorSeq: 12 })
    deepEqual(readFork(directory), { stream: 'index', authorSeq: 12 })
    for (const text of [
      '',
      '{}',
      'null',
      '{"stream":"index"}',
      '{"authorSeq":1}',
      '{"stream":"local","authorSeq":1}',
      '{"stream":"gossip","authorSeq":1.5}',
    ]) {
      put('forked.json', text)
      throws(
        () => readFork(directory),
        (error) =>
          error instanceof ServiceError && error.code === 'damaged' && /forked.json cannot be understood/.test(error.message),
        text,
      )
    }
  })

  it('are no fork that is missing where the disk does not give it', () => {
    mkdirSync(join(directory, 'forked.json'))
    throws(() => readFork(directory), { code: 'EISDIR' })
  })
})
