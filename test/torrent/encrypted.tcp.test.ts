import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { InfoHash } from '../../src/events/index.ts'
import { dialled, listening } from './encrypted-peer.ts'
import { download, eventually, Lab } from './engine-fixture.ts'
import { message } from './raw-peer.ts'

// Peers that encrypt, as most do where a provider looks on: both ways, with both of the methods that a stream may go on with.

const PIECE = 7

describe('our own engine and peers that encrypt', function () {
  this.timeout(30_000)
  let lab: Lab
  beforeEach(() => {
    lab = new Lab('p2pt')
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  for (const offer of ['plaintext', 'rc4', 'both'] as const) {
    it(`serves one that dials and offers ${offer}`, async () => {
      const { engine, metainfo, files } = await lab.seeder('seeder', { 'a.bin': 100_000 })
      const peer = await dialled(metainfo.infoHash, engine.port, offer)
      assert.equal(peer.done.method, offer === 'rc4' ? 'rc4' : 'plaintext')
      await eventually(() => peer.bytes().length >= 68)
      assert.deepEqual(peer.bytes().subarray(28, 48), Buffer.from(metainfo.infoHash, 'hex'))
      peer.send(message(2))
      await eventually(() => peer.bytes().includes(Buffer.from([0, 0, 0, 1, 1])))
      peer.send(message(6, 0, 0, 16_384))
      const wanted = Buffer.from(files.get('a.bin') ?? []).subarray(0, 16_384)
      await eventually(() => peer.bytes().includes(Buffer.concat([Buffer.from([PIECE]), Buffer.alloc(8), wanted])))
      assert.equal(engine.rejectedMessages, 0)
      peer.socket.destroy()
    })
  }

  it('takes an opening that comes in pieces', async () => {
    const { engine, metainfo } = await lab.seeder('seeder', { 'a.bin': 1_000 })
    for (const cut of [1, 19, 20, 95]) {
      const peer = await dialled(metainfo.infoHash, engine.port, 'rc4', cut)
      await eventually(() => peer.bytes().length >= 68)
      peer.socket.destroy()
    }
  })

  it('hangs up on noise, and on a handshake for a torrent that it does not have', async () => {
    const { engine } = await lab.seeder('seeder', { 'a.bin': 1_000 })
    const socket = connect(engine.port, '127.0.0.1')
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(randomBytes(2_000))
    await closed
    await assert.rejects(dialled('ab'.repeat(20) as InfoHash, engine.port, 'both'), /closed/)
  })

  for (const accept of ['plaintext', 'rc4'] as const) {
    it(`dials again, encrypted, one that hangs up on what is not, and goes on with ${accept}`, async () => {
      const { metainfo } = await lab.seeder('seeder', { 'a.bin': 1_000 })
      const leecher = await lab.node('leecher')
      const { port, heard, openings } = await listening(lab, metainfo.infoHash, accept, 'encrypted')
      await download(leecher, metainfo, [])
      leecher.engine.connect(metainfo.infoHash, '127.0.0.1', port)
      await eventually(() => Buffer.concat(heard).length >= 68)
      assert.deepEqual(openings, ['plain', 'encrypted'])
      assert.equal(Buffer.concat(heard).subarray(1, 20).toString(), 'BitTorrent protocol')
    })
  }
})
