import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { verifyLog } from '../../../src/events/damage/verify-log.fs.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { noUpcast, signerOf, tickingClock } from '../samples.ts'
import { TEST_NETWORK } from '../test-network.ts'

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

  const started = (name: string, fileBytesMax: number) => {
    const directory = join(root, name)
    const program = new URL('append-on-request.ts', import.meta.url).pathname
    const child = spawn('prlimit', [`--fsize=${fileBytesMax}:unlimited`, process.execPath, program, directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const ask = async (request: string | number): Promise<{ seqs: number[]; failure: string }> => {
      child.stdin.write(`${request}\n`)
      const answer = await lines.next()
      assert.ok(!answer.done)
      const [seqs = '', ...failure] = answer.value.split(' ')
      return { seqs: seqs === '' ? [] : seqs.split(',').map(Number), failure: failure.join(' ').trim() }
    }
    const giveRoom = () => execFileSync('prlimit', [`--pid=${child.pid}`, '--fsize=unlimited'])
    const end = async () => {
      child.stdin.end()
      assert.deepEqual(await once(child, 'close'), [0, null])
    }
    return { directory, ask, giveRoom, end }
  }

  it('tells the appender, keeps what it acknowledged, and goes on once there is room', async function () {
    // util-linux: the only way to take room away from a running process and to give it back.
    if (!hasPrlimit()) this.skip()
    const { directory, ask, giveRoom, end } = started('log', FILE_BYTES_MAX)
    const acknowledged: number[] = []
    const append = async (count: number): Promise<string> => {
      const { seqs, failure } = await ask(count)
      acknowledged.push(...seqs)
      return failure
    }

    assert.equal(await append(5), '')
    assert.match(await append(1000), /^LOG_WRITE_FAILED the event log could not be written: .*File too large/)
    const before = acknowledged.length
    giveRoom()
    assert.equal(await append(300), '')
    assert.equal(acknowledged.length, before + 300)
    await end()

    assert.deepEqual(
      acknowledged,
      acknowledged.map((_, index) => index + 1),
    )
    const verdict = await verifyLog(directory, { signaturesOf: TEST_NETWORK })
    assert.deepEqual([verdict.ranges, verdict.events], [[], acknowledged.length])
    await using log = await openLevelLog({ directory, signer: signerOf(1), clock: tickingClock(), upcast: noUpcast })
    assert.equal(log.head, acknowledged.length)
    assert.equal(log.versionVector().get(log.author), acknowledged.length)
  })

  it('can be read all the while, and says when it can be written again', async function () {
    if (!hasPrlimit()) this.skip()
    const { ask, giveRoom, end } = started('read', FILE_BYTES_MAX)
    assert.equal((await ask('recover')).failure, 'true')
    const { seqs, failure } = await ask(1000)
    assert.match(failure, /^LOG_WRITE_FAILED/)
    // The second attempt opens the database anew, or finds that there is no room for that.
    for (let attempt = 1; attempt <= 3; attempt++) {
      assert.deepEqual(await ask('read'), { seqs, failure: '' })
      assert.match((await ask(1)).failure, /^LOG_WRITE_FAILED .*(File too large|EFBIG)/)
      assert.match((await ask('recover')).failure, /^false .*(File too large|EFBIG)/)
    }
    giveRoom()
    assert.equal((await ask('recover')).failure, 'true')
    const more = await ask(10)
    assert.deepEqual(await ask('read'), { seqs: [...seqs, ...more.seqs], failure: '' })
    await end()
  })
})
