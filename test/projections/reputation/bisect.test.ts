import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Envelope, Event, NodeId } from '../../../src/events/index.ts'
import {
  ANCESTOR,
  type Bisection,
  Bisector,
  finish,
  type Policy,
  parametersOf,
  replayReputation,
  SEED_V1,
  VerdictTable,
} from '../../../src/projections/reputation/index.ts'
import { node } from '../envelopes.ts'
import { judged, own, randomFrom, Scene } from './scenes.ts'

const [peer, eve, ada] = [node('peer'), node('eve'), node('ada')]

type Options = { policy?: Policy; isRevoked?: (id: NodeId) => boolean }
const bisected = (envelopes: readonly Envelope[], options: Options = {}): Bisection => {
  const table = new VerdictTable()
  for (const envelope of envelopes) table.add(envelope)
  return finish(new Bisector(table, peer, { own, ...options }).steps())
}
const standingWithout = (envelopes: readonly Envelope[], except: readonly number[], options: Options = {}) =>
  replayReputation(envelopes, { own, ...options, except: new Set(except) }).get(peer)?.standing ?? 'good'

/** How many events the smallest lifting set has, found by trying them all: of few events. */
function fewest(envelopes: readonly Envelope[], options: Options = {}): number {
  const seqs = envelopes.map(({ seq }) => seq)
  let best = seqs.length
  for (let mask = 0; mask < 1 << seqs.length; mask++) {
    const except = seqs.filter((_, index) => (mask >> index) & 1)
    if (except.length < best && standingWithout(envelopes, except, options) !== 'banned') best = except.length
  }
  return best
}

/** Rules that few pieces break. */
const SMALL: Policy = { ...SEED_V1, id: 'small', start: 10, windowPieces: 12, windowPiecesMin: 6, windowBad: 3 }
const SUM_ALONE: Policy = { ...SMALL, windowBad: 4096 }

