import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectNode } from '../../src/control/index.ts'
import type { InfoHash } from '../../src/events/index.ts'
import { build, type NodeProcess, p2pt, startNode } from '../cli/program.ts'
import { extended, message, RawPeer } from '../torrent/raw-peer.ts'

// Each of these once ended a webtorrent process from outside, without any proof of identity.
const CRASHES: Readonly<Record<string, readonly Uint8Array[]>> = {
  'have of piece 1,000,000,000 and then a bitfield': [message(4, 1_000_000_000), message(5, new Uint8Array(8))],
  'allowed fast of piece 0xffffffff': [message(17, 0xffffffff)],
  'a metadata request before the extended handshake': [extended(1, 'd8:msg_typei0e5:piecei0ee')],
}

describe('a running client among hostile peers', function () {
  this.timeout(120_000)
  let directory: string
  const nodes: NodeProcess[] = []
  let infoHash: InfoHash
  let torrentPort: number

  const start = async (role: string, name: string, ...flags: string[]) => {
    const node = await startNode([
      role,
      'start',
      '--json',
      '--data',
      join(directory, name),
      '--host',
      '127.0.0.1',
      '--port',
      '0',
      ...flags,
    ])
    nodes.push(node)
    return JSON.parse(node.ready) as { ports: { overlay: number; torrent: number } }
  }

  before(async () => {
    build()
    directory = await mkdtemp(join(tmpdir(), 'p2pt-hostile-'))
    const { ports } = await start('bootstrap', 'bootstrap')
    const client = await start('client', 'client', '--bootstrap', `127.0.0.1:${ports.overlay}`)
    torrentPort = client.ports.torrent
    const file = join(directory, 'survey.bin')
    await writeFile(file, Buffer.alloc(1_000_000, 'survey'))
    const published = await p2pt(['client', 'publish', file, '--json', '--data', join(directory, 'client')])
    assert.equal(published.exit, 0, published.stderr + published.stdout)
    const [row] = (await (await connectNode(join(directory, 'client'))).client.clientStatus()).torrents
    assert.ok(row)
    infoHash = row.infoHash as InfoHash
  })

  after(async () => {
    for (const { child } of nodes) child.kill('SIGTERM')
    await Promise.all(nodes.map(({ ended }) => ended))
    await rm(directory, { recursive: true, force: true })
  })

  for (const [name, messages] of Object.entries(CRASHES)) {
    it(`stays up after ${name}`, async () => {
      const peer = await RawPeer.dial(torrentPort, infoHash)
      peer.send(...messages)
      await peer.closed
      const { child } = nodes[1] as NodeProcess
      assert.equal(child.exitCode, null)
      const { client } = await connectNode(join(directory, 'client'))
      const status = await client.clientStatus()
      assert.equal(status.node.ready, true)
      assert.equal(status.torrents[0]?.state, 'seeding')
    })
  }
})
