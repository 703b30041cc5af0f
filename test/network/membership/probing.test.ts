import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { Membership } from '../../../src/network/membership/membership.ts'
import type { MembershipEffect, MembershipTimer } from '../../../src/network/membership/membership-protocol.ts'
import type { MembershipMessage } from '../../../src/network/wire.ts'

const id = (digit: string): NodeId => digit.repeat(64) as NodeId
const [SELF, ...OTHERS] = [...'0123456789ab'].map(id) as [NodeId, ...NodeId[]]
const address = { host: '10.0.0.1', port: 1, dhtPort: 0 }

/** One member with timers, on a clock of its own, that is linked with all others; what it sends and appends is kept. */
class Prober {
  readonly membership = new Membership({
    self: SELF,
    role: 'index',
    incarnation: 1,
    address: () => address,
    isLinked: (peer) => this.linked.has(peer),
    random: () => 0.5,
    heardAt: (peer) => this.heardAt.get(peer),
    isAdmitted: () => true,
  })
  readonly linked = new Set<NodeId>(OTHERS)
  readonly heardAt = new Map<NodeId, number>()
  readonly pings: { to: NodeId; seq: number; at: number }[] = []
  readonly asked: { to: NodeId }[] = []
  readonly accused: NodeId[] = []
  readonly #timers = new Map<string, { timer: MembershipTimer; due: number }>()
  now = 0

  constructor(others: readonly NodeId[]) {
    for (const other of others) {
      const member = { id: other, role: 'index', address, state: 'alive', incarnation: 1 } as const
      this.membership.handle({ type: 'remember', member }, 0)
    }
    this.#do(this.membership.handle({ type: 'start' }, 0))
  }

  /** Runs the timers up to a time. */
  until(at: number): void {
    for (;;) {
      const [next] = [...this.#timers].filter(([, { due }]) => due <= at).sort(([, a], [, b]) => a.due - b.due)
      if (next === undefined) break
      const [key, { timer, due }] = next
      this.#timers.delete(key)
      this.now = due
      this.#do(this.membership.handle({ type: 'timer', timer }, due))
    }
    this.now = at
  }

  /** When the first ping of the probe was sent that this ping belongs to, ms. */
  firstPingAt(ping: { seq: number }): number {
    return this.pings.find(({ seq }) => seq === ping.seq)?.at ?? Number.NaN
  }

  hears(from: NodeId, message: MembershipMessage): void {
    this.#do(this.membership.handle({ type: 'message', from, message }, this.now))
  }

  #do(effects: readonly MembershipEffect[]): void {
    for (const effect of effects) {
      if (effect.do === 'wake')
        this.#timers.set(JSON.stringify(effect.timer), { timer: effect.timer, due: this.now + effect.afterMs })
      if (effect.do === 'append' && effect.event.kind === 'member.suspect') this.accused.push(effect.event.subject)
      if (effect.do === 'send' && effect.message.type === 'ping') {
        this.pings.push({ to: effect.to, seq: effect.message.seq, at: this.now })
      }
      if (effect.do === 'send' && effect.message.type === 'ping-request') this.asked.push({ to: effect.to })
    }
  }
}

describe('probing', () => {
  it('says a ping four times in its period before it counts as missed, and once if it is answered', () => {
    const prober = new Prober(OTHERS)
    prober.until(500)
    const [first] = prober.pings
    assert.ok(first)
    prober.until(1_490)
    assert.deepEqual(
      prober.pings.map(({ to, at }) => [to, at]),
      [500, 700, 900, 1_100].map((at) => [first.to, at]),
    )
    const second = new Prober(OTHERS)
    second.until(550)
    assert.ok(second.pings[0])
    second.hears(second.pings[0].to, { type: 'pong', seq: second.pings[0].seq })
    second.until(1_499)
    assert.equal(second.pings.length, 1)
  })

  it('looks at who was missed a second time before it follows any hint, and only then suspects', () => {
    const prober = new Prober(OTHERS)
    prober.until(500)
    const missed = prober.pings[0]?.to
    assert.ok(missed)
    for (const hinted of OTHERS.filter((other) => other !== missed))
      prober.membership.handle({ type: 'link-down', peer: hinted, isHint: true }, 500)
    prober.until(1_499)
    assert.deepEqual(prober.accused, [])
    prober.pings.length = 0
    prober.until(20_000)
    assert.equal(prober.pings[0]?.to, missed)
    assert.equal(prober.accused[0], missed)
  })

  it('takes what came on the link since its first ping for an answer, and nothing older', () => {
    for (const [afterMs, isAccused] of [
      [0, true],
      [1, false],
    ] as const) {
      const prober = new Prober(OTHERS)
      prober.until(500)
      const missed = prober.pings[0]?.to
      assert.ok(missed)
      // No pong ever comes, but each time it is pinged it says something else, so long after.
      for (let end = 1_000; end <= 60_000; end += 10) {
        const last = prober.pings.findLast(({ to }) => to === missed)
        if (last !== undefined) prober.heardAt.set(missed, prober.firstPingAt(last) + afterMs)
        prober.until(end)
      }
      assert.equal(prober.accused.includes(missed), isAccused, `${afterMs} ms after the ping`)
    }
  })

  it('says nothing again before there is a link, and takes it up when there is one', () => {
    const prober = new Prober(OTHERS)
    prober.linked.clear()
    prober.until(850)
    assert.equal(prober.pings.length, 1)
    for (const other of OTHERS) prober.linked.add(other)
    prober.until(1_490)
    assert.deepEqual(
      prober.pings.map(({ at }) => at),
      [500, 900, 1_100, 1_300],
    )
  })

  it('counts the no of a helper once, however often it says so', () => {
    const prober = new Prober(OTHERS)
    prober.until(1_000)
    const [ping] = prober.pings
    const helpers = prober.asked.map(({ to }) => to)
    assert.equal(helpers.length, 3)
    assert.ok(ping)
    for (const helper of helpers) for (let time = 0; time < 10; time++) prober.hears(helper, { type: 'nack', seq: ping.seq })
    prober.until(1_490)
    // All helpers answered, so the fault is not ours; and the doubt in itself does not fall below none.
    assert.equal(prober.membership.healthMultiplier, 1)
  })
})
