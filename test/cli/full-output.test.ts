import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lossyLines, WAITING_BYTES_MAX } from '../../src/cli/services/lossy-output.ts'
import { until } from '../roles/until.ts'
import { build, p2pt } from './program.ts'

/** Linux: each write to it fails as on a full disk. */
const FULL = '/dev/full'

describe('output that a full disk refuses', () => {
  let root: string
  let full: number
  before(function () {
    if (!existsSync(FULL)) this.skip()
    this.timeout(120_000)
    build()
    root = mkdtempSync(join(tmpdir(), 'p2pt-output-'))
    full = openSync(FULL, 'w')
  })
  after(() => {
    if (full !== undefined) closeSync(full)
    if (root !== undefined) rmSync(root, { recursive: true, force: true })
  })

  it('costs a node those lines and nothing else, and a command one sentence', async () => {
    const data = ['--data', join(root, 'node')]
    const words = ['bootstrap', 'start', ...data, '--host', '127.0.0.1', '--port', '0', '--log-level', 'debug']
    const node = p2pt(words, { stdout: full, stderr: full, timeoutMs: 60_000 })
    await until('the node is ready', async () => (await p2pt(['node', 'status', '--check', ...data])).exit === 0)
    for (const command of [
      ['log', 'show'],
      ['log', 'export'],
      ['log', 'export', '--format', 'bundle'],
      ['node', 'status'],
      ['node', 'status', '--json'],
    ]) {
      const { exit, stderr } = await p2pt([...command, ...data], { stdout: full })
      assert.match(stderr, /^p2pt: the output cannot be written: .*no space left on device.*\n$/, command.join(' '))
      assert.equal(exit, 1)
    }
    assert.equal((await p2pt(['node', 'stop', ...data])).exit, 0)
    assert.equal((await node).exit, 0)
  })

  it('does not pile up for a reader that takes none', () => {
    let taken = 0
    const stream = {
      write(text: string) {
        stream.writableLength += text.length
        taken += 1
      },
      writableLength: 0,
    }
    const write = lossyLines({ stream, writeToFile: () => 0 })
    const line = 'x'.repeat(1023)
    for (let count = 0; count < WAITING_BYTES_MAX / 1024 + 1; count += 1) write(line)
    assert.equal(taken, WAITING_BYTES_MAX / 1024)
    stream.writableLength = 0
    write(line)
    assert.equal(stream.writableLength, 1024)
  })

  it('is given up line by line, and a line that was cut is closed before the next', () => {
    let room = 4
    let written = ''
    const write = lossyLines({
      stream: undefined,
      writeToFile(bytes) {
        if (room === 0) throw new Error('ENOSPC: no space left on device, write')
        const some = bytes.subarray(0, room)
        room -= some.length
        written += Buffer.from(some).toString()
        return some.length
      },
    })
    write('one')
    write('lost')
    room = 2
    write('three')
    write('lost')
    room = 100
    write('five')
    write('six')
    assert.equal(written, 'one\nth\nfive\nsix\n')
  })
})
