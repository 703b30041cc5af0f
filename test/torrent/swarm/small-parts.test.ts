import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DialList } from '../../../src/torrent/swarm/dial-list.ts'
import {
  decodeMetadataMessage,
  encodeMetadataMessage,
  METADATA,
  METADATA_PIECE_BYTES,
  MetadataFetch,
  metadataPiece,
} from '../../../src/torrent/swarm/metadata-fetch.ts'
import { RateLimit } from '../../../src/torrent/swarm/rate-limit.ts'
import { RateMeter } from '../../../src/torrent/swarm/rate-meter.ts'
import { DEPTH_MAX, RequestDepth } from '../../../src/torrent/swarm/request-depth.ts'
import { ServeQueue } from '../../../src/torrent/swarm/serve-queue.ts'

describe('what a peer asked for', () => {
  const block = (index: number, at: number, length = 16_384) => ({ index, offset: at * 16_384, length })

  it('is read in runs: the next blocks of the same piece, up to so many bytes with their headers', () => {
    const queue = new ServeQueue()
    const all = [block(1, 0), block(1, 1), block(1, 2), block(1, 4), block(2, 5), block(2, 6, 100)]
    for (const each of all) queue.add(each)
    assert.deepEqual(queue.takeRun(2 * (16_384 + 13)), all.slice(0, 2))
    assert.deepEqual(queue.takeRun(1_000_000), all.slice(2, 3))
    assert.deepEqual(queue.takeRun(1), all.slice(3, 4), 'one at least')
    assert.equal(queue.size, 2)
    assert.deepEqual(queue.takeRun(1_000_000), all.slice(4))
    assert.deepEqual([queue.takeRun(1), queue.size], [[], 0])
  })

  it('is taken back by the same three numbers, once', () => {
    const queue = new ServeQueue()
    for (const each of [block(1, 0), block(1, 1), block(1, 1)]) queue.add(each)
    assert.equal(queue.cancel(block(1, 1, 5)), false)
    assert.equal(queue.cancel(block(1, 1)), true)
    assert.equal(queue.size, 2)
    queue.takeRun(1)
    assert.equal(queue.cancel(block(1, 0)), false, 'it is being answered')
    assert.deepEqual(queue.clear(), [block(1, 1)])
    assert.equal(queue.size, 0)
  })
})

describe('the rate of a transfer', () => {
  it('is that of the last seconds', () => {
    const meter = new RateMeter()
    assert.equal(meter.perSecond(5_000), 0)
    for (let second = 0; second < 20; second++) meter.add(1_000, second * 1_000 + 500)
    assert.ok(Math.abs(meter.perSecond(19_999) - 1_000) < 120, `${meter.perSecond(19_999)}`)
    assert.ok(meter.perSecond(22_000) < 700)
    assert.equal(meter.perSecond(40_000), 0)
    assert.equal(meter.total, 20_000)
    // After a pause the first byte does not count for the time before it.
    meter.add(3_000, 60_000)
    assert.equal(meter.perSecond(60_100), 3_000)
  })
})

describe('a limit of bytes', () => {
  it('lets no more through than it says, over any time', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 1_000_000 }),
        fc.array(fc.integer({ min: 1, max: 60_000 }), { minLength: 50, maxLength: 300 }),
        (rate, transfers) => {
          const limit = new RateLimit(rate)
          let now = 0
          let sent = 0
          for (const bytes of transfers) {
            for (let wait = limit.waitMs(now); wait > 0; wait = limit.waitMs(now)) now += wait
            limit.take(bytes, now)
            sent += bytes
          }
          // A quarter of a second may be saved up, and the last transfer overdraws.
          assert.ok(sent <= (rate * (now + 250)) / 1_000 + 60_000 + 1)
          // It waits no longer than it must.
          assert.ok(sent >= (rate * now) / 1_000 - rate / 100 - 60_000)
        },
      ),
    )
  })

  it('is none where none is set', () => {
    const none = new RateLimit(undefined)
    none.take(1e12, 0)
    assert.deepEqual([none.waitMs(0), none.isLimited], [0, false])
  })
})

describe('how many blocks are under way', () => {
  const first = new RequestDepth().of(10_000, 1)
  const proven = (blocks: number): RequestDepth => {
    const depth = new RequestDepth()
    depth.completes(blocks)
    depth.judged(blocks, true)
    return depth
  }

  it('grows with each that comes while the rate grows, then follows the rate', () => {
    const depth = proven(2_000)
    assert.equal(depth.of(10_000, 1), first)
    for (let count = 0; count < 100; count++) depth.received()
    assert.equal(depth.of(10_000, 1), first + 100)
    assert.equal(depth.of(50, 1), 50, 'no more than the peer takes')
    depth.tick(1_000_000)
    depth.tick(1_000_000)
    assert.equal(depth.of(10_000, 1), Math.ceil(2_000_000 / 16_384))
    depth.tick(1e12)
    assert.equal(depth.of(10_000, 1), DEPTH_MAX)
    depth.tick(0)
    assert.equal(depth.of(10_000, 1), first)
    depth.stalled()
    assert.equal(depth.of(10_000, 1), 1)
  })

  it('are few, or one piece, with a peer of which nothing was good yet, or a piece was bad, however fast it is', () => {
    const depth = new RequestDepth()
    depth.tick(1e9)
    depth.tick(1e9)
    assert.deepEqual([depth.of(10_000, 4), depth.of(10_000, 100)], [first, 100])
    depth.completes(10)
    assert.equal(depth.of(10_000, 4), first - 10, 'what waits for its verdict counts')
    depth.completes(10)
    assert.equal(depth.of(10_000, 4), 0)
    depth.judged(10, false)
    depth.judged(10, true)
    assert.equal(depth.of(10_000, 4), first + 10)
    depth.distrust()
    assert.equal(depth.of(10_000, 4), first)
  })
})

