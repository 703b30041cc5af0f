import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import { fromHex, type InfoHash } from '../../src/events/index.ts'
import { systemDhKeys } from '../../src/torrent/encryption/dh.system.ts'
import {
  hashOfSkey,
  MseInitiator,
  type MseMethods,
  MseResponder,
  type MseStep,
  sniff,
} from '../../src/torrent/encryption/index.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { download, eventually, Lab } from './engine-fixture.ts'
import { handshake, message } from './raw-peer.ts'

// Peers that encrypt, as most do where a provider looks on: both ways, with both of the methods that a stream may go on with.

const keys = systemDhKeys()
const PIECE = 7

type Done = Extract<MseStep, { state: 'done' }>

/** Feeds one side from a socket until it is done; what comes after goes to `heard`, in the clear. */
function follow(socket: Socket, side: MseInitiator | MseResponder, heard: Buffer[]): Promise<Done> {
  return new Promise((resolve, reject) => {
    let done: Done | undefined
    socket.on('data', (bytes: Buffer) => {
      if (done !== undefined) {
        heard.push(done.decrypt === undefined ? bytes : Buffer.from(done.decrypt.apply(bytes)))
        return
      }
      const step = side.receive(bytes)
      if (step.send !== undefined) socket.write(step.send)
      if (step.state === 'failed') reject(new Error(step.reason))
      if (step.state !== 'done') return
      done = step
      heard.push(Buffer.from(step.incoming))
      resolve(step)
    })
    socket.once('close', () => reject(new Error('closed')))
  })
}

describe('our own engine and peers that encrypt', function () {
  this.timeout(30_000)
  let lab: Lab
  beforeEach(() => {
    lab = new Lab('p2pt')
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  async function dialled(infoHash: InfoHash, port: number, offer: MseMethods, cut = 0) {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    const heard: Buffer[] = []
    const mse = new MseInitiator({
      ...{ infoHash: fromHex(infoHash), offer, initialPayload: handshake(infoHash, { extended: false }) },
      ...{ keys, randomBytes, sha1 },
    })
    const following = follow(socket, mse, heard)
    const hello = Buffer.from(mse.start())
    if (cut > 0) {
      socket.write(hello.subarray(0, cut))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    socket.write(hello.subarray(cut))
    const done = await following
    const send = (bytes: Uint8Array) =>
      socket.write(done.encrypt === undefined ? bytes : done.encrypt.apply(Uint8Array.from(bytes)))
    return { socket, send, done, bytes: () => Buffer.concat(heard) }
  }

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
      const infoHash = fromHex(metainfo.infoHash)
      const leecher = await lab.node('leecher')
      let plain = 0
      const heard: Buffer[] = []
      const server = createServer((socket) => {
        socket.on('error', () => {})
        socket.once('data', (first: Buffer) => {
          if (sniff(first) === 'plain') {
            plain += 1
            socket.destroy()
            return
          }
          const infoHashOf = (key: Uint8Array) => (Buffer.from(hashOfSkey(sha1, infoHash)).equals(key) ? infoHash : undefined)
          const following = follow(socket, new MseResponder({ infoHashOf, accept, keys, randomBytes, sha1 }), heard)
          socket.emit('data', first)
          following.catch(() => {})
        })
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      lab.defer(() => new Promise((resolve) => server.close(resolve)))
      const { port } = server.address() as { port: number }
      await download(leecher, metainfo, [])
      leecher.engine.connect(metainfo.infoHash, '127.0.0.1', port)
      await eventually(() => Buffer.concat(heard).length >= 68)
      assert.equal(plain, 1)
      assert.equal(Buffer.concat(heard).subarray(1, 20).toString(), 'BitTorrent protocol')
    })
  }
})
