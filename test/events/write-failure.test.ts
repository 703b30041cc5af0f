import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { openLevelLog } from '../../src/events/event-log.level.ts'
import { verifyLog } from '../../src/events/verify-log.level.ts'
import { noUpcast, signerOf, tickingClock } from './samples.ts'

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

describe('a log on a disk that refuses to write', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-full-'))
  after(() => rmSync(root, { recursive: true }))

  it('tells the appender, keeps what it acknowledged, and goes on once there is room', async function () {
    // util-linux: the only way to take room away from a running process and to give it back.
    if (!hasPrlimit()) this.skip()
    const directory = join(root, 'log')
    const program = new URL('append-on-request.ts', import.meta.url).pathname
    const child = spawn('prlimit', [`--fsize=${FILE_BYTES_MAX}:unlimited`, process.execPath, program, directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const acknowledged: number[] = []
    const ask = async (count: number): Promise<string> => {
      child.stdin.write(`${count}\n`)
      const answer = await lines.next()
      assert.ok(!answer.done)
      const [seqs = '', ...failure] = answer.value.split(' ')
      acknowledged.push(...(seqs === '' ? [] : seqs.split(',').map(Number)))
      return failure.join(' ')
    }

    assert.equal(await ask(5), '')
    assert.match(await ask(1000), /^LOG_WRITE_FAILED the event log could not be written: .*File too large/)
    const before = acknowledged.length
    execFileSync('prlimit', [`--pid=${child.pid}`, '--fsize=unlimited'])
    assert.equal(await ask(300), '')
    assert.equal(acknowledged.length, before + 300)
    child.stdin.end()
    const [code] = await once(child, 'close')
    assert.equal(code, 0)

    assert.deepEqual(
      acknowledged,
      acknowledged.map((_, index) => index + 1),
    )
    const verdict = await verifyLog(directory, { signatures: true })
    assert.deepEqual([verdict.ranges, verdict.events], [[], acknowledged.length])
    await using log = await openLevelLog({ directory, signer: signerOf(1), clock: tickingClock(), upcast: noUpcast })
    assert.equal(log.head, acknowledged.length)
    assert.equal(log.versionVector().get(log.author), acknowledged.length)
  })
})