describe('whom to dial', () => {
  const all = () => true

  it('each once, again after a pause that doubles, and at once when somebody names it', () => {
    const list = new DialList()
    list.add('a:1')
    list.add('a:1')
    list.add('b:1')
    assert.deepEqual(
      list.next(5, 0, (endpoint) => endpoint !== 'b:1'),
      ['a:1'],
    )
    assert.deepEqual(list.next(5, 0, all), ['b:1'])
    assert.deepEqual(list.next(5, 0, all), [], 'both are busy')
    list.ended('a:1', false, 0)
    assert.deepEqual(list.next(5, 1_999, all), [])
    assert.deepEqual(list.next(5, 2_000, all), ['a:1'])
    list.ended('a:1', false, 2_000)
    assert.deepEqual(list.next(5, 5_999, all), [])
    list.urge('a:1')
    assert.deepEqual(list.next(5, 2_001, all), ['a:1'])
    list.ended('a:1', true, 3_000)
    assert.deepEqual(list.next(5, 4_000, all), ['a:1'], 'it was up')
  })

  it('that only peers told of are half of the list at most, make nobody give way, and give way first', () => {
    const fill = (own: number) => {
      const list = new DialList()
      for (let at = 0; at < own; at++) list.add(`own${at}:1`)
      for (let at = 0; at < 300; at++) list.addHearsay(`said${at}:1`)
      return list
    }
    const namesOf = (list: DialList) => list.next(1_000, 0, all)
    assert.equal(namesOf(fill(0)).length, 200)
    assert.equal(namesOf(fill(399)).length, 400)
    assert.equal(namesOf(fill(400)).filter((name) => name.startsWith('own')).length, 400)
    const full = fill(200)
    full.addHearsay('own0:1')
    full.add('said0:1')
    full.add('late:1')
    const names = namesOf(full)
    assert.equal(names.length, 400)
    assert.ok(names.includes('late:1') && names.includes('said0:1') && !names.includes('said1:1'))
    assert.equal(names.filter((name) => name.startsWith('own')).length, 200)
  })

  it('again after five minutes at most', () => {
    const list = new DialList()
    list.add('a:1')
    let now = 0
    for (let failure = 0; failure < 12; failure++) {
      assert.deepEqual(list.next(1, now, all), ['a:1'])
      list.ended('a:1', false, now)
      now += 300_000
    }
    assert.deepEqual(list.next(1, now - 1, all), [])
    assert.deepEqual(list.next(1, now, all), ['a:1'])
  })

  it('of 400 at most; the oldest that is not in use gives way', () => {
    const list = new DialList()
    for (let port = 1; port <= 401; port++) list.add(`a:${port}`)
    assert.deepEqual(list.next(1, 0, all), ['a:2'])
    assert.equal(list.next(1_000, 0, all).length, 399)
    list.add('b:1')
    assert.deepEqual(list.next(1, 0, all), [], 'all are in use')
  })
})

describe('the info dictionary of a peer', () => {
  it('comes in pieces, eight asked for at a time, in any order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 * METADATA_PIECE_BYTES }), fc.infiniteStream(fc.nat()), (size, order) => {
        const info = Uint8Array.from({ length: size }, (_, at) => at % 251)
        const fetch = new MetadataFetch(size)
        let asked = fetch.ask()
        let isComplete = false
        for (const pick of order) {
          if (asked.length === 0) break
          assert.ok(asked.length <= 8 && !isComplete)
          const [piece = 0] = asked.splice(pick % asked.length, 1)
          isComplete = fetch.data(piece, metadataPiece(info, piece) ?? new Uint8Array())
          assert.equal(fetch.data(piece, new Uint8Array(1)), false, 'twice is once')
          asked = [...asked, ...fetch.ask()]
        }
        assert.ok(isComplete)
        assert.deepEqual(fetch.bytes, info)
      }),
      { numRuns: 30 },
    )
  })

  it('takes no piece that was not asked for', () => {
    const fetch = new MetadataFetch(20 * METADATA_PIECE_BYTES)
    fetch.ask()
    assert.equal(fetch.data(8, new Uint8Array(METADATA_PIECE_BYTES)), false)
    assert.equal(fetch.data(19, new Uint8Array(METADATA_PIECE_BYTES)), false)
    assert.ok(fetch.bytes.every((byte) => byte === 0))
  })

  it('has messages as BEP 9 says', () => {
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
    assert.equal(text(encodeMetadataMessage(METADATA.request, 3)), 'd8:msg_typei0e5:piecei3ee')
    const data = encodeMetadataMessage(METADATA.data, 0, { totalBytes: 34, block: Buffer.from('xx') })
    assert.equal(text(data), 'd8:msg_typei1e5:piecei0e10:total_sizei34eexx')
    assert.deepEqual(decodeMetadataMessage(data), { type: 1, piece: 0, block: data.subarray(-2) })
  })
})
