import assert from 'node:assert/strict'
import { isKrpcMessage } from '../../../src/events/index.ts'
import { BencodeError, decodePrefix, dictionarySpans } from '../../../src/torrent/bencode.ts'
import { MESSAGE_BYTES_MAX } from '../../../src/torrent/message-bounds.ts'
import { METADATA_BYTES_MAX, ruleMetadata } from '../../../src/torrent/metadata-bounds.ts'
import type { PublicSources } from '../../../src/torrent/sources/public-sources.ts'
import { readHttpAnswer, readUdpAnswer, TrackerError } from '../../../src/torrent/sources/tracker-messages.ts'
import { decodeMetadataMessage, MetadataFetch } from '../../../src/torrent/swarm/metadata-fetch.ts'
import { decodeExtendedHandshake, type ExtendedHandshake } from '../../../src/torrent/wire/extended-handshake.ts'
import { decodeHandshake } from '../../../src/torrent/wire/handshake.ts'
import { MessageSplitter } from '../../../src/torrent/wire/message-splitter.ts'
import { decodePeerExchange, EXCHANGED_MAX } from '../../../src/torrent/wire/peer-exchange.ts'
import { responderOf } from '../encryption/mse-pair.ts'
import { MemoryLink, madeUp, PIECE_BYTES, SwarmLab } from '../swarm/swarm-lab.ts'
import { Draw } from './draw.ts'
import { KILLER_DATAGRAMS, KILLER_MESSAGES } from './known-killers.ts'
import { mangledBencode } from './mangled-bencode.ts'
import { mangledDatagram } from './mangled-krpc.ts'
import { type MangledTorrent, mangledExchange } from './mangled-messages.ts'
import { mangledMseOpening } from './mangled-mse.ts'
import { fragments, mangledHandshake, mangledTalk } from './mangled-talk.ts'
import { mangledHttpAnswer, mangledUdpAnswer } from './mangled-tracker.ts'

// The bytes of `npm run bench -- fuzz` against the parts that are pure. P2PT_FUZZ_SEED draws others.

const SEED = Number(process.env.P2PT_FUZZ_SEED ?? 20_261_128)
/** What a rewritten message says before its block. */
const HEAD_BYTES_MAX = 80
const NAMES_MAX = 64
const TRACKER_PEERS_MAX = 200
const TRACKER_TEXT_MAX = 200

const TORRENT: MangledTorrent = {
  infoHash: Uint8Array.from({ length: 20 }, (_, at) => at),
  pieceCount: 20,
  pieceBytes: PIECE_BYTES,
}
const NO_SOURCES = { ready: () => {}, completed: () => {}, close: async () => {}, status: () => [] } as unknown as PublicSources
const HELLO = 'd1:md11:lt_donthavei2e11:ut_metadatai1ee13:metadata_sizei40000e4:reqqi250e1:v4:teste'

