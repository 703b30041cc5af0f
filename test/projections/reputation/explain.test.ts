import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Event, NodeId } from '../../../src/events/index.ts'
import { explain, parametersOf, replayReputation, SEED_V1 } from '../../../src/projections/index.ts'
import { hash, node } from '../envelopes.ts'
import { judged, own, Scene } from './scenes.ts'

const [peer, eve] = [node('peer'), node('eve')]

describe('an explanation', () => {
  it('lists what was learnt of a peer with the score after each, and names the event that tipped it', () => {
    const scene = new Scene()
      .says(own, judged(peer, 3, 0))
      .says(eve, judged(node('other'), 0, 1))
      .says(own, judged(peer, 0, 20))
      .says(own, judged(peer, 0, 1))
    const { verdicts, ban, decisive, judgement } = explain(scene.envelopes, peer, { own })
    assert.deepEqual(
      verdicts.map(({ seq, scoreAfter, standingAfter, decisive }) => [seq, scoreAfter, standingAfter, decisive]),
      [
        [1, 103, 'good', false],
        [3, 3, 'good', false],
        [4, -2, 'banned', true],
      ],
    )
    assert.deepEqual(ban, { seq: 4, rule: 'sum' })
    assert.deepEqual(decisive, [3, 4])
    assert.deepEqual(
      judgement.because.map(({ name, value }) => [name, value]),
      [
        ['start', 100],
        ['first-hand', -102],
      ],
    )
    assert.match(verdicts[2]?.evidence ?? '', /piece 0 came from it alone/)
  })

  it('tells in a sentence what was seen', () => {
    const piece = { index: 3, offset: 16_384, length: 5, expected: '0a'.repeat(20), received: 'ff'.repeat(20) }
    const sole = { ...piece, evidence: 'sole-source' as const }
    const differs = { ...piece, evidence: 'block-differs' as const }
    const verdict = (good: readonly { first: number; count: number }[], ...bad: (typeof sole | typeof differs)[]): Event => ({
      ...{ kind: 'piece.judged', subject: peer, infoHash: hash('t'), good: [...good], bad },
    })
    const evidence = (event: Event) =>
      explain(new Scene().says(own, event).envelopes, peer, { own }).verdicts.map((one) => one.evidence)
    const of = `of torrent ${hash('t').slice(0, 12)}`
    const alone = 'piece 3 came from it alone and hashed to ffffffffffff instead of 0a0a0a0a0a0a'
    const block = 'its block at 16384 of piece 3 hashed to ffffffffffff, the good copy to 0a0a0a0a0a0a'
    assert.deepEqual(
      evidence(
        verdict([
          { first: 0, count: 2 },
          { first: 9, count: 1 },
        ]),
      ),
      [`3 good, 0 bad ${of}`],
    )
    assert.deepEqual(evidence(verdict([], sole, differs)), [`0 good, 2 bad ${of}: ${alone}; ${block}`])
    assert.deepEqual(evidence(verdict([], sole, sole, sole, sole)), [
      `0 good, 4 bad ${of}: ${[alone, alone, alone, alone].join('; ')}`,
    ])
    assert.deepEqual(evidence(verdict([], sole, sole, sole, sole, differs, differs)), [
      `0 good, 6 bad ${of}: ${[alone, alone, alone, alone, 'and 2 more'].join('; ')}`,
    ])
    const suspected: Event = { kind: 'piece.suspected', infoHash: hash('t'), index: 8, sources: [node('a'), peer] }
    assert.deepEqual(evidence(suspected), ['piece 8 failed with 2 sources, nobody can be blamed yet'])
    for (const kind of ['operator.banned', 'operator.unbanned'] as const)
      assert.deepEqual(evidence({ kind, subject: peer, reason: 'for a reason' }), ['for a reason'])
    for (const other of [
      { kind: 'operator.banned', subject: eve, reason: 'x' } as const,
      { ...suspected, sources: [eve] },
      judged(eve, 1, 1),
      { kind: 'node.stopped', reason: 'x' } as const,
    ])
      assert.deepEqual(evidence(other), [])
  })

  it('says nothing of a ban that the operator took back', () => {
    const scene = new Scene()
      .says(own, judged(peer, 0, 30))
      .says(own, { kind: 'operator.unbanned', subject: peer, reason: 'x' })
    const { ban, decisive, verdicts } = explain(scene.envelopes, peer, { own })
    assert.deepEqual([ban, decisive, verdicts.map((one) => one.decisive)], [undefined, [], [false, false]])
  })

  it('names the smallest set: the heaviest verdicts, not all of them', () => {
    const scene = new Scene()
    for (let index = 0; index < 9; index++) scene.says(own, judged(peer, 0, 1))
    scene.says(own, judged(peer, 0, 11)).says(own, judged(peer, 0, 10))
    assert.deepEqual(explain(scene.envelopes, peer, { own }).decisive, [10, 11])
  })

  it('names for a ban on thin ice those who had warned, and the own bad piece', () => {
    const reporters = Array.from({ length: 6 }, (_, index) => node(`reporter ${index}`))
    const scene = new Scene()
    for (let index = 0; index < 12; index++) {
      for (const reporter of reporters) scene.says(reporter, judged(node(`bad ${index}`), 0, 1))
      scene.says(own, judged(node(`bad ${index}`), 0, 1))
    }
    const first = scene.envelopes.length + 1
    for (const reporter of reporters) scene.says(reporter, judged(peer, 0, 100))
    scene.says(own, judged(peer, 0, 1))
    const { ban, decisive } = explain(scene.envelopes, peer, { own })
    assert.deepEqual(ban, { seq: first + 6, rule: 'thin-ice' })
    assert.deepEqual(
      decisive,
      [0, 1, 2, 3, 4, 5, 6].map((index) => first + index),
    )
    // All of them were put out since.
    const lifted = explain(scene.envelopes, peer, { own, isRevoked: (node) => reporters.includes(node) })
    assert.deepEqual([lifted.judgement.standing, lifted.ban, lifted.decisive], ['good', undefined, []])
    assert.deepEqual(lifted.verdicts.at(-1)?.scoreAfter, 95)
  })

  it('names the operator’s word, and the evidence of trusted keys', () => {
    const banned: Event = { kind: 'operator.banned', subject: peer, reason: 'a bot' }
    assert.deepEqual(explain(new Scene().says(own, banned).envelopes, peer, { own }).ban, { seq: 1, rule: 'operator' })
    const trusted = [node('t1'), node('t2')]
    const scene = new Scene()
      .says(own, { kind: 'policy.adopted', policy: 'mine', parameters: parametersOf({ ...SEED_V1, trusted }) })
      .says(trusted[0] as NodeId, judged(peer, 0, 21))
      .says(eve, judged(peer, 0, 21))
      .says(trusted[1] as NodeId, judged(peer, 0, 21))
    const { ban, decisive } = explain(scene.envelopes, peer, { own })
    assert.deepEqual([ban, decisive], [{ seq: 4, rule: 'quorum' }, [2, 4]])
  })

  it('says nothing decisive of a peer that is not banned', () => {
    const { envelopes } = new Scene().says(own, judged(peer, 1, 1))
    const { ban, decisive } = explain(envelopes, peer, { own })
    assert.deepEqual([ban, decisive], [undefined, []])
  })

  it('names for every ban the event without which there was none then', () => {
    const verdicts = fc.array(
      fc.record({
        by: fc.constantFrom(own, own, eve),
        subject: fc.constantFrom(peer, node('other')),
        good: fc.nat(12),
        bad: fc.nat(9),
      }),
      { minLength: 5, maxLength: 60 },
    )
    let bans = 0
    fc.assert(
      fc.property(verdicts, (list) => {
        const scene = new Scene()
        for (const { by, subject, good, bad } of list) scene.says(by, judged(subject, good, bad))
        const { ban, decisive } = explain(scene.envelopes, peer, { own })
        const live = replayReputation(scene.envelopes, { own }).get(peer)?.standing
        assert.equal(ban !== undefined, live === 'banned')
        if (ban === undefined) return
        bans += 1
        const standing = (options: { until: number; except: ReadonlySet<number> }) =>
          replayReputation(scene.envelopes, { own, ...options }).get(peer)?.standing
        assert.notEqual(standing({ until: ban.seq, except: new Set([ban.seq]) }), 'banned')
        assert.ok(decisive.includes(ban.seq))
      }),
      { numRuns: 150, seed: 42 },
    )
    assert.ok(bans > 20, 'the property was tried on bans')
  })
})
