import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { bitfieldOf } from '../../../src/torrent/piece-ranges.ts'
import { download, type EngineName, eventually, Lab } from '../engine-fixture.ts'
import { handshake, message } from '../raw-peer.ts'

const UNCHOKED = Buffer.from([0, 0, 0, 1, 1])
const HAVE = 4
const BITFIELD = 5
const REQUEST = 6
const PIECE = 7

// What is read of a peer that we dialled comes in memory that is the next read's as well.

export function dialledPeersContract(engine: EngineName): void {
  describe('a peer that was dialled', function () {
    this.timeout(30_000)
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    it('has the pieces that it said it has, whatever it says after, and what it says after is as it said it', async () => {
      const { engine: seeder, metainfo } = await lab.seeder('seeder', { 'a.bin': 1_000_000 })
      const { infoHash, pieceCount } = metainfo
      const server = createServer()
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      lab.defer(async () => server.close())
      const connected = once(server, 'connection') as Promise<[Socket]>
      seeder.connect(infoHash, '127.0.0.1', (server.address() as { port: number }).port)
      const [socket] = await connected
      lab.defer(async () => socket.destroy())
      socket.on('error', () => {})
      let heard = Buffer.alloc(0)
      socket.on('data', (bytes) => {
        heard = Buffer.concat([heard, bytes])
      })
      const pieces = () => Math.round((seeder.status(infoHash)?.peers[0]?.completion ?? 0) * pieceCount)
      const hello = handshake(infoHash, { extended: false })
      socket.write(Buffer.concat([hello, message(BITFIELD, bitfieldOf([{ first: 0, count: 10 }], pieceCount)), message(2)]))
      await eventually(() => pieces() === 10 && heard.includes(UNCHOKED), 20_000)
      // Over the bytes of the bitfield, and far behind it.
      const haves = Array.from({ length: pieceCount - 20 }, (_, at) => message(HAVE, 10 + at))
      const requests = Array.from({ length: 10 }, (_, at) => message(REQUEST, pieceCount - 11 + at, 0, 16_384))
      socket.write(Buffer.concat([...haves, ...requests]))
      await eventually(() => heard.length > 10 * 16_384)
      assert.equal(pieces(), pieceCount - 10)
      assert.equal(seeder.rejectedMessages, 0)
    })

    it('is asked for what it has, and its blocks come as it sent them', async () => {
      const { metainfo, files } = await lab.seeder('seeder', { 'a.bin': 1_000_000 })
      const { infoHash, pieceCount } = metainfo
      const bytes = Buffer.from(files.get('a.bin') ?? [])
      const leecher = await lab.node('leecher')
      const server = createServer((socket) => {
        lab.defer(async () => socket.destroy())
        socket.on('error', () => {})
        let said = Buffer.alloc(0)
        let at = 68
        socket.on('data', (chunk) => {
          said = Buffer.concat([said, chunk])
          for (; at + 4 <= said.length && at + 4 + said.readUInt32BE(at) <= said.length; at += 4 + said.readUInt32BE(at)) {
            if (said[at + 4] !== REQUEST) continue
            const [index, offset, length] = [5, 9, 13].map((from) => said.readUInt32BE(at + from)) as [number, number, number]
            const from = index * metainfo.pieceLengthBytes + offset
            // It finds another piece at each block that it gives, as one that downloads itself does.
            if (next < pieceCount) socket.write(message(HAVE, next++))
            socket.write(message(PIECE, index, offset, bytes.subarray(from, from + length)))
          }
        })
        let next = 8
        const first = bitfieldOf([{ first: 0, count: next }], pieceCount)
        socket.write(Buffer.concat([handshake(infoHash, { extended: false }), message(BITFIELD, first), message(1)]))
      })
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      lab.defer(async () => server.close())
      await download(leecher, metainfo, [])
      leecher.engine.connect(infoHash, '127.0.0.1', (server.address() as { port: number }).port)
      await leecher.until(({ completed }) => completed.length === 1)
      assert.deepEqual(
        leecher.recorded.judged.flatMap(({ bad }) => bad),
        [],
      )
      assert.equal(leecher.engine.rejectedMessages, 0)
    })
  })
}
