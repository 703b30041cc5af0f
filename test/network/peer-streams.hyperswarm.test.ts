import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import HyperDHT from 'hyperdht'
import type { InfoHash } from '../../src/events/index.ts'
import { systemTimers } from '../../src/events/model/time.system.ts'
import { HyperStreams } from '../../src/network/peer-streams.hyperswarm.ts'
import type { FoundStreams, PeerStream } from '../../src/network/peer-streams.ts'
import { freeUdpPort } from '../../src/network/udp-port.hyperswarm.ts'

const HOST = '127.0.0.1'
const FILM = 'a'.repeat(40) as InfoHash
const SONG = 'b'.repeat(40) as InfoHash

const duplex = (stream: PeerStream | undefined): Duplex => {
  assert.ok(stream)
  return stream as unknown as Duplex
}

describe('peer streams over hyperdht', function () {
  this.timeout(20_000)
  const open: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close()
  })

  /** So many that can be told of each other. */
  async function streams(count: number): Promise<HyperStreams[]> {
    const port = await freeUdpPort(HOST, 0)
    const bootstrap = HyperDHT.bootstrapper(port, HOST, { host: HOST, bootstrap: [], anyPort: false })
    await bootstrap.fullyBootstrapped()
    open.push(() => bootstrap.destroy({ force: true }))
    return Promise.all(
      Array.from({ length: count }, async () => {
        const dht = new HyperDHT({ host: HOST, port: 0, bootstrap: [{ host: HOST, port }], firewalled: false })
        await dht.fullyBootstrapped()
        const made = new HyperStreams(dht, systemTimers)
        open.push(
          () => dht.destroy({ force: true }),
          () => made[Symbol.asyncDispose](),
        )
        return made
      }),
    )
  }

  /** An offer takes a moment to be known. */
  async function opened(by: HyperStreams, infoHash = FILM): Promise<FoundStreams> {
    const until = performance.now() + 10_000
    for (;;) {
      const found = await by.open(infoHash)
      if (found.opened.length > 0 || performance.now() > until) return found
    }
  }

  it('join who looks for a torrent with who offers it, and carry bytes both ways', async () => {
    const [seeder, seeker] = await streams(2)
    assert.ok(seeder && seeker)
    const accepted = new Promise<PeerStream>((resolve) => seeder.listen(resolve))
    seeder.offer(FILM)
    const { offered, opened: made } = await opened(seeker)
    assert.deepEqual([offered, made.length], [1, 1])
    const ours = duplex(made[0])
    const theirs = duplex(await accepted)
    const block = randomBytes(16_384)
    ours.write(block)
    theirs.write(block)
    for (const stream of [theirs, ours]) {
      let bytes = 0
      for await (const chunk of stream) {
        bytes += chunk.length
        if (bytes >= block.length) break
      }
      assert.equal(bytes, block.length)
    }
  })

  it('find nobody where nobody offers, and not themselves', async () => {
    const [only] = await streams(1)
    assert.ok(only)
    assert.deepEqual(await only.open(FILM), { offered: 0, opened: [] })
    only.offer(FILM)
    assert.deepEqual(await only.open(FILM), { offered: 0, opened: [] })
  })

  it('are opened once to each peer for a torrent, and once more for another torrent', async () => {
    const [seeder, seeker] = await streams(2)
    assert.ok(seeder && seeker)
    seeder.listen(() => {})
    seeder.offer(FILM)
    seeder.offer(SONG)
    assert.equal((await opened(seeker)).opened.length, 1)
    assert.deepEqual(await seeker.open(FILM), { offered: 0, opened: [] })
    assert.equal((await opened(seeker, SONG)).opened.length, 1)
  })

  it('end when the peer sends more than anybody reads', async () => {
    const [seeder, flooder] = await streams(2)
    assert.ok(seeder && flooder)
    const accepted = new Promise<PeerStream>((resolve) => seeder.listen(resolve))
    seeder.offer(FILM)
    const flood = duplex((await opened(flooder)).opened[0])
    const ended = once(duplex(await accepted), 'close')
    const block = randomBytes(16_384)
    for (let blocks = 0; blocks < 2_000; blocks++) flood.write(block)
    await ended
  })
})
