import type { Event, EventKind, EventOf, NodeId } from '../../../src/events/index.ts'
import { isMemberEvent, type Member } from '../../../src/network/membership/member-table.ts'
import { Membership, type MembershipOptions } from '../../../src/network/membership/membership.ts'
import type { MembershipEffect, MembershipInput, MembershipTimer } from '../../../src/network/membership/membership-protocol.ts'
import type { AppendFailure } from '../../../src/network/protocol.ts'

export const id = (digit: string): NodeId => digit.repeat(64) as NodeId
export const SELF = id('0')
export const ADDRESS = { host: '10.0.0.1', port: 1, dhtPort: 0 }

/** A membership on a clock of its own, with a log that takes what it appends, or does not. */
export class DrivenMembership {
  readonly membership: Membership
  /** Why the log takes nothing; undefined while it does. */
  failure: AppendFailure | undefined
  /** Own events, stored or not, and when they were to be appended. */
  readonly attempts: { event: Event; at: number; stored: boolean }[] = []
  readonly sent: Extract<MembershipEffect, { do: 'send' }>[] = []
  readonly #timers = new Map<string, { timer: MembershipTimer; due: number }>()
  now = 0
  /** Stamp of the last event. */
  lamport = 0

  constructor(others: readonly NodeId[], options: Partial<MembershipOptions> = {}, failure?: AppendFailure) {
    this.failure = failure
    this.membership = new Membership({
      ...{ self: SELF, role: 'index', incarnation: 1, address: () => ADDRESS, isLinked: () => true, random: () => 0.5 },
      ...{ heardAt: () => undefined, isAdmitted: () => true },
      ...options,
    })
    for (const other of others) this.remember({ id: other, role: 'index', address: ADDRESS, state: 'alive', incarnation: 1 })
    this.feed({ type: 'start' })
  }

  remember(member: Member): void {
    this.feed({ type: 'remember', member })
  }

  feed(input: MembershipInput): void {
    for (const effect of this.membership.handle(input, this.now)) this.#carryOut(effect)
  }

  /** Somebody pings us, and says what it believes of us. */
  pinged(belief: 'alive' | 'suspect' | 'dead', incarnation: number): void {
    this.feed({ type: 'message', from: id('1'), message: { type: 'ping', seq: 1, belief, incarnation } })
  }

  /** Runs the timers up to a time. */
  until(at: number): void {
    for (;;) {
      const [next] = [...this.#timers].filter(([, { due }]) => due <= at).sort(([, a], [, b]) => a.due - b.due)
      if (next === undefined) break
      const [key, { timer, due }] = next
      this.#timers.delete(key)
      this.now = due
      this.feed({ type: 'timer', timer })
    }
    this.now = at
  }

  /** When an event of this kind was to be appended, from a time on. */
  timesOf(kind: Event['kind'], from = 0): number[] {
    return this.attempts.filter(({ event, at }) => event.kind === kind && at >= from).map(({ at }) => at)
  }

  storedOf<K extends EventKind>(kind: K): EventOf<K>[] {
    return this.attempts.flatMap(({ event, stored }) => (stored && event.kind === kind ? [event as EventOf<K>] : []))
  }

  #carryOut(effect: MembershipEffect): void {
    if (effect.do === 'send') this.sent.push(effect)
    if (effect.do === 'wake')
      this.#timers.set(JSON.stringify(effect.timer), { timer: effect.timer, due: this.now + effect.afterMs })
    if (effect.do !== 'append') return
    const { event } = effect
    const why = this.failure
    this.attempts.push({ event, at: this.now, stored: why === undefined })
    if (why !== undefined) this.feed({ type: 'append-failed', event, why })
    else if (isMemberEvent(event)) this.feed({ type: 'stored', author: SELF, event, lamport: ++this.lamport })
  }
}
