import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../roles/until.ts'
import { build, environment, type NodeProcess, PROGRAM, p2pt, startNode } from './program.ts'
import { hasPseudoTerminals, PseudoTerminal } from './pseudo-terminal.ts'

type Facts = Record<string, unknown>

describe('a node whose terminal, input or output goes away', () => {
  let root: string
  let bootstrap: NodeProcess
  let address: string
  let count = 0

  before(async function () {
    this.timeout(120_000)
    build()
    root = mkdtempSync(join(tmpdir(), 'p2pt-terminal-'))
    bootstrap = await startNode([
      'bootstrap',
      'start',
      '--json',
      '--host',
      '127.0.0.1',
      '--port',
      '0',
      '--data',
      join(root, 'b'),
    ])
    address = `127.0.0.1:${JSON.parse(bootstrap.ready).ports.overlay}`
  })
  after(async () => {
    bootstrap?.child.kill('SIGKILL')
    await bootstrap?.ended
    if (root !== undefined) rmSync(root, { recursive: true, force: true })
  })

  const newDirectory = () => {
    count += 1
    return join(root, `n${count}`)
  }
  const startOf = (role: string, data: string): string[] => [
    process.execPath,
    PROGRAM,
    role,
    'start',
    '--data',
    data,
    '--host',
    '127.0.0.1',
    '--port',
    '0',
    '--bootstrap',
    address,
  ]
  const lines = async (...words: string[]): Promise<Facts[]> => {
    const { exit, stdout, stderr } = await p2pt([...words, '--json'])
    assert.equal(exit, 0, `${words.join(' ')}: ${stdout}${stderr}`)
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
  const ended = (data: string) =>
    until(`the node in ${data} has ended`, async () => (await p2pt(['node', 'status', '--data', data])).exit === 3, 20_000)
  /** What a clean stop leaves. */
  const stoppedCleanly = async (data: string) => {
    const last = (await lines('log', 'show', '--data', data)).at(-1)
    assert.equal(last?.kind, 'node.stopped')
  }

  describe('in a terminal', () => {
    let terminal: PseudoTerminal | undefined
    before(function () {
      // No Python on this machine: nothing opens a terminal.
      if (!hasPseudoTerminals()) this.skip()
    })
    afterEach(() => terminal?.kill())

    it('stops cleanly when the terminal is closed under the prompt', async () => {
      const data = newDirectory()
      terminal = new PseudoTerminal(startOf('client', data))
      await terminal.shows('is ready at')
      terminal.type('half a li')
      await terminal.shows('half a li')
      assert.equal(await terminal.hangUp(), 0)
      await stoppedCleanly(data)
    })

    it('stops cleanly when its terminal is closed under a command that runs, and under a shell', async () => {
      const data = newDirectory()
      terminal = new PseudoTerminal(['/bin/sh', '-i'])
      terminal.type(`exec 2>&1; ${startOf('client', data).join(' ')}\r`)
      await terminal.shows('is ready at')
      // Nobody has it: the search waits for its answer.
      terminal.type('publish /dev/zero\rsearch nothing\rstatus\r')
      await terminal.hangUp()
      await ended(data)
      await stoppedCleanly(data)
    })

    it('says goodbye, when it is an index node', async () => {
      const data = newDirectory()
      terminal = new PseudoTerminal(startOf('index', data))
      await terminal.shows('is ready at')
      const [status] = await lines('node', 'status', '--data', data)
      assert.equal(await terminal.hangUp(), 0)
      await stoppedCleanly(data)
      await until('the bootstrap heard the goodbye', async () =>
        (await lines('log', 'show', '--data', join(root, 'b'), '--kind', 'member.left')).some(
          ({ author }) => author === status?.id,
        ),
      )
    })

    it('goes on at its prompt after Ctrl-Z and fg', async () => {
      const data = newDirectory()
      terminal = new PseudoTerminal(['/bin/sh', '-i'])
      terminal.type(`${startOf('client', data).join(' ')}\r`)
      await terminal.shows('is ready at')
      terminal.type('\u001a')
      await terminal.shows('Stopped')
      terminal.type('fg\r')
      await terminal.shows('p2pt> ')
      terminal.type('help add\r')
      await terminal.shows('download what a torrent file describes')
      // Key by key: the terminal is raw again.
      terminal.type('pub\t')
      await terminal.shows('publish ')
      terminal.type('\u0003')
      const [status] = await lines('node', 'status', '--data', data)
      process.kill(Number(status?.pid), 'SIGSTOP')
      await terminal.shows('Stopped')
      // The terminal is still raw: there Enter is no newline.
      terminal.type('fg\n')
      await terminal.shows('p2pt> ')
      terminal.type('rem\t')
      await terminal.shows('remove ')
      terminal.type('\u0003quit\r')
      await terminal.shows('stopping')
      await ended(data)
      await stoppedCleanly(data)
    })
  })

  it('stops cleanly when the reader of its output goes', async () => {
    for (const words of [[], ['--json'], ['--prompt']]) {
      const data = newDirectory()
      const [program = '', ...rest] = [...startOf('client', data), ...words]
      const child = spawn(program, rest, { env: environment(), stdio: ['pipe', 'pipe', 'pipe'] })
      let stderr = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text
      })
      const ended = new Promise((resolve) => child.once('exit', resolve))
      // Before the first line: it learns of it with that.
      child.stdout.destroy()
      assert.equal(await ended, 0, stderr)
      assert.equal(stderr, '')
      await stoppedCleanly(data)
    }
  })

  it('stops cleanly when input and output end together', async () => {
    const data = newDirectory()
    const [program = '', ...rest] = [...startOf('client', data), '--prompt']
    const child = spawn(program, rest, { env: environment(), stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = new Promise((resolve) => child.once('exit', resolve))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.stdout.destroy()
    child.stdin.end('status\nhelp\n')
    assert.equal(await ended, 0)
    await stoppedCleanly(data)
  })
})
