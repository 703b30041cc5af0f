import assert from 'node:assert/strict'
import { encode } from '../../../src/torrent/bencode.ts'
import { flipped } from '../../../src/torrent/corruption.ts'
import { rangesOf } from '../../../src/torrent/piece-ranges.ts'
import { encodeHandshake } from '../../../src/torrent/wire/handshake.ts'
import { encodeBare, encodeBlockMessages, encodeExtended, MESSAGE, putPieceHeader } from '../../../src/torrent/wire/messages.ts'
import { MemoryLink, madeUp, PIECE_BYTES, SwarmLab } from './swarm-lab.ts'

const BLOCKS_A_PIECE = PIECE_BYTES / 16_384

/** Requests among what was sent, in order: piece and offset. */
const asked = (link: MemoryLink): string[] =>
  link.sent.flatMap((bytes) => {
    const buffer = Buffer.from(bytes)
    const found: string[] = []
    for (let at = 0; at + 17 <= buffer.length && buffer.readUInt32BE(at) === 13 && buffer[at + 4] === MESSAGE.request; at += 17)
      found.push(`${buffer.readUInt32BE(at + 5)}:${buffer.readUInt32BE(at + 9)}`)
    return found
  })

/** A peer written by hand: it has everything, and sends what it is told to. */
function rawSeeder(lab: SwarmLab, swarm: Parameters<MemoryLink['attach']>[0]) {
  const [raw, theirs] = [new MemoryLink(lab.time, 9, true), new MemoryLink(lab.time, 9, false)]
  raw.other = theirs
  theirs.other = raw
  theirs.attach(swarm)
  raw.send(encodeHandshake(Buffer.from(swarm.infoHash, 'hex'), Buffer.alloc(20, 'raw')))
  raw.send(encodeBare(MESSAGE.haveAll))
  raw.send(encodeBare(MESSAGE.unchoke))
  return { raw, theirs }
}

