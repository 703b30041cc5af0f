import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NetworkView, SearchResult, TorrentRow, VerifyResult } from '../../src/roles/index.ts'
import { compose, containers, docker, eventually, p2pt, sha256, whatIsMissing } from './engine.ts'
import { Terminal } from './terminal.ts'

// The compose file as its users run it, on a real engine: each step stands on the one before.

const MINUTE = 60_000
const UP = ['up', '--detach', '--wait', '--wait-timeout', '180']
const SOURCE_BYTES = 12 * 1024 * 1024
const SOURCE = '/shared/halibut-recordings.bin'
const WORDS = ['halibut', 'recordings']
const NODES = ['bootstrap', 'index', 'client'].flatMap((role) => [1, 2, 3, 4, 5].map((number) => `${role}${number}`))

describe('the compose file', function () {
  this.timeout(7 * MINUTE)
  this.bail(true)
  const source = randomBytes(SOURCE_BYTES)
  const digest = createHash('sha256').update(source).digest('hex')
  let directory = ''
  let isUp = false
  let magnet = ''
  let downloaded = ''

  before(async function () {
    const missing = await whatIsMissing()
    if (missing !== undefined) {
      console.log(`    skipped: this machine has no ${missing.replace(/^an? /, '')}`)
      this.skip()
    }
    const names = (await docker(['ps', '--all', '--format', '{{.Names}}'])).split('\n')
    const taken = names.filter((name) => NODES.includes(name))
    assert.deepEqual(
      taken,
      [],
      `containers with the network's names are there already: ${taken.join(', ')}; take them down first`,
    )
    isUp = true
    directory = await mkdtemp(join(tmpdir(), 'p2pt-docker-'))
  })

  afterEach(async function () {
    if (this.currentTest?.state !== 'failed' || !isUp) return
    const told = await Promise.allSettled([compose(['ps', '--all']), compose(['logs', '--no-color', '--tail', '30'])])
    for (const part of told) console.log(part.status === 'fulfilled' ? part.value : String(part.reason))
  })

  after(async () => {
    if (isUp) await compose(['down', '--volumes', '--timeout', '5'], 2 * MINUTE)
    if (directory !== '') await rm(directory, { recursive: true })
  })

  it('brings up 15 nodes, all healthy', async () => {
    await compose([...UP, '--build'], 6 * MINUTE)
    assert.deepEqual(await healthy(), NODES.toSorted())
  })

  it('is one network, made by itself, with everybody admitted', async () => {
    const { name, admitted } = await eventually(
      'client1 knows all 15',
      async () => {
        const view = await p2pt<NetworkView>('client1', ['network', 'show'])
        return view.admitted.length === NODES.length ? view : undefined
      },
      MINUTE,
    )
    assert.equal(name, 'p2pt')
    assert.deepEqual(
      new Set(admitted.map(({ role, state }) => `${role} ${state}`)),
      new Set(['member admitted', 'client admitted']),
    )
  })

  it("publishes through client1's prompt", async () => {
    const path = join(directory, 'source')
    await writeFile(path, source, { mode: 0o644 })
    await compose(['cp', path, `client1:${SOURCE}`])
    await using terminal = await Terminal.open('docker attach client1', join(directory, 'tmux'))
    // The prompt was drawn before anybody looked.
    await terminal.press('Enter')
    await terminal.shows(/p2pt> /, 20_000)
    await terminal.type(`publish ${SOURCE}`)
    const screen = await terminal.shows(/magnet:\?xt=urn:btih:[0-9a-f]{40}/, MINUTE)
    assert.match(screen, /halibut-recordings/)
    // Leaves the terminal; the node stays.
    await terminal.press('C-p', 'C-q')
    await eventually('the terminal lets go', async () => ((await terminal.ended()) ? true : undefined), 20_000)
    assert.equal((await containers()).find(({ name }) => name === 'client1')?.status, 'running')
  })

  it('is found by client2', async () => {
    const hit = await found('client2')
    assert.equal(hit.sizeBytes, SOURCE_BYTES)
    magnet = hit.magnet
  })

  it('is downloaded by client3, intact', async () => {
    const row = await p2pt<TorrentRow>('client3', ['client', 'magnet', magnet, '--wait'], 2 * MINUTE)
    assert.equal(row.state, 'seeding')
    downloaded = join(row.directory, row.name)
    assert.equal(await sha256('client1', SOURCE), digest)
    assert.equal(await sha256('client3', downloaded), digest)
  })

  it('stops when it is asked to, and is not killed', async () => {
    await compose(['stop'], 2 * MINUTE)
    const states = await containers()
    assert.equal(states.length, NODES.length)
    assert.deepEqual(
      states.filter(({ exitCode }) => exitCode !== 0),
      [],
    )
  })

  it('has everything still after down and up', async () => {
    await compose(['down'], 2 * MINUTE)
    assert.deepEqual(await containers(), [])
    await compose(UP, 4 * MINUTE)
    assert.deepEqual(await healthy(), NODES.toSorted())
    assert.equal((await found('client2')).magnet, magnet)
    for (const node of ['client1', 'client3', 'index1', 'bootstrap1']) {
      const result = await p2pt<VerifyResult>(node, ['log', 'verify'])
      assert.deepEqual({ node, intact: result.intact, ranges: result.ranges }, { node, intact: true, ranges: [] })
      assert.ok(result.events > 0, `${node} has a log`)
    }
    assert.equal(await sha256('client3', downloaded), digest)
  })

  it('seeds from client3 what client3 had downloaded, without the publisher', async () => {
    await compose(['stop', 'client1'], MINUTE)
    const row = await p2pt<TorrentRow>('client4', ['client', 'magnet', magnet, '--wait'], 2 * MINUTE)
    assert.equal(await sha256('client4', join(row.directory, row.name)), digest)
  })
})

async function healthy(): Promise<string[]> {
  const states = await containers()
  return states
    .filter(({ health }) => health === 'healthy')
    .map(({ name }) => name)
    .toSorted()
}

/** The one hit; a node that has just come back may have to hear of its neighbours first. */
function found(container: string): Promise<SearchResult['hits'][number]> {
  const look = async () => (await p2pt<SearchResult>(container, ['client', 'search', ...WORDS])).hits[0]
  return eventually(`${container} finds ${WORDS.join(' ')}`, look, 30_000)
}
