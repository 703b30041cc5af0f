import assert from 'node:assert/strict'
import { encode } from '../../../src/torrent/bencode.ts'
import type { PeerLink } from '../../../src/torrent/swarm/peer.ts'
import { encodeBare, encodeBlockMessages, encodeExtended, MESSAGE } from '../../../src/torrent/wire/messages.ts'
import { type LabPeer, madeUp, SwarmLab } from './swarm-lab.ts'

/** A peer of which nothing is known but its messages, and what is answered. */
class Asking {
  readonly answers: Uint8Array[] = []
  /** Of these, as many bytes as it has not read. */
  unsentBytes = 0
  closed = ''
  readonly #peer

  constructor(at: LabPeer) {
    const link: PeerLink = {
      ...{ host: '10.0.0.9', port: 50_000, outbound: false },
      send: (bytes) => this.answers.push(bytes),
      close: (why) => {
        this.closed = why
      },
      unsentBytes: 0,
    }
    Object.defineProperty(link, 'unsentBytes', { get: () => this.unsentBytes })
    const handshake = { infoHash: new Uint8Array(20), peerId: new Uint8Array(20), hasExtended: true, hasFast: true }
    this.#peer = at.swarm.joins(link, handshake, '07'.repeat(20))
    this.say(encodeExtended(0, encode({ m: { ut_metadata: 3 } })))
  }

  /** @param message with its length prefix */
  say(message: Uint8Array): void {
    if (this.closed === '') this.#peer?.message(message.subarray(4))
  }

  count(id: number): number {
    return this.answers.filter((bytes) => bytes[4] === id).length
  }
}

const request = encodeBlockMessages(MESSAGE.request, [{ index: 0, offset: 0, length: 16_384 }])
const askMetadata = encodeExtended(1, encode({ msg_type: 0, piece: 0 }))

describe('a peer that asks on and on', () => {
  const { metainfo, bytes } = madeUp(4)
  let lab: SwarmLab
  let seeder: LabPeer
  let asking: Asking

  beforeEach(async () => {
    lab = new SwarmLab()
    seeder = lab.peer('seeder', metainfo, { has: bytes })
    await lab.until('it is ready', () => seeder.swarm.status.isReady)
    asking = new Asking(seeder)
  })
  afterEach(() => seeder.swarm.close())

  it('is rejected 2,048 times while it is choked, and then closed', () => {
    for (let count = 0; count < 2_048; count++) asking.say(request)
    assert.deepEqual([asking.count(MESSAGE.reject), asking.closed], [2_048, ''])
    asking.say(request)
    assert.equal(asking.closed, 'requests that go on while it is choked')
    assert.equal(seeder.rejected, 1)
  })

  it('may ask so often again when it was told anew whether it may', async () => {
    for (let count = 0; count < 2_000; count++) asking.say(request)
    asking.say(encodeBare(MESSAGE.interested))
    assert.equal(asking.count(MESSAGE.unchoke), 1)
    asking.say(encodeBare(MESSAGE.notInterested))
    await lab.time.advance(20_000)
    assert.equal(asking.count(MESSAGE.choke), 1)
    for (let count = 0; count < 2_000; count++) asking.say(request)
    assert.deepEqual([asking.count(MESSAGE.reject), asking.closed], [4_000, ''])
  })

  it('is given the info dictionary four times, and then closed', () => {
    for (let count = 0; count < 4; count++) asking.say(askMetadata)
    assert.equal(asking.closed, '')
    asking.say(askMetadata)
    assert.equal(asking.closed, 'metadata asked for again and again')
  })

  it('is closed when more than 8 MiB of answers are not read', () => {
    asking.unsentBytes = 8 * 1024 * 1024
    asking.say(encodeBare(MESSAGE.interested))
    assert.equal(asking.closed, '')
    asking.unsentBytes++
    asking.say(encodeBare(MESSAGE.interested))
    assert.equal(asking.closed, 'answers that it does not read')
  })
})
