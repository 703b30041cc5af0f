import assert from 'node:assert/strict'
import { PING_TIMEOUT_MS, PROBES_MAX } from '../../../src/network/membership/prober.ts'
import { MISSED_MS, PING_AGAIN_MS, ProberAtWork, peerOf, RELAY_TIMEOUT_MS, sent, seqOf, wakes } from './prober-at-work.ts'

const [PEER, OTHER, STRANGER] = [peerOf(1), peerOf(2), peerOf(9_999)]

describe('prober, of what it did not send and of what it does for others', () => {
  let at: ProberAtWork
  const begin = (options: ConstructorParameters<typeof ProberAtWork>[0] = {}) => {
    at = new ProberAtWork(options)
  }
  beforeEach(() => begin())

  describe('what did not leave', () => {
    it('is no evidence where this node did not dial: neither against the member nor for doubt', () => {
      const [ping] = sent(at.prober.tick(0), 'ping')
      assert.ok(ping)
      at.isLinked = () => false
      at.wake('unanswered', 1, PING_AGAIN_MS)
      at.prober.notSent(PEER, ping.message, 'not-dialled')
      assert.deepEqual([at.wake('missed', 1, MISSED_MS), at.countsOf(PEER), at.prober.healthMultiplier], [[], undefined, 1])
    })

    it('is evidence where it was dialled in vain, or another was, or it was said again', () => {
      for (const not of ['unreachable', 'queue-full', 'no-link'] as const) {
        begin()
        const [ping] = sent(at.prober.tick(0), 'ping')
        assert.ok(ping)
        at.prober.notSent(PEER, ping.message, not)
        at.wake('missed', 1, MISSED_MS)
        assert.equal(at.countsOf(PEER)?.beatsMissed, 1, not)
      }
      begin()
      const [ping] = sent(at.prober.tick(0), 'ping')
      assert.ok(ping)
      at.prober.notSent(OTHER, ping.message, 'not-dialled')
      at.prober.notSent(PEER, { ...ping.message, seq: 99 }, 'not-dialled')
      at.prober.notSent(PEER, { type: 'pong', seq: ping.message.seq }, 'not-dialled')
      at.wake('missed', 1, MISSED_MS)
      assert.equal(at.countsOf(PEER)?.beatsMissed, 1)
      const [again] = sent(at.prober.tick(2_000), 'ping')
      assert.ok(again)
      at.prober.notSent(PEER, again.message, 'not-dialled')
      at.wake('unanswered', again.message.seq, 2_200)
      at.wake('missed', again.message.seq, 3_000)
      assert.equal(at.countsOf(PEER)?.beatsMissed, 1, 'over a link that was there by then')
    })

    it('to a helper makes it none', () => {
      begin({ members: 5 })
      const seq = seqOf(at.prober.tick(0))
      const [first] = sent(at.wake('late', seq, PING_TIMEOUT_MS), 'ping-request')
      assert.ok(first)
      at.prober.notSent(first.to, first.message, 'not-dialled')
      at.wake('missed', seq, MISSED_MS)
      assert.equal(at.prober.healthMultiplier, 3, 'two helpers that said nothing')
    })

    it('for another ends the probe', () => {
      const [ping] = sent(at.prober.relay(OTHER, { seq: 5, target: PEER, belief: 'alive', incarnation: 1 }, 0), 'ping')
      assert.ok(ping)
      at.prober.notSent(PEER, ping.message, 'not-dialled')
      assert.deepEqual(at.wake('relay', ping.message.seq, RELAY_TIMEOUT_MS), [])
    })
  })

  describe('a probe for another', () => {
    const request = { seq: 5, target: PEER, belief: 'suspect', incarnation: 3 } as const
    const relay = (now = 0) => at.prober.relay(OTHER, request, now)

    it('pings the member, with what the other believes, and brings its answer', () => {
      const effects = relay()
      const [ping] = sent(effects, 'ping')
      assert.deepEqual([ping?.to, ping?.message.belief, ping?.message.incarnation], [PEER, 'suspect', 3])
      assert.deepEqual(wakes(effects), [
        ['again', PING_AGAIN_MS],
        ['relay', RELAY_TIMEOUT_MS],
      ])
      at.prober.doubt()
      assert.deepEqual(at.prober.pong(PEER, seqOf(effects), 20), [{ do: 'send', to: OTHER, message: { type: 'pong', seq: 5 } }])
      assert.deepEqual([at.answers.roundTripMs(PEER), at.countsOf(PEER), at.prober.healthMultiplier], [20, undefined, 2])
      assert.deepEqual(at.wake('relay', seqOf(effects), RELAY_TIMEOUT_MS), [])
    })

    it('says no in time, and then no more', () => {
      const seq = seqOf(relay())
      assert.equal(sent(at.wake('again', seq, PING_AGAIN_MS), 'ping').length, 1)
      const no = { do: 'send', to: OTHER, message: { type: 'nack', seq: 5 } }
      assert.deepEqual(at.wake('relay', seq, RELAY_TIMEOUT_MS), [no])
      assert.deepEqual(at.prober.pong(PEER, seq, 400), [])
      assert.equal(at.answers.at(PEER), 400, 'it is there')
    })

    it('is a no at once where nobody knows the member, or too many are under way', () => {
      const no = [{ do: 'send', to: OTHER, message: { type: 'nack', seq: 5 } }]
      assert.deepEqual(at.prober.relay(OTHER, { ...request, target: STRANGER }, 0), no)
      for (let count = 0; count < PROBES_MAX - 1; count++) relay()
      assert.equal(sent(relay(), 'ping').length, 1)
      assert.deepEqual(relay(), no)
    })

    it('takes no answer of anybody but the member', () => {
      const seq = seqOf(relay())
      assert.deepEqual(at.prober.pong(OTHER, seq, 10), [])
      assert.equal(at.prober.pong(PEER, seq, 20).length, 1)
    })
  })

  it('does nothing for a timer of a probe that it does not know, or of a relay that is none', () => {
    assert.deepEqual(at.wake('missed', 99, 0), [])
    const seq = seqOf(at.prober.tick(0))
    assert.deepEqual(at.wake('relay', seq, 1), [])
    assert.equal(at.prober.pong(PEER, seq, 2).length, 0)
    assert.equal(at.answers.roundTripMs(PEER), 2, 'the probe went on')
  })
})
