import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { join } from 'node:path'
import { magnetOf } from '../../../src/torrent/metainfo.ts'
import { dialUntil, digestOf, download, type EngineName, Lab, type Node, sha256 } from '../engine-fixture.ts'

// With the program itself, where it is installed: it sends its bitfield again as soon as that is no longer than its haves.

const why = spawnSync('aria2c', ['--version']).status === 0 ? undefined : 'this machine has no aria2c'
const SIZE_BYTES = 50 * 1024 * 1024
const ALONE = [
  '--enable-dht=false',
  '--enable-dht6=false',
  '--bt-enable-lpd=false',
  '--enable-peer-exchange=false',
  '--no-conf',
]

export function aria2Contract(engine: EngineName): void {
  describe(`aria2${why === undefined ? '' : ` (skipped: ${why})`}`, function () {
    this.timeout(120_000)
    let lab: Lab
    before(function () {
      if (why !== undefined) this.skip()
    })
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    function aria2(words: readonly string[]): ChildProcess {
      const child = spawn('aria2c', [...ALONE, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
      const ended = once(child, 'close')
      child.stdout.resume()
      child.stderr.resume()
      lab.defer(async () => {
        child.kill('SIGKILL')
        await ended
      })
      return child
    }

    it('downloads 50 MB from an engine over one connection', async () => {
      const { engine, metainfo, files } = await lab.seeder('seeder', { 'fifty.bin': SIZE_BYTES })
      const directory = await lab.directory('aria2')
      const tracker = await trackerOf(lab, engine.port)
      const before = engine.rejectedMessages
      const uri = `${magnetOf(metainfo)}&tr=${encodeURIComponent(tracker)}`
      const child = aria2(['--seed-time=0', `--dir=${directory}`, `--listen-port=${await freePort()}`, uri])
      const [code] = await once(child, 'close')
      assert.equal(code, 0)
      assert.equal(await digestOf(join(directory, 'fifty.bin')), sha256(files.get('fifty.bin') ?? new Uint8Array()))
      assert.equal(engine.rejectedMessages, before)
    })

    it('gives an engine 50 MB', async () => {
      const { metainfo, files, directory } = await lab.seeder('seeder', { 'fifty.bin': SIZE_BYTES })
      const torrentFile = join(await lab.directory('aria2'), 'fifty.torrent')
      await writeFile(torrentFile, metainfo.torrentFile)
      const port = await freePort()
      aria2(['--seed-ratio=0', '--check-integrity=true', `--dir=${directory}`, `--listen-port=${port}`, torrentFile])
      const leecher = await lab.node('leecher')
      await download(leecher, metainfo, [])
      const seeder = { engine: { port } } as Node
      await dialUntil(leecher, metainfo.infoHash, seeder, () => leecher.recorded.completed.length === 1)
      assert.equal(await digestOf(join(leecher.directory, 'fifty.bin')), sha256(files.get('fifty.bin') ?? new Uint8Array()))
    })
  })
}

/** A tracker (BEP 3, 23) that knows one peer on this machine. @returns its announce address */
async function trackerOf(lab: Lab, port: number): Promise<string> {
  const answer = Buffer.concat([
    Buffer.from('d8:intervali60e5:peers6:'),
    Buffer.from([127, 0, 0, 1, port >> 8, port & 255]),
    Buffer.from('e'),
  ])
  const server = createServer((_, response) => response.end(answer))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  lab.defer(async () => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return `http://127.0.0.1:${address.port}/announce`
}

async function freePort(): Promise<number> {
  const server = createTcpServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  await new Promise((resolve) => server.close(resolve))
  return address.port
}
