import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Largest file the process may write, in bytes: the kernel refuses more, as it does on a full disk. */
const FILE_BYTES_MAX = 60_000

function hasPrlimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('a node whose disk is full', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-full-node-'))
  after(() => rmSync(root, { recursive: true }))

  it('and that was held dead, refutes it for all soon after there is room, without a restart', async function () {
    // util-linux: the only way to take room away from a running process and to give it back.
    if (!hasPrlimit()) this.skip()
    const program = new URL('full-disk-pair.ts', import.meta.url).pathname
    const limited = [`--fsize=${FILE_BYTES_MAX}:unlimited`, process.execPath, program, root]
    const child = spawn('prlimit', limited, { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      assert.equal((await lines.next()).value, 'untold')
      execFileSync('prlimit', [`--pid=${child.pid}`, '--fsize=unlimited'])
      assert.equal((await lines.next()).value, 'told')
      assert.deepEqual(await closed, [0, null])
    } finally {
      child.kill('SIGKILL')
    }
  }).timeout(60_000)
})