describe('a swarm of our own', () => {
  let lab: SwarmLab
  beforeEach(() => {
    lab = new SwarmLab()
  })

  it('is not held up by a liar that sends nothing any more and says that it is there', async () => {
    const { metainfo, bytes } = madeUp(6, 1_000)
    const [seeder, leecher] = [lab.peer('seeder', metainfo, { has: bytes }), lab.peer('leecher', metainfo)]
    await lab.until('both are ready', () => seeder.swarm.status.isReady && leecher.swarm.status.isReady)
    const silent = Array.from({ length: 5 }, () => rawSeeder(lab, leecher.swarm).raw)
    // One sends a piece that is wrong before it falls silent.
    const [liar] = silent as [MemoryLink]
    await lab.until('it was asked', () => liar.other?.sent.some((sent) => sent[4] === MESSAGE.request) === true)
    const [first] = asked(liar.other as MemoryLink)
    const index = Number(first?.split(':')[0])
    for (let at = 0; at < BLOCKS_A_PIECE; at++) {
      const block = new Uint8Array(13 + 16_384)
      putPieceHeader(block, 0, { index, offset: at * 16_384, length: 16_384 })
      liar.send(block)
    }
    lab.join(leecher, seeder)
    for (let second = 0; second < 60 && leecher.completed === 0; second++) {
      // Each second a word, so that none of them is taken for dead.
      for (const link of silent) link.send(new Uint8Array(4))
      await lab.time.advance(1_000)
    }
    assert.equal(leecher.completed, 1)
    assert.equal(Buffer.compare(leecher.bytes, bytes), 0)
    await Promise.all([seeder.swarm.close(), leecher.swarm.close()])
  })

  it('moves a torrent from a seeder to a leecher, and judges the seeder by its key', async () => {
    const { metainfo, bytes } = madeUp(20, 1_000)
    const [seeder, leecher] = [lab.peer('seeder', metainfo, { has: bytes }), lab.peer('leecher', metainfo)]
    await lab.until('both are ready', () => seeder.swarm.status.isReady && leecher.swarm.status.isReady)
    lab.join(leecher, seeder)
    await lab.until('it is complete', () => leecher.completed === 1)
    assert.deepEqual(Buffer.compare(leecher.bytes, bytes), 0)
    assert.deepEqual(
      rangesOf(leecher.verified.flatMap(({ first, count }) => Array.from({ length: count }, (_, at) => first + at))),
      [{ first: 0, count: 20 }],
    )
    const good = leecher.judged.flatMap((each) => (each.subject === seeder.id ? each.good : []))
    assert.equal(
      good.reduce((sum, { count }) => sum + count, 0),
      20,
    )
    assert.deepEqual(
      [leecher.swarm.status.downloadedBytes, seeder.swarm.status.uploadedBytes, leecher.swarm.status.isDone],
      [bytes.length, bytes.length, true],
    )
    await Promise.all([seeder.swarm.close(), leecher.swarm.close()])
  })

  it('asks for no block twice before the endgame, however many seeders there are and whoever leaves', async () => {
    const { metainfo, bytes } = madeUp(120)
    const seeders = Array.from({ length: 5 }, (_, at) => lab.peer(`seeder ${at}`, metainfo, { has: bytes }))
    const leecher = lab.peer('leecher', metainfo)
    await lab.until('all are ready', () => [...seeders, leecher].every(({ swarm }) => swarm.status.isReady))
    const links = seeders.map((seeder, at) => lab.join(leecher, seeder, { bytesPerMs: 200 * (at + 1) }))
    await lab.until('some is here', () => leecher.swarm.status.downloadedBytes > bytes.length / 4)
    links[4]?.cut()
    await lab.until('it is complete', () => leecher.completed === 1, 300_000)
    assert.equal(Buffer.compare(leecher.bytes, bytes), 0)
    const waste = leecher.swarm.status.downloadedBytes - bytes.length
    // What was under way with the one that left, and a few blocks of the end.
    assert.ok(waste <= bytes.length * 0.05, `${waste} bytes came twice`)
  })

  it('convicts the one that sends bad blocks, and nobody else, and completes from the others', async () => {
    const { metainfo, bytes } = madeUp(60)
    const honest = [0, 1, 2].map((at) => lab.peer(`honest ${at}`, metainfo, { has: bytes }))
    const liar = lab.peer('liar', metainfo, { has: bytes })
    liar.spoil = (_index, _offset, block) => flipped(block)
    const leecher = lab.peer('leecher', metainfo)
    await lab.until('all are ready', () => [...honest, liar, leecher].every(({ swarm }) => swarm.status.isReady))
    for (const seeder of [liar, ...honest]) lab.join(leecher, seeder, { bytesPerMs: 300 })
    await lab.until('it is complete', () => leecher.completed === 1, 600_000)
    assert.equal(Buffer.compare(leecher.bytes, bytes), 0)
    const blamed = new Set(leecher.judged.filter(({ bad }) => bad.length > 0).map(({ subject }) => subject))
    assert.deepEqual([...blamed], [liar.id])
  })

  it('asks others for what a peer owes that has gone silent', async () => {
    const { metainfo, bytes } = madeUp(8)
    const leecher = lab.peer('leecher', metainfo)
    await lab.until('it is ready', () => leecher.swarm.status.isReady)
    const { theirs } = rawSeeder(lab, leecher.swarm)
    await lab.until('it is asked', () => asked(theirs).length === 8 * BLOCKS_A_PIECE || asked(theirs).length >= 16)
    const seeder = lab.peer('seeder', metainfo, { has: bytes })
    await lab.until('the other is ready', () => seeder.swarm.status.isReady)
    lab.join(leecher, seeder)
    await lab.until('it is complete', () => leecher.completed === 1, 40_000)
  })

  it('takes no block that it did not ask for', async () => {
    const { metainfo, bytes } = madeUp(4)
    const leecher = lab.peer('leecher', metainfo)
    await lab.until('it is ready', () => leecher.swarm.status.isReady)
    const { raw, theirs } = rawSeeder(lab, leecher.swarm)
    await lab.until('it is asked', () => asked(theirs).length > 0)
    const piece = (index: number, offset: number, block: Uint8Array) => {
      const message = new Uint8Array(13 + block.length)
      const view = new DataView(message.buffer)
      view.setUint32(0, 9 + block.length)
      message[4] = MESSAGE.piece
      view.setUint32(5, index)
      view.setUint32(9, offset)
      message.set(block, 13)
      raw.send(message)
    }
    for (const [index, offset, length] of [
      [4, 0, 16_384],
      [0xffffffff, 0, 16_384],
      [0, 8, 16_384],
      [0, 0, 100],
      [0, 0, 0],
      [0, 0xffffc000, 16_384],
      [3, PIECE_BYTES, 16_384],
    ] as const)
      piece(index, offset, new Uint8Array(length))
    await lab.time.advance(100)
    // Then all that was asked for, rightly: none of the above is in the way.
    const answered = new Set<string>()
    const answer = (): void => {
      for (const name of asked(theirs)) {
        if (answered.has(name)) continue
        answered.add(name)
        const [index = 0, offset = 0] = name.split(':').map(Number)
        piece(index, offset, bytes.slice(index * PIECE_BYTES + offset, index * PIECE_BYTES + offset + 16_384))
        piece(index, offset, new Uint8Array(16_384))
      }
    }
    await lab.until('it is complete', () => {
      answer()
      return leecher.completed === 1
    })
    assert.equal(Buffer.compare(leecher.bytes, bytes), 0)
    assert.deepEqual(
      leecher.judged.flatMap(({ bad }) => bad),
      [],
    )
  })

  it('fetches the metainfo of a magnet link from a peer, past one that makes it up and one that is silent', async () => {
    const { metainfo, bytes } = madeUp(1_000)
    assert.ok(metainfo.torrentFile.length > 16_384)
    const leecher = lab.peer('leecher', metainfo, { knows: false })
    const say = { m: { ut_metadata: 7 }, metadata_size: metainfo.torrentFile.length - 8 }
    const silent = rawSeeder(lab, leecher.swarm)
    silent.raw.send(encodeExtended(0, encode(say)))
    await lab.time.advance(100)
    const liar = new MemoryLink(lab.time, 11, true)
    const theirs = new MemoryLink(lab.time, 11, false)
    liar.other = theirs
    theirs.other = liar
    theirs.attach(leecher.swarm)
    liar.send(encodeHandshake(Buffer.from(metainfo.infoHash, 'hex'), Buffer.alloc(20, 'liar')))
    liar.send(encodeExtended(0, encode(say)))
    await lab.time.advance(100)
    const total = say.metadata_size
    for (let piece = 0; piece * 16_384 < total; piece++) {
      const head = encode({ msg_type: 1, piece, total_size: total })
      const block = new Uint8Array(Math.min(16_384, total - piece * 16_384))
      liar.send(encodeExtended(1, Buffer.concat([head, block])))
    }
    await lab.until('the liar is gone', () => theirs.closed)
    assert.equal(leecher.rejected, 1)
    const seeder = lab.peer('seeder', metainfo, { has: bytes })
    await lab.until('the seeder is ready', () => seeder.swarm.status.isReady)
    lab.join(leecher, seeder)
    await lab.until('it knows', () => leecher.swarm.pieceCount === 1_000, 20_000)
    assert.deepEqual(leecher.failed, [])
  })

  it('says that it has a piece when the piece is written, and is closed when its files are', async () => {
    const { metainfo, bytes } = madeUp(1)
    const [write, close] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let writes = 0
    const files = {
      read: async () => {},
      write: () => {
        writes++
        return write.promise
      },
      createEmptyFiles: async () => {},
      settle: async () => [],
      close: () => close.promise,
    }
    const openFiles = async () => ({ files, found: undefined })
    const [seeder, leecher] = [
      lab.peer('seeder', metainfo, { has: bytes }),
      lab.peer('leecher', metainfo, { swarm: { openFiles } }),
    ]
    await lab.until('both are ready', () => seeder.swarm.status.isReady && leecher.swarm.status.isReady)
    lab.join(leecher, seeder)
    await lab.until('it is being written', () => writes === 1)
    await lab.time.advance(1_000)
    assert.deepEqual([leecher.completed, leecher.swarm.status.isDone, leecher.verified], [0, false, []])
    write.resolve()
    await lab.until('it is complete', () => leecher.completed === 1)
    let isClosed = false
    const closing = leecher.swarm.close().then(() => {
      isClosed = true
    })
    await lab.time.advance(1_000)
    assert.equal(isClosed, false)
    close.resolve()
    await closing
    await seeder.swarm.close()
  })

  it('dials 16 at a time, and the next as one of them ends', async () => {
    const { metainfo } = madeUp(1)
    const dialled: string[] = []
    const peers = Array.from({ length: 20 }, (_, at) => `10.0.1.${at}:1`)
    const leecher = lab.peer('leecher', metainfo, { swarm: { peers, dial: (endpoint) => dialled.push(endpoint) } })
    await lab.until('it dials', () => dialled.length > 0)
    await lab.time.advance(10_000)
    assert.deepEqual(dialled, peers.slice(0, 16))
    leecher.swarm.dialEnded(peers[0] ?? '', false)
    assert.deepEqual(dialled, peers.slice(0, 17))
    await leecher.swarm.close()
  })

  /** Peers written by hand that only say who they are. */
  const crowd = (swarm: Parameters<MemoryLink['attach']>[0], count: number, isOutbound: boolean) =>
    Array.from({ length: count }, (_, at) => {
      const [raw, theirs] = [new MemoryLink(lab.time, at + 1, !isOutbound), new MemoryLink(lab.time, at + 1, isOutbound)]
      raw.other = theirs
      theirs.other = raw
      theirs.attach(swarm)
      raw.send(encodeHandshake(Buffer.from(swarm.infoHash, 'hex'), Buffer.from(`crowd${at}`.padEnd(20))))
      return theirs
    })

  it('makes 55 connections itself, those that it dials counted', async () => {
    const { metainfo } = madeUp(1)
    for (const [made, more] of [
      [54, 1],
      [55, 0],
    ] as const) {
      const dialled: string[] = []
      const leecher = lab.peer('leecher', metainfo, { swarm: { dial: (endpoint) => dialled.push(endpoint) } })
      await lab.until('it is ready', () => leecher.swarm.status.isReady)
      crowd(leecher.swarm, made, true)
      await lab.time.advance(100)
      assert.equal(leecher.swarm.peers().length, made)
      for (let at = 0; at < 5; at++) leecher.swarm.connect(`10.0.1.${at}:1`)
      await lab.time.advance(5_000)
      assert.equal(dialled.length, more)
      await leecher.swarm.close()
    }
  })

  it('takes 400 peers, and closes the connection of one more', async () => {
    const { metainfo } = madeUp(1)
    const leecher = lab.peer('leecher', metainfo)
    await lab.until('it is ready', () => leecher.swarm.status.isReady)
    const links = crowd(leecher.swarm, 401, false)
    await lab.time.advance(100)
    assert.deepEqual([leecher.swarm.takesPeers, links.filter(({ closed }) => closed).length], [false, 1])
    assert.equal(links[400]?.closed, true)
    links[0]?.close()
    assert.equal(leecher.swarm.takesPeers, true)
    await leecher.swarm.close()
  })

  it('closes a connection to itself', async () => {
    const { metainfo } = madeUp(1)
    const one = lab.peer('one', metainfo)
    await lab.until('it is ready', () => one.swarm.status.isReady)
    lab.join(one, one)
    await lab.time.advance(100)
    assert.equal(one.swarm.peers().length, 0)
    await one.swarm.close()
  })

  it('closes what is silent for two minutes and a half, and keeps alive what is not', async () => {
    const { metainfo, bytes } = madeUp(1)
    const [one, two] = [lab.peer('one', metainfo, { has: bytes }), lab.peer('two', metainfo, { has: bytes })]
    await lab.until('both are ready', () => one.swarm.status.isReady && two.swarm.status.isReady)
    lab.join(one, two)
    const { theirs } = rawSeeder(lab, one.swarm)
    await lab.time.advance(149_000)
    assert.equal(theirs.closed, false)
    await lab.time.advance(5_000)
    assert.equal(theirs.closed, true)
    await lab.time.advance(600_000)
    assert.equal(one.swarm.peers().length, 1)
  })

  it('serves what is asked for right behind the first word of interest', async () => {
    const { metainfo, bytes } = madeUp(4)
    const seeder = lab.peer('seeder', metainfo, { has: bytes })
    await lab.until('it is ready', () => seeder.swarm.status.isReady)
    const [raw, theirs] = [new MemoryLink(lab.time, 9, true), new MemoryLink(lab.time, 9, false)]
    raw.other = theirs
    theirs.other = raw
    theirs.attach(seeder.swarm)
    raw.send(encodeHandshake(Buffer.from(metainfo.infoHash, 'hex'), Buffer.alloc(20, 'raw')))
    raw.send(encodeBare(MESSAGE.interested))
    raw.send(encodeBlockMessages(MESSAGE.request, [{ index: 0, offset: 0, length: 16_384 }]))
    await lab.time.advance(20)
    assert.equal(seeder.swarm.status.uploadedBytes, 16_384)
    await seeder.swarm.close()
  })

  it('ends a peer that has more requests open than any may', async () => {
    const { metainfo, bytes } = madeUp(4)
    const seeder = lab.peer('seeder', metainfo, { has: bytes })
    await lab.until('it is ready', () => seeder.swarm.status.isReady)
    const [raw, theirs] = [new MemoryLink(lab.time, 9, true), new MemoryLink(lab.time, 9, false)]
    raw.other = theirs
    theirs.other = raw
    // It reads nothing.
    theirs.bytesPerMs = 1
    theirs.attach(seeder.swarm)
    raw.send(encodeHandshake(Buffer.from(metainfo.infoHash, 'hex'), Buffer.alloc(20, 'raw')))
    raw.send(encodeBare(MESSAGE.interested))
    await lab.time.advance(1_000)
    const request = [{ index: 0, offset: 0, length: 16_384 }]
    for (let count = 0; count < 2_000; count++) raw.send(encodeBlockMessages(MESSAGE.request, request))
    await lab.time.advance(100)
    assert.equal(theirs.closed, false)
    assert.ok(theirs.unsentBytes < 4_000_000, `${theirs.unsentBytes} bytes are kept for it`)
    for (let count = 0; count < 2_000; count++) raw.send(encodeBlockMessages(MESSAGE.request, request))
    await lab.time.advance(100)
    assert.deepEqual([theirs.closed, seeder.rejected], [true, 1])
  })
})
