import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { PeerClass } from '../../../src/torrent/peer-class.ts'
import {
  CATCH_UP_BYTES,
  QUANTUM_BYTES,
  type Transfer,
  type TransferFlow,
  TransferTurns,
} from '../../../src/torrent/swarm/transfer-turns.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

const MB = 1_000_000

/** A torrent whose peers always have more to transfer. */
class Asking {
  bytes = 0
  readonly flow: TransferFlow
  readonly #transfers: Transfer[]

  /** @param answersMs until a peer asks again, 0: at once */
  constructor(
    time: VirtualTime,
    turns: TransferTurns,
    { peers, lengths, answersMs, peerClass = 'remote' }: Traffic & { peerClass?: PeerClass },
  ) {
    this.flow = turns.flow()
    let transfers = 0
    this.#transfers = Array.from({ length: peers }, () => {
      const again = () => this.flow.wait(transfer)
      const transfer: Transfer = {
        peerClass,
        run: () => {
          const length = lengths[transfers++ % lengths.length] ?? 1
          this.flow.take(peerClass, length)
          this.bytes += length
          time.after(answersMs, again)
          return length
        },
      }
      return transfer
    })
  }

  begin(): void {
    for (const transfer of this.#transfers) this.flow.wait(transfer)
  }
}

type Traffic = { peers: number; lengths: number[]; answersMs: number }

const traffic = fc.record({
  peers: fc.integer({ min: 1, max: 20 }),
  lengths: fc.array(fc.integer({ min: 4_000, max: QUANTUM_BYTES }), { minLength: 1 }),
  answersMs: fc.constant(0),
})

function turnsAt(bytesPerSecond: number): { time: VirtualTime; turns: TransferTurns } {
  const time = new VirtualTime()
  const turns = new TransferTurns({ timers: time, now: () => time.now() })
  turns.all.set(bytesPerSecond)
  return { time, turns }
}

