import assert from 'node:assert/strict'
import { bitfieldOf } from '../../../src/torrent/piece-ranges.ts'
import { dial, download, type EngineName, eventually, Lab } from '../engine-fixture.ts'
import { extended, message, RawPeer } from '../raw-peer.ts'

// aria2 sends its bitfield again in place of many have messages.

const INTERESTED = 2
const NOT_INTERESTED = 3
const REQUEST = 6
const PIECE = 7
const CANCEL = 8

export function repeatedBitfieldContract(engine: EngineName): void {
  describe('a bitfield that comes again', function () {
    this.timeout(30_000)
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    const idsOf = (peer: RawPeer) => peer.messages.map(([id]) => id)
    const piecesAsked = (peer: RawPeer) =>
      peer.messages.filter(([id]) => id === REQUEST).map((each) => Buffer.from(each).readUInt32BE(1))

    async function leecher() {
      const { metainfo } = await lab.seeder('seeder', { 'a.bin': 1_000_000 })
      const node = await lab.node('leecher')
      await download(node, metainfo, [])
      await dial(node, metainfo.infoHash, [])
      const peer = await RawPeer.dial(node.engine.port, metainfo.infoHash)
      const has = (...pieces: readonly number[]) =>
        peer.send(
          message(
            5,
            bitfieldOf(
              pieces.map((first) => ({ first, count: 1 })),
              metainfo.pieceCount,
            ),
          ),
        )
      return { node, peer, has, infoHash: metainfo.infoHash }
    }

    it('costs a downloader nothing: it gets its block, as aria2 1.36 asks for it', async () => {
      const { engine, metainfo } = await lab.seeder('seeder', { 'a.bin': 1_000_000 })
      const peer = await RawPeer.dial(engine.port, metainfo.infoHash, { extended: false })
      const first = (count: number) => message(5, bitfieldOf([{ first: 0, count }], metainfo.pieceCount))
      peer.send(message(15), message(INTERESTED))
      await eventually(() => idsOf(peer).includes(1))
      peer.send(first(1))
      peer.send(first(2))
      peer.send(message(REQUEST, 0, 0, 16_384))
      await eventually(() => idsOf(peer).includes(PIECE))
      assert.equal(engine.status(metainfo.infoHash)?.peers[0]?.completion, 2 / metainfo.pieceCount)
      peer.end()
    })

    it('adds pieces and takes them away: interest follows, and only what is there is asked for', async () => {
      const { node, peer, has, infoHash } = await leecher()
      const completion = () =>
        (node.engine.status(infoHash)?.peers[0]?.completion ?? 0) * (node.engine.status(infoHash)?.pieceCount ?? 0)
      has()
      has(0, 1, 2)
      await eventually(() => idsOf(peer).at(-1) === INTERESTED)
      assert.equal(Math.round(completion()), 3)
      has()
      await eventually(() => idsOf(peer).at(-1) === NOT_INTERESTED)
      assert.equal(completion(), 0)
      has(5)
      await eventually(() => idsOf(peer).at(-1) === INTERESTED)
      peer.send(message(1))
      await eventually(() => piecesAsked(peer).length > 0)
      assert.ok(piecesAsked(peer).every((index) => index === 5))
      peer.end()
    })

    it('takes back what was asked for of a piece that is gone', async () => {
      const { peer, has } = await leecher()
      has(3)
      peer.send(message(1))
      await eventually(() => piecesAsked(peer).length > 0)
      has(4)
      await eventually(() => piecesAsked(peer).includes(4))
      const messages = peer.messages.map((each) => Buffer.from(each))
      const asked = messages.filter(([id]) => id === REQUEST).map((each) => each.subarray(1).toString('hex'))
      const cancelled = messages.filter(([id]) => id === CANCEL).map((each) => each.subarray(1).toString('hex'))
      assert.deepEqual(cancelled.sort(), asked.filter((each) => each.startsWith('00000003')).sort())
      peer.end()
    })

    it('is believed of a peer that has everything and loses it: it is served again', async () => {
      const { engine, metainfo } = await lab.seeder('seeder', { 'a.bin': 1_000_000 })
      const peer = await RawPeer.dial(engine.port, metainfo.infoHash, { extended: false })
      peer.send(message(15), message(INTERESTED))
      await eventually(() => idsOf(peer).includes(1))
      const everything = bitfieldOf([{ first: 0, count: metainfo.pieceCount }], metainfo.pieceCount)
      // A seeder is choked.
      peer.send(message(5, everything))
      await eventually(() => idsOf(peer).includes(0))
      peer.send(message(5, new Uint8Array(everything.length)))
      // Slots are handed out every 10 s at the latest.
      const unchokes = () => idsOf(peer).filter((id) => id === 1).length
      await eventually(() => unchokes() === 2, 15_000)
      peer.end()
    })

    it('after "have all" may lose a single piece too', async () => {
      const { node, peer, infoHash } = await leecher()
      peer.send(message(14), extended(0, 'd1:md11:lt_donthavei3eee'))
      await eventually(() => idsOf(peer).includes(INTERESTED))
      const { pieceCount } = node.engine.status(infoHash) ?? { pieceCount: 0 }
      const id = donthaveId(peer)
      peer.send(...Array.from({ length: pieceCount }, (_, index) => extended(id, message(0, index).subarray(5))))
      await eventually(() => idsOf(peer).at(-1) === NOT_INTERESTED)
      assert.equal(node.engine.status(infoHash)?.peers[0]?.completion, 0)
      peer.end()
    })
  })
}

/** Under which id the other side takes `lt_donthave`, from its extended handshake. */
function donthaveId(peer: RawPeer): number {
  const handshake = peer.messages.find((each) => each[0] === 20 && each[1] === 0)
  const id = /11:lt_donthavei(\d+)e/.exec(Buffer.from(handshake ?? []).toString('latin1'))?.[1]
  assert.ok(id !== undefined)
  return Number(id)
}
