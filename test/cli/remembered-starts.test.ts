import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freeNodePort as freePort } from '../../src/cli/demo/free-ports.ts'
import { build, type NodeProcess, p2pt, startNode } from './program.ts'

// What a person does: a network, a bootstrap, a client that joins once with one string, and then only `p2pt client start`.

describe('a node that has joined once', function () {
  this.timeout(120_000)
  let root: string
  let environment: NodeJS.ProcessEnv
  const running: NodeProcess[] = []
  const at = (name: string) => join(root, name)
  const start = async (...words: string[]): Promise<NodeProcess> => {
    const node = await startNode([...words, '--json'], environment)
    running.push(node)
    return node
  }
  const stop = async (node: NodeProcess) => {
    node.child.kill('SIGTERM')
    const ended = await node.ended
    assert.equal(ended.exit, 0, ended.stderr)
    return ended
  }
  const factsOf = (node: NodeProcess) =>
    JSON.parse(node.ready) as { id: string; dataDirectory: string; ports: { torrent: number } }
  const run = (...words: string[]) => p2pt(words, { environment })

  before(() => {
    build()
    root = mkdtempSync(join(tmpdir(), 'p2pt-joined-'))
    environment = { XDG_DATA_HOME: at('home'), P2PT_NETWORK: '' }
  })
  after(async () => {
    for (const { child } of running) child.kill('SIGKILL')
    await Promise.all(running.map(({ ended }) => ended))
    rmSync(root, { recursive: true, force: true })
  })

  it('starts with nothing but its role: its network, its data and its settings are remembered', async () => {
    const port = await freePort()
    const made = await run('network', 'create', 'herbs', '--bootstrap', `127.0.0.1:${port}`, '--json')
    assert.equal(made.exit, 0, made.stderr)
    const { members, clients, owner } = JSON.parse(made.stdout) as { members: string[]; clients: string; owner: string }
    assert.equal(owner, at('home/p2pt/networks/herbs'))
    await start(
      'bootstrap',
      'start',
      '--join',
      members[0] ?? '',
      '--data',
      at('boot'),
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
    )

    const unsaid = await run('client', 'start')
    assert.equal(unsaid.exit, 2)
    assert.match(unsaid.stderr, /belongs to no network yet: start it with --join STRING/)
    assert.ok(!existsSync(at('home/p2pt/client/node.json')))
    const rejected = await run('client', 'start', '--join', clients, '--data', at('mine'), '--upload-limit', 'fast')
    assert.equal(rejected.exit, 2)
    assert.ok(!existsSync(at('home/p2pt/client/node.json')), 'a start that failed is not remembered')

    const torrentPort = await freePort()
    const flags = ['--host', '127.0.0.1', '--port', String(torrentPort), '--upload-limit', '2MB']
    const first = await start('client', 'start', '--join', clients, '--data', at('mine'), ...flags)
    const before = factsOf(first)
    const { stdout } = await stop(first)
    assert.match(stdout, /"code":"data.default","text":"[^"]*mine is the default now/)
    assert.equal(readlinkSync(at('home/p2pt/client')), at('mine'))

    const second = await start('client', 'start')
    const after = factsOf(second)
    assert.deepEqual([after.id, after.ports.torrent], [before.id, torrentPort])
    const status = await run('client', 'status', '--json')
    assert.equal(status.exit, 0, status.stderr)
    assert.equal((JSON.parse(status.stdout) as { node: { network: { name: string } } }).node.network.name, 'herbs')
    // A limit is a setting of the client: the log has it.
    assert.match((await run('client', 'limit')).stdout, /upload +2\.0 MB\/s/)
    const said = (await stop(second)).stdout
    assert.match(said, new RegExp(`"text":"as at its last start: --host 127.0.0.1 --port ${torrentPort}"`))

    // A flag that is given takes the place of the one that was kept, and an empty one forgets it.
    const third = await start('client', 'start', '--port', '0', '--upload-limit', '')
    assert.notEqual(factsOf(third).ports.torrent, torrentPort)
    await stop(third)
    const kept = JSON.parse(readFileSync(at('mine/settings.json'), 'utf8')) as { flags: object }
    assert.deepEqual(kept.flags, { host: '127.0.0.1', port: 0 })
  })

  it('starts where its node.json was cut or is gone, says so, and is repaired without a start too', async () => {
    const { id } = JSON.parse((await run('node', 'id', '--data', at('mine'), '--json')).stdout) as { id: string }
    truncateSync(at('mine/node.json'), 0)
    const asked = await run('log', 'stats', '--data', at('mine'))
    assert.equal(asked.exit, 2)
    assert.match(asked.stderr, /its node\.json cannot be read .*: a start, or `p2pt log repair`, makes it again/)
    const node = await start('client', 'start')
    assert.equal(factsOf(node).id, id)
    const { stdout } = await stop(node)
    assert.match(stdout, /"code":"node.mended","text":"its node.json cannot be read .*its bootstraps are 127\.0\.0\.1:/)

    rmSync(at('mine/node.json'))
    const repaired = await run('log', 'repair', '--data', at('mine'))
    assert.equal(repaired.exit, 0, repaired.stderr)
    assert.match(repaired.stdout, /^it has no node\.json: it was made again from the log; .*\nnothing to repair/)
    await stop(await start('client', 'start'))
  })

  it('takes the string from the environment as well, and a flag before the environment', async () => {
    const invited = await run('network', 'invite', '--role', 'client', '--json')
    const { join: text } = JSON.parse(invited.stdout) as { join: string }
    const words = ['client', 'start', '--data', at('second'), '--host', '127.0.0.1']
    const mistyped = await p2pt([...words, '--join', `${text}x`], { environment: { ...environment, P2PT_JOIN: text } })
    assert.match(mistyped.stderr, /cut off or mistyped/)
    const node = await startNode([...words, '--json'], { ...environment, P2PT_JOIN: text, P2PT_NETWORK: at('unused') })
    running.push(node)
    await stop(node)
    assert.ok(!existsSync(at('unused')), 'no network was made')
    assert.equal(readlinkSync(at('home/p2pt/client')), at('mine'), 'the default is as it was')
  })
})
