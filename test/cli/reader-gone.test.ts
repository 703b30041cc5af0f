import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, environment, type NodeProcess, PROGRAM, startNode } from './program.ts'

describe('a command whose reader goes', () => {
  let root: string
  let stopped: string
  let running: NodeProcess

  before(async function () {
    this.timeout(120_000)
    build()
    root = mkdtempSync(join(tmpdir(), 'p2pt-reader-'))
    stopped = join(root, 'stopped')
    const start = (data: string) =>
      startNode(['bootstrap', 'start', '--json', '--host', '127.0.0.1', '--port', '0', '--data', data])
    running = await start(join(root, 'running'))
    const node = await start(stopped)
    node.child.kill('SIGTERM')
    await node.ended
  })
  after(async () => {
    running?.child.kill('SIGKILL')
    await running?.ended
    if (root !== undefined) rmSync(root, { recursive: true, force: true })
  })

  /** Runs it without its output being read. @returns how it ended, and its stderr */
  const run = async (words: readonly string[], meanwhile: (child: ChildProcess) => unknown = () => {}) => {
    const child = spawn(process.execPath, [PROGRAM, ...words], { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
    await meanwhile(child)
    return { exit: await ended, stderr }
  }

  for (const command of ['log show', 'log export', 'log export --format bundle', 'log tail', 'log stats', 'reputation list'])
    it(`\`${command}\` ends with 0, and leaves nothing behind in the directory of a stopped node`, async () => {
      const before = readdirSync(stopped)
      const words = command.split(' ')
      if (command !== 'reputation list') {
        assert.deepEqual(await run([...words, '--data', stopped]), { exit: 0, stderr: '' })
        assert.deepEqual(readdirSync(stopped), before)
      }
      assert.deepEqual(await run([...words, '--data', join(root, 'running')]), { exit: 0, stderr: '' })
    })

  it('leaves nothing behind when Ctrl-C ends it while it reads the log of a stopped node', async () => {
    const before = readdirSync(stopped)
    const { exit, stderr } = await run(['log', 'show', '--data', stopped], async (child) => {
      const reads = () => readdirSync(stopped).some((name) => name.startsWith('read-'))
      while (child.exitCode === null && !reads()) await new Promise((resolve) => setImmediate(resolve))
      child.kill('SIGINT')
    })
    // 0: it was through before the signal reached it.
    assert.ok(exit === 130 || exit === 0, `${exit}`)
    assert.equal(stderr, '')
    assert.deepEqual(readdirSync(stopped), before)
  })
})
