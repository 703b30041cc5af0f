import assert from 'node:assert/strict'
import { type ChildProcessByStdio, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { build, environment, PROGRAM } from '../cli/program.ts'
import { until } from '../roles/until.ts'

/** Time in which all must be gone once the demo was ended: nodes end within 5 s, the caretaker kills them after 6. */
const GONE_MS_MAX = 15_000

describe('a demo that is ended', () => {
  let temporary: string
  let demo: ChildProcessByStdio<null, Readable, Readable>
  let exit: Promise<number | NodeJS.Signals | null>
  let stderr: string

  before(function () {
    this.timeout(120_000)
    build()
  })
  beforeEach(() => {
    temporary = mkdtempSync(join(tmpdir(), 'demo-'))
    demo = spawn(process.execPath, [PROGRAM, 'demo', '--json'], {
      env: { ...environment(), TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    stderr = ''
    demo.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    exit = new Promise((resolve) => demo.once('exit', (code, signal) => resolve(signal ?? code)))
  })
  afterEach(() => {
    for (const { pid } of processes()) process.kill(pid, 'SIGKILL')
    rmSync(temporary, { recursive: true, force: true })
  })

  /** Every process that has the folder in its command line: the nodes and the caretaker. */
  const processes = (): { pid: number; words: string }[] =>
    execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(temporary))
      .map((line) => ({ pid: Number.parseInt(line, 10), words: line }))
  const nodes = () => processes().filter(({ words }) => words.includes(' start '))
  const folders = () => readdirSync(temporary).filter((name) => name.startsWith('p2pt-'))

  const nodesRun = (count: number) => until(`${count} nodes run`, () => nodes().length >= count, 30_000)
  const nothingIsLeft = () =>
    until('no process and no folder is left', () => processes().length === 0 && folders().length === 0, GONE_MS_MAX).catch(
      (error) => {
        throw new Error(`${error.message}: ${JSON.stringify([folders(), processes()])}`)
      },
    )

  for (const [signal, status] of [
    ['SIGHUP', 1],
    // What nothing in the process can see: the caretaker does it.
    ['SIGKILL', 'SIGKILL'],
  ] as const)
    it(`leaves nothing behind after ${signal}`, async () => {
      await nodesRun(2)
      demo.kill(signal)
      assert.equal(await exit, status, stderr)
      await nothingIsLeft()
    })

  it('leaves nothing behind after SIGINT, which comes twice from a terminal under npm', async () => {
    await nodesRun(2)
    demo.kill('SIGINT')
    demo.kill('SIGINT')
    assert.equal(await exit, 1)
    assert.deepEqual([processes(), folders()], [[], []])
  })

  it('leaves nothing behind when its reader goes', async () => {
    await new Promise((resolve) => demo.stdout.once('data', resolve))
    demo.stdout.destroy()
    assert.equal(await exit, 0)
    assert.equal(stderr, '')
    await nothingIsLeft()
  })

  it('leaves nothing behind when a node fails', async () => {
    await nodesRun(1)
    const [first] = nodes()
    assert.ok(first)
    process.kill(first.pid, 'SIGKILL')
    let stdout = ''
    demo.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    assert.equal(await exit, 1)
    assert.match(stdout, /"ok":false/)
    await nothingIsLeft()
  })

  it('leaves nothing behind after SIGTERM, when a node does not stop', async function () {
    if (!existsSync('/proc')) this.skip()
    await nodesRun(2)
    const [first] = nodes()
    assert.ok(first)
    process.kill(first.pid, 'SIGSTOP')
    await until('it is stopped', () => / \(.*\) T /.test(readFileSync(`/proc/${first.pid}/stat`, 'utf8')))
    demo.kill('SIGTERM')
    assert.equal(await exit, 1)
    await nothingIsLeft()
  })
})
