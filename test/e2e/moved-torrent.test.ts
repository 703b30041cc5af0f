import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectNode } from '../../src/control/index.ts'
import { build, type NodeProcess, p2pt, startNode } from '../cli/program.ts'
import { until } from '../roles/until.ts'

const SIZE = 300_000_000
/** A file system of its own on most machines, so that files are copied there; elsewhere they get a second name. */
const MEMORY = '/dev/shm'

describe('a client that is killed while it moves a torrent', function () {
  this.timeout(180_000)
  const folders: string[] = []
  let directory: string
  let elsewhere: string
  let client: NodeProcess | undefined
  let bootstrap: NodeProcess
  const flags = (name: string) => ['--json', '--data', join(directory, name), '--host', '127.0.0.1', '--port', '0']
  const data = () => join(directory, 'client')
  const start = async () => {
    const { overlay } = (JSON.parse(bootstrap.ready) as { ports: { overlay: number } }).ports
    client = await startNode(['client', 'start', ...flags('client'), '--bootstrap', `127.0.0.1:${overlay}`])
  }
  const killed = async () => {
    client?.child.kill('SIGKILL')
    await client?.ended
  }
  const row = async () => (await (await connectNode(data())).client.clientStatus()).torrents[0]
  const digest = async (path: string) =>
    createHash('sha1')
      .update(await readFile(path))
      .digest('hex')

  before(async () => {
    build()
    directory = await mkdtemp(join(tmpdir(), 'p2pt-killed-'))
    const isOther = existsSync(MEMORY) && statSync(MEMORY).dev !== statSync(directory).dev
    elsewhere = await mkdtemp(join(isOther ? MEMORY : tmpdir(), 'p2pt-killed-'))
    folders.push(directory, elsewhere)
    bootstrap = await startNode(['bootstrap', 'start', ...flags('bootstrap')])
  })
  after(async () => {
    await killed()
    bootstrap.child.kill('SIGTERM')
    await bootstrap.ended
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
  })

  it('has it whole where the log says, and nothing of it elsewhere', async () => {
    await start()
    const file = join(directory, 'survey.bin')
    const bytes = Buffer.alloc(SIZE)
    for (let at = 0; at < SIZE; at += 4) bytes.writeUInt32LE((at * 2_654_435_761) >>> 0, at)
    await writeFile(file, bytes)
    const before = await digest(file)
    assert.equal((await p2pt(['client', 'publish', file, '--data', data()])).exit, 0)
    await until('it is seeding', async () => (await row())?.state === 'seeding')

    const { infoHash = '' } = (await row()) ?? {}
    const moving = (await connectNode(data())).client.move(infoHash, { directory: elsewhere })
    moving.next().catch(() => {})
    await until('something of it stands in the new place', async () => (await readdir(elsewhere)).length > 0)
    await killed()
    await start()
    const after = await row()
    assert.ok(after !== undefined)
    const [own, other] = after.directory === directory ? [directory, elsewhere] : [elsewhere, directory]
    assert.equal(await digest(join(own, 'survey.bin')), before)
    assert.deepEqual(
      (await readdir(other)).filter((name) => /survey|part/.test(name)),
      [],
    )
    await until('it is seeded on', async () => (await row())?.state === 'seeding')

    const moved = await p2pt(['client', 'move', infoHash, '--to', other, '--json', '--data', data()], { timeoutMs: 60_000 })
    assert.equal(moved.exit, 0, moved.stderr)
    await killed()
    await start()
    assert.equal((await row())?.directory, other)
    assert.equal(await digest(join(other, 'survey.bin')), before)
    assert.equal(existsSync(join(own, 'survey.bin')), false)
  })
})