function times(count: number, run: (draw: Draw) => void): void {
  for (let part = 0; part < count; part++) {
    try {
      run(new Draw(SEED, part))
    } catch (error) {
      throw new Error(`seed ${SEED}, part ${part}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
}

describe(`mangled bytes (seed ${SEED})`, () => {
  it('are the same from the same seed', () => {
    const said = () => mangledTalk(new Draw(SEED, 1), [TORRENT])
    assert.deepEqual(said(), said())
  })

  it('are bencode with a value, or an error of its own', () => {
    times(3_000, (draw) => {
      const bytes = mangledBencode(draw, HELLO)
      for (const read of [() => decodePrefix(bytes).end, () => dictionarySpans(bytes).size]) {
        try {
          assert.ok(read() <= bytes.length)
        } catch (error) {
          if (!(error instanceof BencodeError)) throw error
        }
      }
    })
  })

  it('are messages of bounded length and a violation at most, wherever they are cut', () => {
    times(100, (draw) => {
      const { handshake, messages } = mangledTalk(draw, [TORRENT])
      const stream = Buffer.concat([handshake, ...messages])
      let violations = 0
      let bytes = 0
      const splitter = new MessageSplitter({
        handshake: (first) => void decodeHandshake(first),
        message: ({ length }) => {
          assert.ok(length > 0 && length <= MESSAGE_BYTES_MAX && violations === 0)
          bytes += length
        },
        violation: () => violations++,
      })
      for (const part of fragments(draw, stream)) splitter.push(part)
      assert.ok(violations <= 1 && bytes <= stream.length)
    })
  })

  it('are handshakes of the extension protocol that leave so many names and no more', () => {
    let before: ExtendedHandshake | undefined
    times(1_000, (draw) => {
      const bytes = mangledBencode(draw, HELLO.replace('lt_donthave', Buffer.from(draw.bytes(11)).toString('latin1')))
      try {
        if (!(decodePrefix(bytes).value instanceof Map) || decodePrefix(bytes).end !== bytes.length) return
      } catch {
        return
      }
      before = decodeExtendedHandshake(bytes, before)
      assert.ok(before.ids.size <= NAMES_MAX && before.client.length <= 64 && before.requestsMax <= 0xffff)
    })
    assert.equal(before?.ids.size, NAMES_MAX)
  })

  it('are pieces of metadata within the size that was announced, or refused', () => {
    const fetch = new MetadataFetch(40_000)
    fetch.ask()
    times(2_000, (draw) => {
      const data = new Uint8Array(draw.of([0, 40_000 - 2 * 16_384, 300])).fill(draw.below(256))
      const head = mangledBencode(draw, `d8:msg_typei1e5:piecei${draw.below(4)}e10:total_sizei40000ee`)
      const payload = Buffer.concat([head, data])
      const theirBytes = draw.of([undefined, 40_000, METADATA_BYTES_MAX])
      const ruling = ruleMetadata(payload, { theirBytes, ourBytes: draw.of([undefined, 40_000]) })
      if (ruling === 'late' || 'violation' in ruling) return
      assert.ok(ruling.rewritten.length <= payload.length + HEAD_BYTES_MAX)
      const { type, piece, block } = decodeMetadataMessage(payload)
      if (type === 1 && theirBytes === 40_000) fetch.data(piece, block)
    })
  })

  it('are exchanges of peers of so many and no more, or none', () => {
    times(500, (draw) => {
      const endpoints = decodePeerExchange(mangledExchange(draw, 0.5))
      assert.ok(endpoints === undefined || endpoints.length <= 2 * EXCHANGED_MAX)
    })
  })

  it('are answers of a tracker within their bounds, or an error of its own', () => {
    times(1_000, (draw) => {
      for (const read of [
        () => readHttpAnswer(mangledHttpAnswer(draw)),
        () => readUdpAnswer(mangledUdpAnswer(draw, 7), 7, 4),
      ]) {
        try {
          const answer = read()
          if (answer === undefined || 'connection' in answer) continue
          const { peers, intervalMs, warning = '' } = answer
          assert.ok(peers.length <= TRACKER_PEERS_MAX && intervalMs >= 60_000 && warning.length <= TRACKER_TEXT_MAX)
        } catch (error) {
          if (!(error instanceof TrackerError) || error.message.length > 2 * TRACKER_TEXT_MAX) throw error
        }
      }
    })
  })

  it('are encrypted handshakes that end in a step', () => {
    times(150, (draw) => {
      const side = responderOf()
      const stream = draw.chance(0.9)
        ? Buffer.concat([mangledMseOpening(draw), draw.bytes(700)])
        : mangledHandshake(draw, TORRENT)
      const states = fragments(draw, stream).map((part) => side.receive(part).state)
      assert.ok(states.every((state) => state === 'more' || state === 'failed'))
    })
  })

  it('are datagrams that are a message or none', () => {
    times(3_000, (draw) => {
      const datagram = mangledDatagram(draw, [TORRENT.infoHash])
      for (const dht of ['private', 'public'] as const) assert.equal(typeof isKrpcMessage(datagram, dht), 'boolean')
    })
    for (const datagram of Object.values(KILLER_DATAGRAMS)) {
      assert.equal(isKrpcMessage(Buffer.from(datagram, 'latin1'), 'public'), false, datagram)
    }
  })
})

describe(`a swarm among peers that say mangled bytes (seed ${SEED})`, () => {
  it('neither throws nor fails, and downloads from who is honest', async () => {
    const { metainfo, bytes } = madeUp(20, 1_000)
    const lab = new SwarmLab()
    const [seeder, leecher] = [lab.peer('seeder', metainfo, { has: bytes }), lab.peer('leecher', metainfo)]
    const magnet = lab.peer('magnet', metainfo, {
      knows: false,
      // Peers tell it of others.
      swarm: { sources: { public: true, trackers: [], webSeeds: [], dht: false, local: false }, openSources: () => NO_SOURCES },
    })
    await lab.until('all are ready', () => seeder.swarm.status.isReady && leecher.swarm.status.isReady)
    const targets = [seeder, leecher, magnet]
    const torrent = { ...TORRENT, infoHash: Buffer.from(metainfo.infoHash, 'hex') }
    const known = Object.values(KILLER_MESSAGES).map((messages) => messages(metainfo.pieceCount))
    for (let part = 0; part < 200; part++) {
      const draw = new Draw(SEED, part)
      const { handshake, messages } = mangledTalk(draw, [torrent])
      const said = known[part >> 1] ?? messages
      const target = draw.of(targets)
      const link = new MemoryLink(lab.time, 20_000 + part, draw.chance(0.5))
      const theirs = new MemoryLink(lab.time, 20_000 + part, false)
      theirs.other = link
      link.attach(target.swarm)
      for (const chunk of [new Uint8Array(handshake), ...fragments(draw, Buffer.concat(said))]) {
        link.receive(chunk)
        if (draw.chance(0.1)) await lab.time.advance(draw.below(50))
      }
      if (draw.chance(0.7)) link.close()
    }
    lab.join(leecher, seeder)
    await lab.until('the honest download is complete', () => leecher.completed === 1)
    assert.equal(Buffer.compare(leecher.bytes, bytes), 0)
    assert.deepEqual([seeder.failed, leecher.failed, magnet.failed], [[], [], []])
    assert.ok(targets.every(({ rejected }) => rejected > 0))
    await Promise.all(targets.map(({ swarm }) => swarm.close()))
  })
})
