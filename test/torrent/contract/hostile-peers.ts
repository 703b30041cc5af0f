import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import type { InfoHash } from '../../../src/events/index.ts'
import { fromHex } from '../../../src/events/index.ts'
import type { Node } from '../engine-fixture.ts'
import { dial, download, type EngineName, eventually, Lab } from '../engine-fixture.ts'
import { extended, handshake, message, RawPeer, uint32 } from '../raw-peer.ts'

export function hostilePeersContract(engine: EngineName): void {
  describe('an engine among hostile peers', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    /** An engine that holds nothing yet, and the seeder it can still download from. */
    async function target() {
      const seeder = await lab.seeder('seeder', { 'a.bin': 1_000_000 })
      const node = await lab.node('target')
      await download(node, seeder.metainfo, [])
      await dial(node, seeder.metainfo.infoHash, [])
      return { seeder, node, infoHash: seeder.metainfo.infoHash, pieceCount: seeder.metainfo.pieceCount }
    }

    async function stillDownloads(node: Node, infoHash: InfoHash, from: Node): Promise<void> {
      await dial(node, infoHash, [from])
      await node.until((said) => said.completed.length === 1)
    }

    const attacks: Readonly<Record<string, (pieceCount: number) => readonly Uint8Array[]>> = {
      'have of piece 1,000,000,000 and then a bitfield': () => [message(4, 1_000_000_000), message(5, new Uint8Array(8))],
      'allowed fast of piece 0xffffffff': () => [message(17, 0xffffffff)],
      'a metadata request before the extended handshake': () => [extended(1, 'd8:msg_typei0e5:piecei0ee')],
      'suggest of piece 0xffffffff': () => [message(13, 0xffffffff)],
      'a message of 4 GB': () => [uint32(0xffffffff), new Uint8Array(1000)],
      'a bitfield that is a byte too long': (pieces) => [message(5, new Uint8Array(Math.ceil(pieces / 8) + 1))],
      'have none after a bitfield': (pieces) => [message(5, new Uint8Array(Math.ceil(pieces / 8))), message(15)],
      'a bitfield with a spare bit': (pieces) => [message(5, new Uint8Array(Math.ceil(pieces / 8)).fill(1))],
      'a second bitfield that is a byte too short': (pieces) => [
        message(5, new Uint8Array(Math.ceil(pieces / 8))),
        message(5, new Uint8Array(Math.ceil(pieces / 8) - 1)),
      ],
      'a message one byte too long': () => [uint32(256 * 1024 + 1)],
      'lt_donthave of no piece': () => [extended(0, 'd1:md11:lt_donthavei3eee'), extended(2, new Uint8Array(3))],
      'an extended handshake with a negative string length': () => [extended(0, 'l-3:e')],
      'an extended handshake nested 10,000 deep': () => [extended(0, `${'l'.repeat(10_000)}${'e'.repeat(10_000)}`)],
      'a metadata message with a negative string length': () => [
        extended(0, 'd1:md11:ut_metadatai1eee'),
        extended(1, 'd5:piecel-3:ee'),
      ],
      'a metadata piece far out': () => [
        extended(0, 'd1:md11:ut_metadatai1eee'),
        extended(1, 'd8:msg_typei1e5:piecei99999999eexx'),
      ],
      'a request of 1 GB': () => [message(6, 0, 0, 1_000_000_000)],
      'a request beyond the last piece': () => [message(6, 0xfffffff0, 0, 16_384)],
      'an identity that is not its own': () => [
        extended(0, 'd1:md7:p2pt_idi3eee'),
        extended(3, new Uint8Array(96)),
        extended(2, new Uint8Array(96)),
        extended(1, new Uint8Array(96)),
        extended(4, new Uint8Array(96)),
      ],
      'a piece without a block': () => [message(7, 0)],
      'have without an index': () => [message(4)],
    }

    for (const [name, messages] of Object.entries(attacks)) {
      it(`stays up and downloads after ${name}; only that connection is lost`, async () => {
        const { seeder, node, infoHash, pieceCount } = await target()
        const peer = await RawPeer.dial(node.engine.port, infoHash)
        peer.send(...messages(pieceCount))
        await peer.closed
        assert.ok(node.engine.rejectedMessages > 0)
        await stillDownloads(node, infoHash, seeder)
      })
    }

    it('runs no message that comes in one segment with the handshake past the guard', async () => {
      const { seeder, node, infoHash } = await target()
      const peer = await RawPeer.open(node.engine.port)
      peer.send(handshake(infoHash), message(4, 1_000_000_000), message(5, new Uint8Array(8)))
      await peer.closed
      assert.equal(node.engine.rejectedMessages, 1)
      await stillDownloads(node, infoHash, seeder)
    })

    it('survives the same from a peer that it dialled itself', async () => {
      const { seeder, node, infoHash } = await target()
      let closed = 0
      const server = createServer((socket) => {
        socket.on('error', () => {})
        socket.once('close', () => closed++)
        socket.resume()
        socket.write(Buffer.concat([handshake(infoHash), message(4, 1_000_000_000), message(17, 0xffffffff)]))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      lab.defer(() => new Promise((resolve) => server.close(resolve)))
      const address = server.address()
      assert.ok(address !== null && typeof address === 'object')
      node.engine.connect(infoHash, '127.0.0.1', address.port)
      await eventually(() => closed > 0)
      assert.ok(node.engine.rejectedMessages > 0)
      await stillDownloads(node, infoHash, seeder)
    })

    it('answers a peer that asks without reading only so far', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 1_000_000 })
      const peer = await RawPeer.dial(seeder.engine.port, seeder.metainfo.infoHash)
      peer.socket.pause()
      peer.send(message(2))
      const before = process.memoryUsage().rss
      const batch = Buffer.concat(Array.from({ length: 400 }, () => message(6, 0, 0, 16_384)))
      for (let round = 0; round < 100 && !peer.socket.destroyed; round++) {
        peer.send(batch)
        await new Promise((resolve) => setImmediate(resolve))
      }
      // 40,000 requests are 655 MB of answers.
      await eventually(() => (seeder.engine.status(seeder.metainfo.infoHash)?.uploadedBytes ?? 0) > 0 || peer.socket.destroyed)
      assert.ok(process.memoryUsage().rss - before < 200_000_000)
      peer.end()
    })

    it('takes a message that comes byte by byte', async () => {
      const { node, infoHash, pieceCount } = await target()
      const peer = await RawPeer.dial(node.engine.port, infoHash)
      const bytes = Buffer.concat([message(5, new Uint8Array(Math.ceil(pieceCount / 8)).fill(0)), message(4, 0)])
      for (const byte of bytes) {
        peer.socket.write(Buffer.from([byte]))
        await new Promise((resolve) => setImmediate(resolve))
      }
      await eventually(() => node.engine.status(infoHash)?.peers.some((each) => each.completion === 1 / pieceCount) === true)
      peer.end()
    })

    it('drops datagrams that would end or hold a DHT node', async () => {
      const { seeder, node, infoHash } = await target()
      const { port } = node.engine.dht
      const socket = createSocket('udp4')
      lab.defer(() => new Promise<void>((resolve) => socket.close(resolve)))
      const datagrams = [
        'd1:ad2:id20:aaaaaaaaaaaaaaaaaaaa9:info_hashi1ee1:q9:get_peers1:t2:aa1:y1:qe',
        'd1:ad2:id20:aaaaaaaaaaaaaaaaaaaa6:targeti1ee1:q9:find_node1:t2:aa1:y1:qe',
        'l-3:e',
        'd1:y-3:e',
        '',
        'garbage',
      ]
      for (const datagram of datagrams) socket.send(Buffer.from(datagram), port, '127.0.0.1')
      await eventually(() => node.engine.rejectedMessages >= 5)
      await stillDownloads(node, infoHash, seeder)
    })

    it('survives messages mangled at random', async function () {
      this.timeout(20_000)
      const { seeder, node, infoHash, pieceCount } = await target()
      const seed = 20_261_123
      const random = mulberry32(seed)
      const pick = (below: number) => Math.floor(random() * below)
      for (let connection = 0; connection < 60; connection++) {
        const peer = await RawPeer.dial(node.engine.port, infoHash, { extended: random() < 0.8, fast: random() < 0.8 })
        const ids = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 20, 20, 20, pick(256)]
        for (let count = 0; count < 10; count++) {
          const id = ids[pick(ids.length)] ?? 0
          const payload = new Uint8Array(pick(4) === 0 ? Math.ceil(pieceCount / 8) : pick(24)).map(() =>
            random() < 0.5 ? 0 : pick(256),
          )
          const bytes = id === 20 && random() < 0.7 ? extended(pick(5), mangledBencode(random)) : message(id, payload)
          peer.send(bytes)
        }
        // Either side may end it; the engine has read everything once it answers another connection.
        peer.socket.end()
        await peer.closed
      }
      await stillDownloads(node, infoHash, seeder).catch((error: Error) => assert.fail(`seed ${seed}: ${error.message}`))
    })

    it('scores a plain BitTorrent peer by its address', async () => {
      const { node, infoHash, seeder } = await target()
      const pieces = new Uint8Array(Math.ceil(seeder.metainfo.pieceCount / 8)).fill(0xff)
      // A peer without any extension that has everything and sends zeros.
      const peer = await RawPeer.dial(node.engine.port, infoHash, { extended: false, fast: false })
      const tail = seeder.metainfo.pieceCount % 8
      if (tail !== 0) pieces[pieces.length - 1] = (0xff00 >> tail) & 0xff
      let answered = 0
      peer.socket.on('data', () => {
        for (const request of peer.messages.filter((each) => each[0] === 6).slice(answered)) {
          answered++
          const length = Buffer.from(request).readUInt32BE(9)
          peer.send(message(7, request.subarray(1, 5), request.subarray(5, 9), new Uint8Array(length)))
        }
      })
      peer.send(message(5, pieces), message(1))
      await node.until((said) => said.judged.some((each) => each.bad.length > 0))
      const verdict = node.recorded.judged.find((each) => each.bad.length > 0)
      assert.equal(verdict?.subject, 'ip:127.0.0.1')
      assert.equal(verdict?.bad[0]?.evidence, 'sole-source')
      assert.ok(node.recorded.peers.some((each) => each.change === 'joined' && each.peer === 'ip:127.0.0.1'))

      node.engine.ban('ip:127.0.0.1' as never)
      await peer.closed
      const again = await RawPeer.dial(node.engine.port, infoHash, { extended: false, fast: false })
      await again.closed
      assert.deepEqual(
        again.messages.filter((each) => each[0] === 6),
        [],
      )
      // A neighbour at the same address that proves a key is served and asked as before.
      await stillDownloads(node, infoHash, seeder)
    })

    it('closes a connection for another torrent, for none, and for one that is paused', async () => {
      const { node, infoHash } = await target()
      const other = await RawPeer.dial(node.engine.port, '11'.repeat(20) as InfoHash)
      await other.closed
      await node.engine.pause(infoHash)
      const late = await RawPeer.dial(node.engine.port, infoHash)
      await late.closed
      assert.equal(late.bytesReceived, 0)
    })

    it('keeps its own peer id to itself: a peer that copies it is turned away', async () => {
      const { node, infoHash } = await target()
      const first = await RawPeer.dial(node.engine.port, infoHash)
      const peerId = Buffer.concat(first.received).subarray(48, 68)
      assert.equal(fromHex(infoHash).length, 20)
      const copy = await RawPeer.dial(node.engine.port, infoHash, { peerId })
      await copy.closed
      assert.equal(first.socket.destroyed, false)
      first.end()
    })
  })
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Something a real client would send, with a few bytes changed. */
function mangledBencode(random: () => number): Uint8Array {
  const honest = [
    'd1:md11:lt_donthavei3e11:ut_metadatai1e7:p2pt_idi2ee13:metadata_sizei4000e4:reqqi250e1:v4:teste',
    'd8:msg_typei0e5:piecei0ee',
    'd8:msg_typei1e5:piecei0e10:total_sizei34256eexxxxxxxx',
    'd8:msg_typei2e5:piecei0ee',
  ]
  const bytes = Buffer.from(honest[Math.floor(random() * honest.length)] ?? '')
  for (let changes = Math.floor(random() * 4); changes > 0; changes--) {
    bytes[Math.floor(random() * bytes.length)] = 'dlie0123456789-:'.charCodeAt(Math.floor(random() * 16))
  }
  return bytes
}
