import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TorrentSources } from '../../../src/events/index.ts'
import { digestOf, eventually, Lab, sha256 } from '../engine-fixture.ts'
import { pythonWithLibtorrent } from '../python-libtorrent.ts'

// With libtorrent itself, where it is installed, over multicast on loopback.

const PYTHON = pythonWithLibtorrent()
const WHY = PYTHON === undefined ? ' (skipped: this machine has no python3-libtorrent)' : ''
const LOCAL: TorrentSources = { public: true, trackers: [], webSeeds: [], dht: false, local: true }

describe(`local discovery with libtorrent${WHY}`, function () {
  this.timeout(60_000)
  let lab: Lab
  before(function () {
    if (PYTHON === undefined) this.skip()
  })
  beforeEach(() => {
    lab = new Lab('p2pt')
  })
  afterEach(() => lab?.[Symbol.asyncDispose]())

  const libtorrent = async (infoHash: string) => {
    assert.ok(PYTHON)
    const folder = await lab.directory('libtorrent')
    const words = [join(import.meta.dirname, 'libtorrent-local.py'), infoHash, '127.0.0.1', folder]
    const child = spawn(PYTHON, words, { stdio: ['ignore', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    lab.defer(async () => {
      child.kill('SIGKILL')
      await closed
    })
    const said: string[] = []
    createInterface(child.stdout).on('line', (line) => said.push(line))
    return { said, folder }
  }

  it('hears what libtorrent announces, and dials it', async () => {
    const seeder = await lab.seeder('seeder', { 'a.bin': 300_000 })
    const { infoHash } = seeder.metainfo
    seeder.engine.setSources(infoHash, LOCAL)
    // Its one announcement in five minutes is over before the other is there.
    await eventually(() => seeder.engine.sources(infoHash)[0]?.state === 'works')
    const { said, folder } = await libtorrent(infoHash)
    await eventually(() => said.includes('complete'), 40_000)
    assert.equal(await digestOf(join(folder, 'a.bin')), sha256(seeder.files.get('a.bin') ?? new Uint8Array()))
    assert.equal(seeder.engine.sources(infoHash)[0]?.peers, 1)
  })

  it('is heard by libtorrent', async () => {
    const seeder = await lab.seeder('seeder', { 'a.bin': 300_000 })
    const { infoHash } = seeder.metainfo
    const { said } = await libtorrent(infoHash)
    await eventually(() => said.includes('announced'), 40_000)
    seeder.engine.setSources(infoHash, LOCAL)
    await eventually(() => said.includes('heard') && said.includes('complete'), 40_000)
  })
})
