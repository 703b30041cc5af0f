import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type NodeProcess, p2pt, startNode } from './program.ts'

/** As many as a node has places for, see src/control/callers.ts. */
const CALLERS = 64

describe('a node that is busy or stuck', () => {
  let root: string
  let data: string[]
  let node: NodeProcess
  const sockets: Socket[] = []

  before(function () {
    this.timeout(120_000)
    build()
  })
  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-busy-'))
    data = ['--data', join(root, 'b')]
    node = await startNode(['bootstrap', 'start', '--json', '--host', '127.0.0.1', '--port', '0', ...data])
  })
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy()
    node.child.kill('SIGKILL')
    await node.ended
    rmSync(root, { recursive: true, force: true })
  })

  /** Callers who send this line, or nothing, and stay. */
  const callers = async (line: string) => {
    for (let count = 0; count < CALLERS; count += 1) {
      const socket = createConnection({ path: join(root, 'b/control.sock') }).on('error', () => {})
      sockets.push(socket)
      await new Promise((resolve) => socket.once('connect', resolve))
      if (line === '') continue
      socket.write(`${line}\n`)
      await new Promise((resolve) => socket.once('data', resolve))
    }
  }

  it('shows its status and stops while 64 callers idle', async () => {
    await callers('')
    for (const words of [
      ['node', 'status'],
      ['log', 'stats'],
      ['node', 'stop'],
    ]) {
      const { exit, stderr } = await p2pt([...words, ...data])
      assert.equal(exit, 0, stderr)
    }
    assert.equal((await node.ended).exit, 0)
  })

  it('shows its status and stops while 64 callers have calls open, and says to others that it is busy', async () => {
    await callers(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'node.tail', params: [{ from: 0 }] }))
    assert.equal((await p2pt(['node', 'status', ...data])).exit, 0)
    const { exit, stderr } = await p2pt(['reputation', 'list', ...data])
    assert.equal(exit, 1)
    assert.match(stderr, /^p2pt: the node is busy: it has 65 callers and takes 64\. Try again later, or end one .*\n$/)
    const { exit: stopped, stderr: why } = await p2pt(['node', 'stop', ...data])
    assert.equal(stopped, 0, why)
    assert.equal((await node.ended).exit, 0)
  })

  it('is said not to answer when it is stuck, and how it can be ended', async () => {
    node.child.kill('SIGSTOP')
    const { exit, stderr } = await p2pt(['node', 'stop', '--timeout', '1', ...data])
    assert.equal(exit, 1)
    assert.match(stderr, /did not answer within 1000 ms: try again, or end its process, which .*\/lock names/)
    const second = await p2pt(['bootstrap', 'start', '--host', '127.0.0.1', '--port', '0', ...data])
    assert.equal(second.exit, 1)
    assert.match(second.stderr, /in use by a node that does not answer/)
  })
})
