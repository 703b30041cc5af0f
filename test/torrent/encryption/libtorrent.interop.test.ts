import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type {
  MseInitiator,
  MseInitiatorOptions,
  MseMethod,
  MseMethods,
  MseResponder,
} from '../../../src/torrent/encryption/index.ts'
import { pythonWithLibtorrent } from '../python-libtorrent.ts'
import { assertDone, type Done, INFO_HASH, initiatorOf, keys, responderOf } from './mse-pair.ts'

// With libtorrent itself, where it is installed: both its policies forced, so that it takes and makes no other connection.

const PYTHON = pythonWithLibtorrent()
const WHY = PYTHON === undefined ? ' (skipped: this machine has no python3-libtorrent)' : ''

const HANDSHAKE_BYTES = 68
const EXTENDED = 20
const PEER_ID = Buffer.from('-PT0001-123456789012')
const OUR_HANDSHAKE = Buffer.concat([
  Buffer.from('\x13BitTorrent protocol', 'latin1'),
  Buffer.from('0000000000100000', 'hex'),
  INFO_HASH,
  PEER_ID,
])

describe(`the encrypted handshake with libtorrent${WHY}`, function () {
  this.timeout(60_000)
  const cleanups: (() => unknown)[] = []
  before(function () {
    if (PYTHON === undefined) this.skip()
  })
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  async function libtorrent(level: MseMethods, dials?: number): Promise<Peer> {
    assert.ok(PYTHON)
    const words = [join(import.meta.dirname, 'libtorrent-peer.py'), Buffer.from(INFO_HASH).toString('hex'), level]
    const child = spawn(PYTHON, dials === undefined ? words : [...words, String(dials)], { stdio: ['pipe', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    cleanups.push(() => {
      child.kill('SIGKILL')
      return closed
    })
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const line = async () => String((await lines.next()).value)
    return { port: Number(await line()), reason: line }
  }

  /**
   * Dials it and shakes hands, with other keys where libtorrent 2.0.8 fails at the secret: it hashes one that starts with
   * a zero byte wrongly. One in 256 does.
   */
  async function reach(peer: Peer, options: Partial<MseInitiatorOptions>): Promise<Stream> {
    for (;;) {
      let secret: Uint8Array | undefined
      const make = () => {
        const { publicKey, secretWith } = keys.make()
        const remembered = (theirs: Uint8Array) => {
          secret = secretWith(theirs)
          return secret
        }
        return { publicKey, secretWith: remembered }
      }
      const initiator = initiatorOf({ ...options, keys: { make } })
      const socket = dial(peer)
      socket.write(initiator.start())
      try {
        return await agree(socket, initiator)
      } catch (error) {
        if (secret?.[0] !== 0) throw error
      }
    }
  }

  /** A socket to it. */
  function dial({ port }: Peer): Socket {
    const socket = connect({ host: '127.0.0.1', port })
    cleanups.push(() => socket.destroy())
    return socket
  }

  /** A socket from it. */
  async function dialledBy(level: MseMethods): Promise<Socket> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    cleanups.push(() => server.close())
    const accepted = once(server, 'connection') as Promise<[Socket]>
    await libtorrent(level, (server.address() as AddressInfo).port)
    const [socket] = await accepted
    cleanups.push(() => socket.destroy())
    return socket
  }

  const agreements: [libtorrents: MseMethods, ours: MseMethods, agreed: MseMethod][] = [
    ['plaintext', 'plaintext', 'plaintext'],
    ['plaintext', 'both', 'plaintext'],
    ['rc4', 'rc4', 'rc4'],
    ['rc4', 'both', 'rc4'],
    ['both', 'plaintext', 'plaintext'],
    ['both', 'rc4', 'rc4'],
    ['both', 'both', 'plaintext'],
  ]
  for (const [libtorrents, ours, agreed] of agreements) {
    for (const [how, initialPayload] of [
      ['with the handshake', OUR_HANDSHAKE],
      ['behind it', new Uint8Array()],
    ] as const) {
      it(`dials one that allows ${libtorrents}, offers ${ours}, says BitTorrent ${how}: ${agreed}`, async () => {
        const stream = await reach(await libtorrent(libtorrents), { offer: ours, initialPayload })
        assert.equal(stream.done.method, agreed)
        if (initialPayload.length === 0) stream.send(OUR_HANDSHAKE)
        await assertBitTorrent(stream)
      })
    }

    it(`answers one that allows ${libtorrents}, accepts ${ours}: ${agreed}`, async () => {
      const stream = await agree(await dialledBy(libtorrents), responderOf({ accept: ours }))
      assert.equal(stream.done.method, agreed)
      // What came with the handshake: libtorrent's own, all of it, before we have said ours.
      await stream.read(HANDSHAKE_BYTES, { keep: true })
      stream.send(OUR_HANDSHAKE)
      await assertBitTorrent(stream)
    })
  }

  for (const [libtorrents, ours] of [
    ['plaintext', 'rc4'],
    ['rc4', 'plaintext'],
  ] as const) {
    it(`is hung up on by one that allows ${libtorrents} where we offer ${ours}`, async () => {
      const peer = await libtorrent(libtorrents)
      await assert.rejects(reach(peer, { offer: ours }), /hung up/)
      assert.equal(await peer.reason(), 'unsupported encryption mode')
    })

    it(`fails with one that offers ${libtorrents} where we accept ${ours}`, async () => {
      await assert.rejects(agree(await dialledBy(libtorrents), responderOf({ accept: ours })), /no method in common/)
    })
  }

  it('answers one with a secret that starts with a zero byte', async () => {
    // The responder knows the other key before it sends its own, so it can look for a pair.
    let pair = keys.make()
    const chosen = {
      get publicKey() {
        return pair.publicKey
      },
      secretWith(theirs: Uint8Array) {
        while (pair.secretWith(theirs)?.[0] !== 0) pair = keys.make()
        return pair.secretWith(theirs)
      },
    }
    const stream = await agree(await dialledBy('both'), responderOf({ accept: 'rc4', keys: { make: () => chosen } }))
    stream.send(OUR_HANDSHAKE)
    await assertBitTorrent(stream)
  })

  it('is hung up on where its torrent is another one', async () => {
    const peer = await libtorrent('both')
    await assert.rejects(reach(peer, { infoHash: randomBytes(20) }), /hung up/)
    // That it was the info hash.
    await reach(peer, { infoHash: INFO_HASH })
  })
})

type Peer = {
  port: number
  /** Why it gave up a connection, once it has. */
  reason(): Promise<string>
}

type Stream = {
  done: Done
  send(bytes: Uint8Array): void
  /** The next `count` bytes in the clear. */
  read(count: number, options?: { keep: boolean }): Promise<Buffer>
}

/** Shakes hands over the socket, and gives the stream behind. */
async function agree(socket: Socket, side: MseInitiator | MseResponder): Promise<Stream> {
  const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>
  const next = async (): Promise<Buffer> => {
    const { value, done } = await chunks.next().catch(() => ({ value: undefined, done: true }))
    if (done === true || value === undefined) throw new Error('libtorrent hung up')
    return value
  }
  for (;;) {
    const step = side.receive(await next())
    if (step.send !== undefined) socket.write(step.send)
    if (step.state === 'failed') throw new Error(step.reason)
    if (step.state === 'more') continue
    const done = assertDone(step)
    let held = Buffer.from(done.incoming)
    return {
      done,
      send(bytes) {
        const copy = Uint8Array.from(bytes)
        socket.write(done.encrypt?.apply(copy) ?? copy)
      },
      async read(count, { keep } = { keep: false }) {
        while (held.length < count) {
          const chunk = await next()
          done.decrypt?.apply(chunk)
          held = Buffer.concat([held, chunk])
        }
        const bytes = held.subarray(0, count)
        if (!keep) held = held.subarray(count)
        return bytes
      },
    }
  }
}

/** Its handshake, and the extended one: that it sends only to who has sent it a handshake it could read. */
async function assertBitTorrent(stream: Stream): Promise<void> {
  const handshake = await stream.read(HANDSHAKE_BYTES)
  assert.equal(handshake.toString('latin1', 0, 20), '\x13BitTorrent protocol')
  assert.deepEqual(handshake.subarray(28, 48), Buffer.from(INFO_HASH))
  const length = (await stream.read(4)).readUInt32BE()
  assert.ok(length > 2 && length < 10_000, `a message of ${length} bytes`)
  const message = await stream.read(length)
  assert.equal(message[0], EXTENDED)
  assert.match(message.toString('latin1', 2), /^d.*1:v\d+:libtorrent/s)
}
