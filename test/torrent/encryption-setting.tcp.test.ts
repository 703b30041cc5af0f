import assert from 'node:assert/strict'
import { ENCRYPTIONS, type Encryption } from '../../src/torrent/engine.ts'
import { connectionPair } from './contract/made-connections.ts'
import { dialled, listening } from './encrypted-peer.ts'
import { dial, dialUntil, digestOf, download, eventually, Lab, sha256 } from './engine-fixture.ts'
import { handshake, message, RawPeer } from './raw-peer.ts'

// Whom an engine that allows, requires or refuses encryption talks to, dialling and dialled.

describe('our own engine and its encryption setting', function () {
  this.timeout(30_000)
  let lab: Lab
  beforeEach(() => {
    lab = new Lab('p2pt')
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  const seeder = (encryption: Encryption) => lab.seeder('seeder', { 'a.bin': 100_000 }, { encryption })

  it('hangs up on a plain connection where it requires encryption, and holds nothing against it', async () => {
    const { engine, metainfo } = await seeder('require')
    const peer = await RawPeer.open(engine.port)
    peer.socket.write(handshake(metainfo.infoHash))
    await peer.closed
    assert.equal(peer.bytesReceived, 0)
    assert.equal(engine.rejectedMessages, 0)
  })

  for (const offer of ['rc4', 'both'] as const)
    it(`goes on in RC4 with one that offers ${offer} where it requires encryption`, async () => {
      const { engine, metainfo, files } = await seeder('require')
      const peer = await dialled(metainfo.infoHash, engine.port, offer)
      assert.equal(peer.done.method, 'rc4')
      peer.send(message(2))
      await eventually(() => peer.bytes().includes(Buffer.from([0, 0, 0, 1, 1])))
      peer.send(message(6, 0, 0, 16_384))
      const wanted = Buffer.from(files.get('a.bin') ?? []).subarray(0, 16_384)
      await eventually(() => peer.bytes().includes(wanted))
      peer.socket.destroy()
    })

  it('takes no stream in the clear behind an encrypted handshake where it requires encryption', async () => {
    const { engine, metainfo } = await seeder('require')
    await assert.rejects(dialled(metainfo.infoHash, engine.port, 'plaintext'), /closed/)
  })

  it('hangs up on an encrypted connection where it refuses them, and holds nothing against it', async () => {
    const { engine, metainfo } = await seeder('refuse')
    await assert.rejects(dialled(metainfo.infoHash, engine.port, 'both'), /closed/)
    assert.equal(engine.rejectedMessages, 0)
    const peer = await RawPeer.dial(engine.port, metainfo.infoHash)
    assert.ok(peer.bytesReceived >= 68)
    peer.end()
  })

  it('dials with encryption from the first time where it requires that, and offers nothing in the clear', async () => {
    const { metainfo } = await seeder('allow')
    const leecher = await lab.node('leecher', { encryption: 'require' })
    const { port, openings, agreed } = await listening(lab, metainfo.infoHash, 'both', 'encrypted')
    await download(leecher, metainfo, [])
    leecher.engine.connect(metainfo.infoHash, '127.0.0.1', port)
    await eventually(() => agreed.length === 1)
    assert.deepEqual(openings, ['encrypted'])
    assert.equal(agreed[0]?.method, 'rc4')
  })

  for (const [encryption, wants] of [
    ['require', 'plain'],
    ['refuse', 'encrypted'],
  ] as const)
    it(`dials as before one that hung up on it where it is told to ${encryption}`, async () => {
      const { metainfo } = await seeder('allow')
      const leecher = await lab.node('leecher', { encryption })
      const { port, openings } = await listening(lab, metainfo.infoHash, 'both', wants)
      await download(leecher, metainfo, [])
      await eventually(() => {
        leecher.engine.connect(metainfo.infoHash, '127.0.0.1', port)
        return openings.length >= 3
      })
      assert.ok(openings.every((opening) => opening === (encryption === 'require' ? 'encrypted' : 'plain')))
    })

  for (const ours of ENCRYPTIONS)
    for (const theirs of ENCRYPTIONS) {
      if (ours !== theirs && ours !== 'allow' && theirs !== 'allow') continue
      it(`downloads from one that is told to ${theirs} where it is told to ${ours}`, async () => {
        const other = await seeder(theirs)
        const leecher = await lab.node('leecher', { encryption: ours })
        const { metainfo, files } = other
        await download(leecher, metainfo, [])
        await dialUntil(leecher, metainfo.infoHash, other, () => leecher.recorded.completed.length === 1)
        assert.equal(await digestOf(`${leecher.directory}/a.bin`), sha256(files.get('a.bin') ?? new Uint8Array()))
        assert.ok(leecher.recorded.judged.every(({ subject }) => subject === other.id))
      })
    }

  it('takes connections made elsewhere as they are, which are encrypted by who made them', async () => {
    const other = await seeder('require')
    const leecher = await lab.node('leecher', { encryption: 'require' })
    const { infoHash, torrentFile } = other.metainfo
    await leecher.engine.add({ kind: 'torrent-file', bytes: torrentFile }, { directory: leecher.directory })
    await dial(leecher, infoHash, [])
    const [ours, theirs] = connectionPair()
    other.engine.adopt(theirs)
    leecher.engine.adopt(ours, infoHash)
    await leecher.until((said) => said.completed.length === 1)
  })
})
