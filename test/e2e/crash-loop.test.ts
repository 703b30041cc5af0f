import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectNode } from '../../src/control/index.ts'
import { build, type NodeProcess, p2pt, startNode } from '../cli/program.ts'
import { until } from '../roles/until.ts'

describe('a client that dies twice within a minute', function () {
  this.timeout(180_000)
  let directory: string
  let bootstrap: NodeProcess
  let overlay: number
  let client: NodeProcess | undefined

  const flags = (name: string) => ['--json', '--data', join(directory, name), '--host', '127.0.0.1', '--port', '0']
  const data = () => join(directory, 'client')
  const start = async () => {
    client = await startNode(['client', 'start', ...flags('client'), '--bootstrap', `127.0.0.1:${overlay}`])
  }
  const end = async (signal: NodeJS.Signals) => {
    client?.child.kill(signal)
    await client?.ended
  }
  const torrents = async () => (await (await connectNode(data())).client.clientStatus()).torrents
  /** It looks at its files first. */
  const isSeeding = async () => (await torrents())[0]?.state === 'seeding'
  const run = async (...words: string[]) => {
    const ended = await p2pt([...words, '--data', data()])
    assert.equal(ended.exit, 0, ended.stderr + ended.stdout)
    return ended.stdout
  }
  const pauses = async (): Promise<string[]> => {
    const notices = (await connectNode(data())).node.notices({ last: 500 })
    for await (const { code, text } of notices) if (code === 'torrents.paused') return [text]
    return []
  }

  before(async () => {
    build()
    directory = await mkdtemp(join(tmpdir(), 'p2pt-deaths-'))
    bootstrap = await startNode(['bootstrap', 'start', ...flags('bootstrap')])
    overlay = (JSON.parse(bootstrap.ready) as { ports: { overlay: number } }).ports.overlay
  })
  after(async () => {
    await end('SIGKILL')
    bootstrap.child.kill('SIGTERM')
    await bootstrap.ended
    await rm(directory, { recursive: true, force: true })
  })

  it('starts with its torrents paused, says so, and goes on with what is resumed', async () => {
    await start()
    const file = join(directory, 'survey.bin')
    await writeFile(file, Buffer.alloc(1_000_000, 'survey'))
    await run('client', 'publish', file)
    await end('SIGKILL')
    await start()
    await until('one death is an accident', isSeeding)
    await end('SIGKILL')
    await start()
    const [row] = await torrents()
    assert.equal(row?.state, 'paused')
    const { client: running } = await connectNode(data())
    const resumed = await running.resume(row.infoHash)
    assert.equal(resumed.problem, null)
    assert.notEqual(resumed.state, 'paused')
    await end('SIGKILL')
    await start()
    const [again] = await torrents()
    assert.equal(again?.state, 'paused', 'a third death after it was resumed')
    assert.match(again.problem ?? '', /died twice within a minute.*p2pt client resume/)
    assert.match(await run('client', 'status'), /died twice within a minute/)
    assert.match((await pauses())[0] ?? '', /its torrent is paused.*`p2pt client resume INFOHASH`/)
    const told = await run('log', 'tail', '--kind', 'download.paused', '--no-follow', '--json')
    assert.equal(told.split(row.infoHash).length, 3, 'two events')

    await end('SIGTERM')
    await start()
    assert.equal((await torrents())[0]?.state, 'paused', 'until somebody resumes it')
    await run('client', 'resume', row.infoHash)
    await end('SIGTERM')
    await start()
    await until('a stop is no death', isSeeding)
  })
})