describe('turns of transfers', () => {
  it('give each torrent that asks its share of each second, but for two quanta, whatever the others ask for', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(traffic, { minLength: 2, maxLength: 5 }),
        fc.integer({ min: 500_000, max: 3 * MB }),
        async (all, rate) => {
          const { time, turns } = turnsAt(rate)
          const torrents = all.map((each) => new Asking(time, turns, each))
          for (const each of torrents) each.begin()
          await time.advance(300)
          for (let second = 0; second < 2; second++) {
            const before = torrents.map(({ bytes }) => bytes)
            await time.advance(1_000)
            const got = torrents.map(({ bytes }, at) => bytes - (before[at] ?? 0))
            const sum = got.reduce((total, each) => total + each)
            assert.ok(Math.abs(sum - rate) <= 2 * QUANTUM_BYTES, `${sum} of ${rate}`)
            for (const bytes of got) assert.ok(bytes >= rate / got.length - 2 * QUANTUM_BYTES, `${got} of ${rate}`)
          }
        },
      ),
      { numRuns: 30 },
    )
  })

  it('leave what a torrent with a limit of its own does not take to the others', async () => {
    const { time, turns } = turnsAt(4 * MB)
    const ask = { peers: 3, lengths: [16_384], answersMs: 0 }
    const [slow, one, other] = [new Asking(time, turns, ask), new Asking(time, turns, ask), new Asking(time, turns, ask)]
    slow.flow.own.set(MB / 2)
    for (const each of [slow, one, other]) each.begin()
    await time.advance(10_000)
    for (const [{ bytes }, rate] of [
      [slow, MB / 2],
      [one, 1.75 * MB],
      [other, 1.75 * MB],
    ] as const)
      assert.ok(Math.abs(bytes / (10 * rate) - 1) < 0.05, `${bytes} of ${rate}`)
  })

  it('hold each class of peers to its own rate, and let the other one go on', async () => {
    const { time, turns } = turnsAt(0)
    turns.classes.remote.set(MB)
    const ask = { peers: 2, lengths: [16_384], answersMs: 1 }
    const remote = new Asking(time, turns, ask)
    const local = new Asking(time, turns, { ...ask, peerClass: 'local' })
    assert.deepEqual([remote.flow.mayGo('remote'), remote.flow.isLimited('local')], [true, false])
    remote.begin()
    local.begin()
    await time.advance(10_000)
    assert.ok(Math.abs(remote.bytes / (10 * MB) - 1) < 0.05, `${remote.bytes}`)
    assert.ok(local.bytes > 300 * MB, `${local.bytes}`)
  })

  it('let both classes of one torrent go in turn where one rate holds for all', async () => {
    const { time, turns } = turnsAt(MB)
    const flow = turns.flow()
    const got = { local: 0, remote: 0 }
    for (const peerClass of ['local', 'remote'] as const) {
      const transfer: Transfer = {
        peerClass,
        run: () => {
          flow.take(peerClass, 16_384)
          got[peerClass] += 16_384
          flow.wait(transfer)
          return 16_384
        },
      }
      flow.wait(transfer)
    }
    // Past what could go at once before the second one came.
    await time.advance(1_000)
    const before = got.local - got.remote
    await time.advance(10_000)
    assert.ok(Math.abs(got.local - got.remote - before) <= 16_384, JSON.stringify(got))
  })

  it('are not saved up: who asked for nothing for a minute begins with the others', async () => {
    const { time, turns } = turnsAt(MB)
    const ask = { peers: 4, lengths: [16_384], answersMs: 0 }
    const [always, late] = [new Asking(time, turns, ask), new Asking(time, turns, ask)]
    always.begin()
    await time.advance(60_000)
    const before = always.bytes
    late.begin()
    await time.advance(2_000)
    assert.ok(Math.abs(late.bytes - MB) <= QUANTUM_BYTES, `${late.bytes}`)
    assert.ok(Math.abs(always.bytes - before - MB) <= QUANTUM_BYTES, `${always.bytes - before}`)
  })

  it('wait for who reads from a socket or a disk between two of them, and for no more than one read', async () => {
    const { time, turns } = turnsAt(MB)
    const busy = new Asking(time, turns, { peers: 5, lengths: [QUANTUM_BYTES], answersMs: 0 })
    const reading = new Asking(time, turns, { peers: 1, lengths: [16_384], answersMs: 2 })
    busy.begin()
    await time.advance(1_000)
    const before = busy.bytes
    reading.begin()
    await time.advance(10_000)
    const ratio = reading.bytes / (busy.bytes - before)
    assert.ok(ratio > 0.9 && ratio < 1.1, `${ratio}`)
    const slow = new Asking(time, turns, { peers: 1, lengths: [1_000], answersMs: 200 })
    const had = busy.bytes
    slow.begin()
    await time.advance(20_000)
    assert.ok(slow.bytes < 101_000, 'it asks for little')
    assert.ok(busy.bytes - had > (20 * MB) / 2 - CATCH_UP_BYTES, `${busy.bytes - had}`)
    let suddenly = 0
    const transfer: Transfer = {
      peerClass: 'remote',
      run: () => {
        slow.flow.take('remote', 16_384)
        suddenly += 16_384
        slow.flow.wait(transfer)
        return 16_384
      },
    }
    slow.flow.wait(transfer)
    await time.advance(3_000)
    // Three torrents ask now.
    assert.ok(suddenly > MB / 2 && suddenly < MB + CATCH_UP_BYTES, `${suddenly}`)
  })

  it('are paid back by who takes more than it said', async () => {
    const { time, turns } = turnsAt(MB)
    const [honest, greedy] = [turns.flow(), turns.flow()]
    const got = new Map<TransferFlow, number>()
    for (const [flow, said, taken] of [
      [honest, 16_384, 16_384],
      [greedy, 1_000, 131_072],
    ] as const) {
      const transfer: Transfer = {
        peerClass: 'remote',
        run: () => {
          flow.take('remote', taken)
          flow.overdrew(taken - said)
          got.set(flow, (got.get(flow) ?? 0) + taken)
          flow.wait(transfer)
          return said
        },
      }
      flow.wait(transfer)
    }
    await time.advance(20_000)
    assert.ok(Math.abs((got.get(greedy) ?? 0) / (got.get(honest) ?? 1) - 1) < 0.05, `${[...got.values()]}`)
  })

  it('do not come for who has gone, and keep no timer for nobody', async () => {
    const { time, turns } = turnsAt(1_000)
    const flow = turns.flow()
    flow.take('local', 10_000)
    let runs = 0
    const transfer: Transfer = { peerClass: 'local', run: () => ++runs }
    flow.wait(transfer)
    assert.deepEqual([turns.isIdle, flow.mayGo('local')], [false, false])
    flow.cancel(transfer)
    assert.equal(turns.isIdle, true)
    await time.advance(60_000)
    assert.equal(runs, 0)
    assert.equal(flow.mayGo('local'), true)
  })

  it('come at once to who waits as a limit is taken away, and to all of them', async () => {
    const { time, turns } = turnsAt(1_000)
    const flow = turns.flow()
    flow.take('local', 100_000)
    let runs = 0
    for (let at = 0; at < 5; at++) flow.wait({ peerClass: 'local', run: () => ++runs })
    await time.advance(1_000)
    assert.equal(runs, 0)
    turns.all.set(0)
    await time.advance(250)
    assert.equal(runs, 5)
  })
})
