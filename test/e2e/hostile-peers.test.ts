import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectNode } from '../../src/control/index.ts'
import type { InfoHash } from '../../src/events/index.ts'
import { build, type NodeProcess, p2pt, startNode } from '../cli/program.ts'
import { eventually } from '../torrent/engine-fixture.ts'
import { cut, hostileServer } from '../torrent/hostile-server.ts'
import { extended, handshake, message, RawPeer } from '../torrent/raw-peer.ts'

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
    const client = await start('client', 'client', '--plain-peers', '--bootstrap', `127.0.0.1:${ports.overlay}`)
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
      await stillSeeds()
    })
  }

  const stillSeeds = async () => {
    const { child } = nodes[1] as NodeProcess
    assert.equal(child.exitCode, null)
    const { client } = await connectNode(join(directory, 'client'))
    const status = await client.clientStatus()
    assert.equal(status.node.ready, true)
    assert.equal(status.torrents.find((row) => row.infoHash === infoHash)?.state, 'seeding')
  }

  // A magnet of anybody's names the peer to dial.
  const announced = extended(0, 'd1:md11:ut_metadatai1ee13:metadata_sizei100ee')
  const beyond = extended(1, Buffer.concat([Buffer.from('d8:msg_typei1e5:piecei639e10:total_sizei100ee'), new Uint8Array(1)]))
  const splits: Readonly<Record<string, (bytes: Uint8Array) => readonly number[]>> = {
    'in one chunk': () => [],
    'byte by byte': (bytes) => [...bytes.keys()],
    'cut behind the handshake': () => [68],
    'cut behind the extended handshake': () => [68 + announced.length],
    'cut in the last message': (bytes) => [bytes.length - 1],
  }
  for (const [how, places] of Object.entries(splits)) {
    it(`stays up when a peer that a magnet names sends metadata far out, ${how}`, async () => {
      const hash = Buffer.from(how.padEnd(20).slice(-20)).toString('hex') as InfoHash
      await using peer = await hostileServer(() => {
        const bytes = Buffer.concat([handshake(hash), announced, beyond])
        return cut(bytes, places(bytes))
      })
      const magnet = `magnet:?xt=urn:btih:${hash}&x.pe=127.0.0.1:${peer.port}`
      const { client } = await connectNode(join(directory, 'client'))
      await client.add({ magnet })
      await eventually(() => peer.closed > 0)
      await stillSeeds()
      const served = await RawPeer.dial(torrentPort, infoHash)
      served.send(message(2), message(6, 0, 0, 16_384))
      await eventually(() => served.messages.some(([id]) => id === 1))
      served.send(message(6, 0, 0, 16_384))
      await eventually(() => served.messages.some(([id]) => id === 7))
      served.end()
      await client.remove(hash, { deleteFiles: false })
    })
  }
})
