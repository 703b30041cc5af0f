import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { type PeerStream, StreamLink } from '../../../src/torrent/peer-link.tcp.ts'
import { RateLimit } from '../../../src/torrent/swarm/rate-limit.ts'
import { type TransferFlow, TransferTurns } from '../../../src/torrent/swarm/transfer-turns.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'
import { madeUp, SwarmLab } from './swarm-lab.ts'

const MB = 1_000_000
const SECONDS = 20
const READ_BYTES = 256 * 1024

/** A stream that always has more, and gives it in reads of this size until it is paused. */
class Endless extends EventEmitter {
  bytes = 0
  closed = false
  readonly #time: VirtualTime
  readonly #flow: TransferFlow
  readonly #link: StreamLink

  constructor(time: VirtualTime, flow: TransferFlow) {
    super()
    this.#time = time
    this.#flow = flow
    this.#link = new StreamLink(this as unknown as PeerStream, { outbound: true })
    this.resume()
  }

  pause(): void {}

  resume(): void {
    this.#time.after(1, () => {
      if (this.closed) return
      this.bytes += READ_BYTES
      if (this.#link.limit(READ_BYTES, this.#flow)) this.resume()
    })
  }

  end(): void {
    this.#link.close()
  }

  destroy(): void {
    this.closed = true
  }
}

const within = (bytes: number, bytesPerSecond: number, seconds = SECONDS): void => {
  const ratio = bytes / (bytesPerSecond * seconds)
  assert.ok(ratio > 0.95 && ratio < 1.05, `${ratio.toFixed(3)} of ${bytesPerSecond} B/s`)
}

describe('a limit of rates', () => {
  let time: VirtualTime
  beforeEach(() => {
    time = new VirtualTime()
  })
  /** What all share, at so many bytes a second. */
  const turnsAt = (bytesPerSecond?: number): TransferTurns => {
    const turns = new TransferTurns({ timers: time, now: () => time.now() })
    turns.all.set(bytesPerSecond)
    return turns
  }
  const sum = (streams: readonly Endless[]): number => streams.reduce((total, { bytes }) => total + bytes, 0)

  for (const streams of [1, 4, 40]) {
    for (const rate of [MB, 5 * MB, 20 * MB]) {
      it(`holds from above and from below: ${rate / MB} MB/s over ${streams} connections`, async () => {
        const flow = turnsAt(rate).flow()
        const all = Array.from({ length: streams }, () => new Endless(time, flow))
        await time.advance(SECONDS * 1_000)
        within(sum(all), rate)
      })
    }
  }

  it('is shared: none of forty connections waits for more than twice its turn', async () => {
    const flow = turnsAt(10 * MB).flow()
    const all = Array.from({ length: 40 }, () => new Endless(time, flow))
    await time.advance(60_000)
    const fair = sum(all) / all.length
    for (const { bytes } of all) assert.ok(bytes > fair / 2 && bytes < fair * 2, `${bytes} of ${fair}`)
  })

  it('holds from the moment it is changed, up and down, whatever waits by then', async () => {
    const turns = turnsAt(20 * MB)
    const limit = turns.all
    const flow = turns.flow()
    const all = Array.from({ length: 4 }, () => new Endless(time, flow))
    await time.advance(3_000)
    for (const rate of [MB, 50_000, 20 * MB, 5 * MB, MB]) {
      const before = sum(all)
      limit.set(rate)
      // Of little, one read is a lot.
      const seconds = rate < MB ? 400 : SECONDS
      await time.advance(seconds * 1_000)
      within(sum(all) - before, rate, seconds)
    }
    const before = sum(all)
    limit.set(0)
    await time.advance(1_000)
    assert.ok(sum(all) - before > 100 * MB, 'what waited goes on once there is none')
  })

  it('of two limits is the lower one, and the upper one is used up by others', async () => {
    const turns = turnsAt(5 * MB)
    const [slow, fast] = [turns.flow(), turns.flow()]
    slow.own.set(MB)
    const limited = new Endless(time, slow)
    const free = new Endless(time, fast)
    await time.advance(1_000)
    const before = [limited.bytes, free.bytes] as const
    await time.advance(SECONDS * 1_000)
    within(limited.bytes - before[0], MB)
    within(free.bytes - before[1], 4 * MB)
  })

  it('has back what a connection that ended would have read', async () => {
    const turns = turnsAt(MB)
    const limit = turns.all
    let isResumed = false
    const stream = Object.assign(new EventEmitter(), {
      ...{ pause: () => {}, destroy: () => {} },
      resume: () => {
        isResumed = true
      },
    })
    const link = new StreamLink(stream as unknown as PeerStream, { outbound: true })
    assert.equal(link.limit(MB, turns.flow()), false)
    while (!isResumed) await time.advance(1)
    assert.ok(limit.waitMs(time.now()) > 900, 'what it reads next is taken')
    link.close()
    assert.equal(limit.waitMs(time.now()), 0)
  })

  it('is not used up by a clock that is put back, nor by more than its burst by one that is put forward', () => {
    const limit = new RateLimit(MB)
    limit.take(MB / 4, 10_000)
    assert.equal(limit.waitMs(10_000), 1)
    assert.equal(limit.waitMs(5_000), 1)
    assert.equal(limit.waitMs(5_001), 0)
    limit.take(MB, 1e9)
    assert.equal(limit.waitMs(1e9), 751)
  })

  it('of uploads holds for one and four peers on the wire, and a peer that asks often has one timer', async () => {
    for (const peers of [1, 4]) {
      for (const rate of [MB, 5 * MB]) {
        const lab = new SwarmLab()
        let timers = 0
        const counted = {
          after: (ms: number, run: () => void) => {
            timers++
            return lab.time.after(ms, run)
          },
        }
        // More than the limit lets through in that time, so that nobody is done.
        const { metainfo, bytes } = madeUp(Math.ceil((rate * (SECONDS + 10)) / 65_536))
        const uploads = new TransferTurns({ timers: counted, now: () => lab.time.now() })
        uploads.all.set(rate)
        const seeder = lab.peer('seeder', metainfo, { has: bytes, swarm: { uploads, timers: counted } })
        const leechers = Array.from({ length: peers }, (_, at) => lab.peer(`leecher ${at}`, metainfo))
        const ready = () => [seeder, ...leechers].every(({ swarm }) => swarm.status.isReady)
        await lab.until('all are ready', ready)
        for (const leecher of leechers) lab.join(leecher, seeder)
        await lab.time.advance(2_000)
        const came = () => leechers.reduce((total, { swarm }) => total + swarm.status.downloadedBytes, 0)
        const [before, timersBefore] = [came(), timers]
        await lab.time.advance(SECONDS * 1_000)
        within(came() - before, rate)
        assert.ok(timers - timersBefore < SECONDS * 100 * (1 + peers), `${timers - timersBefore} timers`)
        await Promise.all([seeder, ...leechers].map(({ swarm }) => swarm.close()))
      }
    }
  }).timeout(20_000)
})
