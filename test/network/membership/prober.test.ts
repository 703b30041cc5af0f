import assert from 'node:assert/strict'
import { LOOK_AT_LINKS_MS, PING_TIMEOUT_MS, PROBE_EVERY_MS, PROBES_MAX } from '../../../src/network/membership/prober.ts'
import { ADDRESS, SELF } from './driven-membership.ts'
import { MISSED_MS, PING_AGAIN_MS, ProberAtWork, peerOf, sent, seqOf, wakes } from './prober-at-work.ts'

const [PEER, OTHER, STRANGER] = [peerOf(1), peerOf(2), peerOf(9_999)]
const DEAD_PROBE_MS = 5_000

describe('prober', () => {
  let at: ProberAtWork
  const begin = (options: ConstructorParameters<typeof ProberAtWork>[0] = {}) => {
    at = new ProberAtWork(options)
  }
  beforeEach(() => begin())

  describe('its turn', () => {
    it('pings one member, with what is said of it, where it can be dialled, and comes again after a second', () => {
      const effects = at.prober.tick(0)
      const [ping] = sent(effects, 'ping')
      assert.deepEqual(ping, {
        ...{ do: 'send', to: PEER, dial: { host: ADDRESS.host, port: ADDRESS.port } },
        message: { type: 'ping', seq: 1, belief: 'alive', incarnation: 1 },
      })
      assert.deepEqual(wakes(effects), [
        ['probe', PROBE_EVERY_MS],
        ['unanswered', PING_AGAIN_MS],
      ])
      begin({ address: { host: '', port: 0, dhtPort: 0 } })
      assert.equal(sent(at.prober.tick(0), 'ping')[0]?.dial, 'by-key')
      begin({ members: 0 })
      assert.deepEqual(wakes(at.prober.tick(0)), [['probe', PROBE_EVERY_MS]])
    })

    it('tries one of the dead every second time, over a link that is to last', () => {
      begin({ members: 0 })
      const word = { subject: PEER, incarnation: 1, role: 'index', ...ADDRESS } as const
      at.table.fold(PEER, { kind: 'member.alive', ...word }, 1)
      for (const by of [SELF, OTHER]) at.table.fold(by, { kind: 'member.dead', ...word }, 2)
      assert.deepEqual(sent(at.prober.tick(0), 'ping'), [])
      const effects = at.prober.tick(1)
      const [ping] = sent(effects, 'ping')
      assert.deepEqual([ping?.to, ping?.lasting, ping?.message.belief], [PEER, true, 'dead'])
      assert.deepEqual(wakes(effects).at(-1), ['forget', DEAD_PROBE_MS])
      assert.deepEqual(sent(at.prober.tick(2), 'ping'), [])
      at.wake('forget', ping?.message.seq ?? -1, 5_001)
      assert.equal(at.countsOf(PEER), undefined, 'an unanswered probe of a dead one is no news')
    })

    it(`begins no probe beside ${PROBES_MAX} others`, () => {
      begin({ members: PROBES_MAX + 1 })
      at.isLinked = (peer) => peer !== peerOf(PROBES_MAX + 1)
      const looked = at.prober.lookAtLinks(0)
      assert.equal(sent(looked, 'ping').length, PROBES_MAX)
      assert.deepEqual(sent(at.prober.tick(1), 'ping'), [])
      at.wake('forget', seqOf(looked), 2)
      assert.equal(sent(at.prober.tick(3), 'ping').length, 1)
    })
  })

  it(`keeps no probe beside ${PROBES_MAX} others, but says its ping`, () => {
    begin({ members: PROBES_MAX + 1, isMember: false })
    at.prober.lookAtLinks(0)
    const ping = at.prober.ping(at.table.get(PEER) ?? assert.fail(), 0)
    assert.equal(sent(ping, 'ping').length, 1)
    at.prober.pong(PEER, seqOf(ping), 9)
    assert.deepEqual([at.answers.at(PEER), at.answers.roundTripMs(PEER)], [9, undefined])
  })

  describe('a look at the links, of a client', () => {
    it('pings who is linked, and forgets those that do not answer before the next', () => {
      begin({ members: 3, isMember: false })
      at.isLinked = (peer) => peer !== OTHER
      const effects = at.prober.lookAtLinks(0)
      assert.deepEqual(
        sent(effects, 'ping').map(({ to }) => to),
        [PEER, peerOf(3)],
      )
      assert.deepEqual(wakes(effects), [
        ['links-probe', LOOK_AT_LINKS_MS],
        ['forget', LOOK_AT_LINKS_MS],
        ['forget', LOOK_AT_LINKS_MS],
      ])
      at.prober.pong(PEER, seqOf(effects), 30)
      assert.deepEqual([at.answers.roundTripMs(PEER), at.beats.rollUp()], [30, []], 'a client records no beats')
    })

    it(`pings ${PROBES_MAX} at most, as long as they are not answered`, () => {
      begin({ members: PROBES_MAX + 1, isMember: false })
      const first = at.prober.lookAtLinks(0)
      assert.equal(sent(first, 'ping').length, PROBES_MAX)
      assert.deepEqual(sent(at.prober.lookAtLinks(1), 'ping'), [])
      at.prober.pong(PEER, seqOf(first), 2)
      assert.equal(sent(at.prober.lookAtLinks(3), 'ping').length, 1)
    })
  })

  describe('a probe', () => {
    it('is watched once it is not answered at once: three more pings, helpers, and its end', () => {
      begin({ members: 5 })
      const seq = seqOf(at.prober.tick(0))
      const watched = at.wake('unanswered', seq, PING_AGAIN_MS)
      assert.deepEqual(wakes(watched), [
        ['again', PING_AGAIN_MS],
        ['late', PING_TIMEOUT_MS - PING_AGAIN_MS],
        ['missed', MISSED_MS - PING_AGAIN_MS],
      ])
      const pings = [watched, at.wake('again', seq, 400), at.wake('again', seq, 600), at.wake('again', seq, 800)]
      assert.deepEqual(
        pings.map((effects) => sent(effects, 'ping').map(({ message, dial }) => [message.seq, dial])),
        [[[seq, undefined]], [[seq, undefined]], [[seq, undefined]], []],
      )
      const asked = sent(at.wake('late', seq, PING_TIMEOUT_MS), 'ping-request')
      assert.equal(new Set(asked.map(({ to }) => to)).size, 3)
      for (const { to, message, dial } of asked) {
        assert.notEqual(to, peerOf(5), 'the target is no helper')
        assert.deepEqual(message, { type: 'ping-request', seq, target: peerOf(5), belief: 'alive', incarnation: 1 })
        assert.deepEqual(dial, { host: ADDRESS.host, port: ADDRESS.port })
      }
    })

    it('is over when it is answered: by the member, with what that took', () => {
      const seq = seqOf(at.prober.tick(10))
      assert.deepEqual(at.prober.pong(PEER, seq, 40), [])
      assert.deepEqual([at.answers.at(PEER), at.answers.roundTripMs(PEER)], [40, 30])
      const { beatsSeen, beatsMissed, roundTripMicrosMax } = at.countsOf(PEER) ?? {}
      assert.deepEqual([beatsSeen, beatsMissed, roundTripMicrosMax], [1, 0, 30_000])
      for (const name of ['unanswered', 'again', 'late', 'missed'] as const) assert.deepEqual(at.wake(name, seq, 999), [])
    })

    it('is answered through a helper as well, which says nothing of how long it takes', () => {
      begin({ members: 2 })
      const seq = seqOf(at.prober.tick(0))
      at.prober.pong(PEER, seq, 100)
      assert.equal(at.answers.at(OTHER), Number.NEGATIVE_INFINITY, 'it was asked for nothing yet')
      at.wake('late', seq, PING_TIMEOUT_MS)
      at.prober.pong(PEER, seq, 600)
      assert.deepEqual([at.answers.at(OTHER), at.answers.roundTripMs(OTHER)], [600, undefined])
      assert.deepEqual([at.wake('missed', seq, MISSED_MS), at.countsOf(OTHER)], [[], undefined])
    })

    it('is answered too late by a member, which is there all the same; a stranger is nobody', () => {
      at.prober.pong(PEER, 77, 5)
      at.prober.pong(STRANGER, 77, 5)
      assert.deepEqual(
        [at.answers.at(PEER), at.answers.roundTripMs(PEER), at.answers.at(STRANGER)],
        [5, undefined, Number.NEGATIVE_INFINITY],
      )
    })

    it('is slower, and more patient, while the node doubts itself', () => {
      begin({ members: 5 })
      at.prober.doubt()
      at.prober.doubt()
      assert.equal(at.prober.healthMultiplier, 3)
      const effects = at.prober.tick(0)
      assert.deepEqual(wakes(effects)[0], ['probe', 3 * PROBE_EVERY_MS])
      assert.deepEqual(wakes(at.wake('unanswered', seqOf(effects), PING_AGAIN_MS)).slice(1), [
        ['late', 3 * PING_TIMEOUT_MS - PING_AGAIN_MS],
        ['missed', 3 * MISSED_MS - PING_AGAIN_MS],
      ])
      assert.deepEqual(
        wakes(at.wake('unanswered', seqOf(effects), 90_000)).map(([, afterMs]) => afterMs),
        [PING_AGAIN_MS, 0, 0],
      )
      at.prober.pong(peerOf(5), seqOf(effects), 10)
      assert.equal(at.prober.healthMultiplier, 2)
    })

    it('numbers its pings from 1 on, each another', () => {
      const seqs = [at.prober.tick(0), at.prober.tick(1), at.prober.ping(at.table.get(PEER) ?? assert.fail(), 2)].map(seqOf)
      assert.deepEqual(seqs, [1, 2, 3])
    })
  })

  describe('a probe that is missed', () => {
    it('has us look once more, and only then suspect', () => {
      assert.deepEqual(at.missedAt(0), [])
      assert.deepEqual(at.missed, [])
      const [said] = at.missedAt(1_000)
      assert.ok(said?.do === 'append' && said.event.kind === 'member.suspect')
      assert.deepEqual([said.event.subject, at.missed], [PEER, [PEER]])
      assert.equal(at.countsOf(PEER)?.beatsMissed, 2)
    })

    it('is the first again once the member has answered, or was suspected', () => {
      at.missedAt(0)
      at.prober.pong(PEER, seqOf(at.prober.tick(1_000)), 1_010)
      assert.deepEqual(at.missedAt(2_000), [])
      assert.equal(at.missedAt(3_000).length, 1)
      assert.deepEqual([at.missedAt(4_000), at.missed.length], [[], 1], 'it is alive in the table until the word is stored')
    })

    it('counts against a member that is suspected already at the first time', () => {
      const word = { subject: PEER, incarnation: 1, role: 'index', ...ADDRESS } as const
      for (const by of [OTHER, STRANGER]) at.table.fold(by, { kind: 'member.suspect', ...word }, 2)
      assert.equal(at.missedAt(0).length, 1)
      assert.deepEqual(at.missed, [PEER])
    })

    it('is no reason to declare a death once the member has answered', () => {
      const word = { subject: PEER, incarnation: 1, role: 'index', ...ADDRESS } as const
      for (const by of [OTHER, STRANGER]) at.table.fold(by, { kind: 'member.suspect', ...word }, 2)
      at.missedAt(0)
      at.prober.pong(PEER, seqOf(at.prober.tick(1_000)), 1_010)
      const [again, ...more] = at.suspicions.timeIsOver(PEER)
      assert.ok(again?.do === 'wake')
      assert.deepEqual(more, [])
      at.missedAt(2_000)
      const [dead] = at.suspicions.timeIsOver(PEER)
      assert.ok(dead?.do === 'append' && dead.event.kind === 'member.dead')
    })

    it('says nothing of a member that is dead or forgotten by then', () => {
      const seq = seqOf(at.prober.tick(0))
      at.table.fold(PEER, { kind: 'member.left', subject: PEER, incarnation: 1, role: 'index', ...ADDRESS }, 2)
      assert.deepEqual([at.wake('missed', seq, MISSED_MS), at.missed], [[], []])
    })

    it('has the node doubt itself by each helper that says nothing, by one without any, and less where one says no', () => {
      at.missedAt(0)
      assert.equal(at.prober.healthMultiplier, 2)
      begin({ members: 5 })
      at.missedAt(0)
      assert.equal(at.prober.healthMultiplier, 4)
      at.missedAt(1_000, 1)
      assert.equal(at.prober.healthMultiplier, 3)
    })

    it('counts the no of a helper once, and of nobody else', () => {
      begin({ members: 5 })
      const seq = seqOf(at.prober.tick(0))
      at.prober.nack(STRANGER, seq)
      at.prober.nack(PEER, seq)
      at.prober.nack(PEER, 99)
      at.wake('late', seq, PING_TIMEOUT_MS)
      at.wake('missed', seq, MISSED_MS)
      assert.equal(at.prober.healthMultiplier, 4, 'whoever was not asked has said nothing')
    })
  })
})