describe('a bisection', () => {
  it('names the event that tipped it, how it stood before and after, and the fewest without which it would stand', () => {
    const scene = new Scene()
      .says(own, judged(peer, 3, 0))
      .says(own, judged(peer, 0, 1))
      .says(own, judged(peer, 0, 19))
    scene.says(own, judged(peer, 0, 2)).says(own, judged(peer, 0, 3))
    assert.deepEqual(bisected(scene.envelopes), {
      ...{ peer, standing: 'banned', lifting: [3], claim: 'smallest' },
      tipping: { seq: 4, rule: 'sum', before: { score: 3, standing: 'good' }, after: { score: -7, standing: 'banned' } },
    })
  })

  it('has nothing to say of a peer that stands, or that the operator took back', () => {
    const nothing = { peer, standing: 'good', tipping: undefined, lifting: [], claim: 'smallest' }
    assert.deepEqual(bisected([]), nothing)
    const scene = new Scene().says(own, judged(peer, 0, 30))
    assert.deepEqual(bisected(scene.says(own, { kind: 'operator.unbanned', subject: peer, reason: '' }).envelopes), nothing)
    assert.equal(bisected(scene.says(own, judged(peer, 0, 30)).envelopes).standing, 'good')
  })

  it('takes the operator’s word away, and the evidence too where that bans as well', () => {
    const banned: Event = { kind: 'operator.banned', subject: peer, reason: 'a bot' }
    const scene = new Scene().says(own, judged(peer, 1, 0)).says(own, banned)
    const { tipping, lifting, claim } = bisected(scene.envelopes)
    assert.deepEqual([tipping?.seq, tipping?.rule, lifting, claim], [2, 'operator', [2], 'smallest'])
    const both = new Scene().says(own, judged(peer, 0, 21)).says(own, banned)
    assert.deepEqual([bisected(both.envelopes).lifting, bisected(both.envelopes).claim], [[1, 2], 'irreducible'])
  })

  it('finds bans by thin ice, by trusted keys and by what others say alone', () => {
    const thin = new Scene()
    for (let index = 0; index < 20; index++)
      thin.says(eve, judged(node(`${index}`), 0, 1)).says(own, judged(node(`${index}`), 0, 1))
    thin
      .says(eve, judged(peer, 0, 100))
      .says(own, judged(peer, 0, 16))
      .says(own, judged(peer, 0, 1))
    const onIce = bisected(thin.envelopes)
    assert.deepEqual([onIce.tipping?.seq, onIce.tipping?.rule, onIce.lifting.length], [43, 'thin-ice', 1])
    assert.notEqual(standingWithout(thin.envelopes, onIce.lifting), 'banned')
    const trusting: Policy = { ...SEED_V1, trusted: [ada, eve].sort() }
    const quorum = new Scene()
      .says(ada, judged(peer, 0, 21))
      .says(eve, judged(peer, 0, 30))
      .says(eve, judged(peer, 0, 1))
    assert.deepEqual(bisected(quorum.envelopes, { policy: trusting }).tipping?.rule, 'quorum')
    assert.notEqual(
      standingWithout(quorum.envelopes, bisected(quorum.envelopes, { policy: trusting }).lifting, { policy: trusting }),
      'banned',
    )
    const gossip = bisected(quorum.envelopes, { policy: ANCESTOR })
    assert.deepEqual([gossip.tipping?.seq, gossip.tipping?.rule, gossip.claim], [1, 'gossip', 'irreducible'])
    // Of somebody who was put out, and without whose word it stands anyway.
    assert.equal(
      bisected(gossip.lifting.length > 0 ? quorum.envelopes : [], { policy: trusting, isRevoked: (id) => id === ada }).standing,
      'good',
    )
  })

  const histories = fc.array(
    fc.record({
      by: fc.constantFrom(own, own, own, eve, ada),
      subject: fc.constantFrom(peer, peer, peer, node('other')),
      good: fc.nat(6),
      bad: fc.nat(4),
    }),
    { minLength: 4, maxLength: 40, size: 'max' },
  )
  const sceneOf = (list: readonly { by: NodeId; subject: NodeId; good: number; bad: number }[]): readonly Envelope[] => {
    const scene = new Scene()
    for (const { by, subject, good, bad } of list) scene.says(by, judged(subject, good, bad))
    return scene.envelopes
  }

  for (const [name, policy] of [
    ['small', SMALL],
    ['the sum alone', SUM_ALONE],
    ['ancestor', { ...ANCESTOR, start: 10 }],
    ['with trusted keys', { ...SMALL, trusted: [ada, eve].sort() }],
  ] as const)
    it(`lifts the ban in every history, and none of it can be left out (policy ${name})`, () => {
      let bans = 0
      fc.assert(
        fc.property(histories, (list) => {
          const envelopes = sceneOf(list)
          const { standing, tipping, lifting, claim } = bisected(envelopes, { policy })
          assert.equal(standing, standingWithout(envelopes, [], { policy }))
          if (standing !== 'banned') return assert.deepEqual(lifting, [])
          bans += 1
          assert.ok(tipping !== undefined && tipping.after.standing === 'banned' && tipping.before.standing !== 'banned')
          const until = envelopes.filter(({ seq }) => seq <= tipping.seq)
          assert.equal(standingWithout(until, [], { policy }), 'banned')
          assert.notEqual(standingWithout(until, [tipping.seq], { policy }), 'banned')
          assert.notEqual(standingWithout(envelopes, lifting, { policy }), 'banned')
          assert.notEqual(claim, 'lifting')
          for (const seq of lifting)
            assert.equal(
              standingWithout(
                envelopes,
                lifting.filter((other) => other !== seq),
                { policy },
              ),
              'banned',
            )
        }),
        { numRuns: 120, seed: 5 },
      )
      assert.ok(bans > 20, `the property was tried on ${bans} bans`)
    })

  it('says "smallest" only of what no smaller set does, and finds it wherever the sum alone bans', () => {
    let smallest = 0
    const short = fc.array(fc.record({ by: fc.constantFrom(own, own, own, eve), good: fc.nat(4), bad: fc.nat(3) }), {
      minLength: 4,
      maxLength: 9,
      size: 'max',
    })
    const few = (list: readonly { by: NodeId; good: number; bad: number }[]) =>
      sceneOf(list.map((one) => ({ ...one, subject: peer })))
    for (const policy of [SUM_ALONE, SMALL])
      fc.assert(
        fc.property(short, (list) => {
          const envelopes = few(list)
          const { standing, lifting, claim } = bisected(envelopes, { policy })
          if (standing !== 'banned') return
          if (policy === SUM_ALONE) assert.equal(claim, 'smallest')
          if (claim !== 'smallest') return
          assert.equal(lifting.length, fewest(envelopes, { policy }))
          if (lifting.length > 1) smallest += 1
        }),
        { numRuns: 60, seed: 3 },
      )
    assert.ok(smallest > 10, `${smallest} sets of more than one`)
  })

  it('keeps to the policies as they were adopted', () => {
    const strict = { ...SEED_V1, bad: 50 }
    const scene = new Scene()
      .says(own, judged(peer, 0, 3))
      .says(own, { kind: 'policy.adopted', policy: 'strict', parameters: parametersOf(strict) })
    scene.says(own, judged(peer, 0, 1))
    const { lifting, claim } = bisected(scene.envelopes)
    assert.notEqual(claim, 'lifting')
    assert.notEqual(standingWithout(scene.envelopes, lifting), 'banned')
  })

  it('says so where there is too much to try: the set lifts the ban, and may be larger than it need be', () => {
    const random = randomFrom(9)
    const scene = new Scene()
    for (let index = 0; index < 6_000; index++) scene.says(own, judged(peer, 3, random() < 0.3 ? 1 : 0))
    const { lifting, claim } = bisected(scene.envelopes)
    assert.ok(lifting.length > 700, `${lifting.length}`)
    assert.equal(claim, 'lifting')
    assert.notEqual(standingWithout(scene.envelopes, lifting), 'banned')
  })
})
