import assert from 'node:assert/strict'
import type { Event, NodeId } from '../../src/events/index.ts'
import type { Effect, Heard, Protocol, SendFailure, Timer } from '../../src/network/protocol.ts'
import { type EffectParts, ProtocolDriver } from '../../src/network/protocol-driver.ts'
import type { GossipMessage } from '../../src/network/wire.ts'
import { VirtualTime } from '../sim/virtual-time.ts'
import { eventOf } from './gossip/gossip-at-the-door.ts'

const PEER = '1'.repeat(64) as NodeId
const PRUNE: GossipMessage = { type: 'prune' }
const EVENT: Event = { kind: 'node.stopped', reason: 'x' }

type Wanted = Effect<GossipMessage, Timer>
type Input = { type: 'want'; effects: readonly Wanted[] } | Heard<GossipMessage, Timer>

/** Wants what it is told to want, and remembers what it hears. */
class Echo implements Protocol<Input, GossipMessage, Timer> {
  readonly heard: { input: Input; now: number }[] = []
  handle(input: Input, now: number): readonly Wanted[] {
    if (input.type === 'timer' && input.timer.name === 'bad') throw new Error('a fault')
    if (input.type !== 'want') this.heard.push({ input, now })
    return input.type === 'want' ? input.effects : []
  }
}

describe('the door of a protocol', () => {
  let time: VirtualTime
  let echo: Echo
  let driver: ProtocolDriver<Input, GossipMessage, Timer>
  let done: unknown[][]
  let faults: string[]
  let isUp: boolean
  let failure: SendFailure | undefined
  beforeEach(() => {
    time = new VirtualTime(0)
    echo = new Echo()
    done = []
    faults = []
    isUp = true
    failure = undefined
    const parts: EffectParts = {
      ...{ now: () => time.now(), timers: time, isUp: () => isUp },
      guarded(run) {
        try {
          run()
        } catch (error) {
          faults.push(String(error))
        }
      },
      send(effect, onFailed) {
        done.push(['send', effect.to, effect.message, effect.dial, effect.lasting, effect.urgent])
        if (failure !== undefined) onFailed(effect, failure)
      },
      append: (event) => done.push(['append', event]),
      ingest: (events) => done.push(['ingest', events]),
      supply: (to, { id, ranges }) => done.push(['supply', to, id, ranges]),
      charge: (peer, reason, evidence) => done.push(['charge', peer, reason, evidence]),
      memberGone: (member) => done.push(['member-gone', member]),
    }
    driver = new ProtocolDriver(echo, parts)
  })
  const want = (...effects: Wanted[]) => driver.feed({ type: 'want', effects })

  it('has done what the protocol wants, in that order, by whom it concerns', () => {
    const events = [eventOf(PEER, 1)]
    const ranges = [{ author: PEER, from: 1, to: 2 }]
    const evidence = { author: PEER, authorSeq: 1, lamport: 1 }
    want(
      { do: 'send', to: PEER, message: PRUNE, dial: 'by-key', lasting: true, urgent: true },
      { do: 'append', event: EVENT },
      { do: 'ingest', events },
      { do: 'supply', to: PEER, id: 3, ranges },
      { do: 'charge', peer: PEER, reason: 'flood', event: evidence },
      { do: 'charge', peer: PEER, reason: 'malformed' },
      { do: 'member-gone', member: PEER },
    )
    assert.deepEqual(done, [
      ['send', PEER, PRUNE, 'by-key', true, true],
      ['append', EVENT],
      ['ingest', events],
      ['supply', PEER, 3, ranges],
      ['charge', PEER, 'flood', evidence],
      ['charge', PEER, 'malformed', undefined],
      ['member-gone', PEER],
    ])
    assert.deepEqual(echo.heard, [])
  })

  it('tells the protocol the time with what it feeds it', async () => {
    await time.advance(5)
    const input = { type: 'message', from: PEER, message: PRUNE } as const
    driver.feed(input)
    assert.deepEqual(echo.heard, [{ input, now: 5 }])
  })

  it('tells what did not leave, and why', () => {
    failure = 'queue-full'
    want({ do: 'send', to: PEER, message: PRUNE })
    assert.deepEqual(echo.heard, [{ input: { type: 'send-failed', to: PEER, message: PRUNE, why: 'queue-full' }, now: 0 }])
  })

  it('calls back at the time of a timer, once, and moves one that is set again', async () => {
    want({ do: 'wake', afterMs: 10, timer: { name: 'a' } }, { do: 'wake', afterMs: 30, timer: { name: 'b', of: 1 } })
    await time.advance(5)
    want({ do: 'wake', afterMs: 10, timer: { name: 'a' } })
    await time.advance(100)
    assert.deepEqual(echo.heard, [
      { input: { type: 'timer', timer: { name: 'a' } }, now: 15 },
      { input: { type: 'timer', timer: { name: 'b', of: 1 } }, now: 30 },
    ])
  })

  it('tells a fault in what a timer sets off, which ends nothing else', async () => {
    want({ do: 'wake', afterMs: 1, timer: { name: 'bad' } }, { do: 'wake', afterMs: 2, timer: { name: 'a' } })
    await time.advance(5)
    assert.deepEqual([faults, echo.heard.length], [['Error: a fault'], 1])
  })

  it('sets no timer before the start and after the end', async () => {
    isUp = false
    want({ do: 'wake', afterMs: 1, timer: { name: 'a' } })
    isUp = true
    await time.advance(5)
    assert.deepEqual(echo.heard, [])
  })

  it('calls back no more once it is stopped', async () => {
    want({ do: 'wake', afterMs: 1, timer: { name: 'a' } })
    driver.stop()
    await time.advance(5)
    assert.deepEqual(echo.heard, [])
  })
})
