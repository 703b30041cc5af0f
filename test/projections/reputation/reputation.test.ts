import assert from 'node:assert/strict'
import fc from 'fast-check'
import { addressId, type Envelope, type Event, type NodeId } from '../../../src/events/index.ts'
import {
  judge,
  parametersOf,
  policyOf,
  replayReputation,
  reputationProjection,
  SEED_V1,
  summary,
} from '../../../src/projections/index.ts'
import { COUNT_MAX, count } from '../../../src/projections/reputation/ledger.ts'
import { EnvelopeMaker, foldAll, node } from '../envelopes.ts'
import { projectionLaws } from '../projection.laws.ts'
import { judged, own, randomFrom, Scene, torrent } from './scenes.ts'

const [peer, eve] = [node('peer'), node('eve')]
const stateOf = (scene: Scene) => foldAll(reputationProjection(own), scene.envelopes)
const verdictOn = (scene: Scene, subject = peer) => judge(stateOf(scene), subject)

/** Gives reporters weight: they call strangers bad, and then so do I. */
function proven(scene: Scene, reporters: readonly NodeId[], times = 12): Scene {
  for (let index = 0; index < times; index++) {
    const corrupter = node(`corrupter ${index}`)
    for (const reporter of reporters) scene.says(reporter, judged(corrupter, 0, 1))
    scene.says(own, judged(corrupter, 0, 1))
  }
  return scene
}
const named = (name: string, count: number): NodeId[] => Array.from({ length: count }, (_, index) => node(`${name} ${index}`))

describe('reputation, policy seed-v1', () => {
  it('starts a peer that nothing is known of at 100, in good standing', () => {
    const { score, standing } = verdictOn(new Scene())
    assert.deepEqual([score, standing], [100, 'good'])
  })

  it('gives a point for a good piece and takes five for a bad one', () => {
    assert.equal(verdictOn(new Scene().says(own, judged(peer, 7, 0)).says(own, judged(peer, 0, 2))).score, 97)
  })

  it('bans at the twenty-first bad piece of a peer that sends nothing else, not at the twentieth', () => {
    const scene = new Scene()
    for (let index = 0; index < 20; index++) scene.says(own, judged(peer, 0, 1))
    assert.deepEqual([verdictOn(scene).score, verdictOn(scene).standing], [0, 'good'])
    assert.equal(
      judge(stateOf(scene), peer, { policy: SEED_V1, moreBad: 1 }).standing,
      'banned',
      'also before the log has the last one',
    )
    scene.says(own, judged(peer, 0, 1))
    assert.deepEqual([verdictOn(scene).score, verdictOn(scene).standing], [-5, 'banned'])
    assert.equal(summary(verdictOn(scene)), '0 good pieces and 21 bad seen here')
  })

  it('keeps a ban, whatever good pieces were still on their way', () => {
    const scene = new Scene().says(own, judged(peer, 0, 21)).says(own, judged(peer, 500, 0))
    assert.deepEqual([verdictOn(scene).score, verdictOn(scene).standing], [495, 'banned'])
  })

  it('bans a peer of many good pieces by its rate, and says so', () => {
    const scene = new Scene().says(own, judged(peer, 5000, 0)).says(own, judged(peer, 50, 10))
    assert.equal(verdictOn(scene).standing, 'banned')
    assert.match(summary(verdictOn(scene)), /10 or more bad among its last 256/)
    assert.equal(verdictOn(new Scene().says(own, judged(peer, 5000, 0)).says(own, judged(peer, 50, 9))).standing, 'good')
  })

  it('forgets old bad pieces once 256 newer ones were good', () => {
    const scene = new Scene()
    for (let round = 0; round < 50; round++) scene.says(own, judged(peer, 0, 5)).says(own, judged(peer, 256, 0))
    assert.equal(verdictOn(scene).standing, 'good')
  })

  it('puts the sources of a piece that failed on parole, takes no point, and clears them with their next good pieces', () => {
    const suspected: Event = { kind: 'piece.suspected', infoHash: '00'.repeat(20) as never, index: 4, sources: [peer, eve] }
    const scene = new Scene().says(own, suspected)
    assert.deepEqual([verdictOn(scene).score, verdictOn(scene).standing], [100, 'good'])
    assert.equal(stateOf(scene).subjects.get(peer)?.suspicions, 1)
    scene.says(own, judged(peer, 1, 0))
    assert.equal(stateOf(scene).subjects.get(peer)?.suspicions, 0)
    assert.equal(stateOf(scene).subjects.get(eve)?.suspicions, 1)
  })

  describe('gossip', () => {
    it('weighs nothing from a key that nothing is known of, however loud and however many', () => {
      const scene = new Scene()
      for (const sybil of named('sybil', 200)) scene.says(sybil, judged(peer, 0, 100))
      assert.deepEqual([verdictOn(scene).score, verdictOn(scene).standing], [100, 'good'])
    })

    it('weighs nothing from one that only repeats what I said first', () => {
      const scene = new Scene()
      for (let index = 0; index < 50; index++) {
        const corrupter = node(`corrupter ${index}`)
        scene.says(own, judged(corrupter, 0, 1)).says(eve, judged(corrupter, 0, 1))
      }
      assert.equal(verdictOn(scene.says(eve, judged(peer, 0, 100))).score, 100)
    })

    it('is clamped for each reporter', () => {
      const scene = proven(new Scene(), [eve]).says(eve, judged(peer, 0, 1000))
      // 12 agreements, none against: 12 / 16 of 30 points.
      assert.equal(verdictOn(scene).score, 100 - 22)
    })

    it('takes weight from a reporter that contradicts what I saw', () => {
      const scene = proven(new Scene(), [eve])
      for (const honest of named('honest', 10)) scene.says(eve, judged(honest, 0, 1)).says(own, judged(honest, 10, 0))
      scene.says(eve, judged(peer, 0, 1000))
      assert.ok(verdictOn(scene).score >= 100 - 6)
    })

    it('never bans by itself: it puts on thin ice, and the first own bad piece bans', () => {
      const scene = proven(new Scene(), named('reporter', 6))
      for (const reporter of named('reporter', 6)) scene.says(reporter, judged(peer, 0, 100))
      assert.deepEqual([verdictOn(scene).score, verdictOn(scene).standing], [100 - 6 * 22, 'thin-ice'])
      assert.equal(judge(stateOf(scene), peer, { policy: SEED_V1, moreBad: 1 }).standing, 'banned')
      scene.says(own, judged(peer, 0, 1))
      assert.equal(verdictOn(scene).standing, 'banned')
    })

    describe('of reporters that were put out', () => {
      const reporters = named('reporter', 6)
      const isRevoked = (node: NodeId) => reporters.includes(node)
      const warned = () => {
        const scene = proven(new Scene(), reporters)
        for (const reporter of reporters) scene.says(reporter, judged(peer, 0, 100))
        return scene
      }
      const judgedNow = (scene: Scene) => judge(stateOf(scene), peer, { isRevoked })

      it('weighs nothing, whenever it was said, and the judgement says so', () => {
        const { score, standing, because } = judgedNow(warned())
        assert.deepEqual([score, standing], [100, 'good'])
        assert.match(because.find(({ name }) => name === 'revoked')?.because ?? '', /what 6 reporters said weighs nothing/)
        assert.equal(judge(stateOf(warned()), peer, { moreBad: 1, isRevoked }).standing, 'good')
      })

      it('lifts a ban that it alone made, in a replay too, and none that own evidence makes', () => {
        const scene = warned().says(own, judged(peer, 0, 1))
        assert.equal(verdictOn(scene).standing, 'banned')
        assert.deepEqual([judgedNow(scene).score, judgedNow(scene).standing], [95, 'good'])
        const replayed = replayReputation(scene.envelopes, { own, isRevoked }).get(peer)
        assert.deepEqual(replayed, judgedNow(scene))
        // Others who are still here had warned as well.
        const others = named('honest', 6)
        const both = proven(new Scene(), [...reporters, ...others])
        for (const other of [...reporters, ...others]) both.says(other, judged(peer, 0, 100))
        assert.equal(judgedNow(both.says(own, judged(peer, 0, 1))).standing, 'banned')
        // Its mark stands where that of own evidence would be.
        assert.equal(judgedNow(scene.says(own, judged(peer, 0, 20))).standing, 'banned')
        assert.match(summary(judgedNow(scene)), /0 good pieces and 21 bad/)
      })

      it('lifts a ban by trusted keys when too few of them are left', () => {
        const scene = new Scene()
        const [one, two, three] = named('reporter', 3) as [NodeId, NodeId, NodeId]
        const policy = { ...SEED_V1, trusted: [one, two, three] }
        scene.says(own, { kind: 'policy.adopted', policy: 'mine', parameters: parametersOf(policy) })
        for (const trusted of [one, two, three]) scene.says(trusted, judged(peer, 0, 21))
        const without = (...gone: NodeId[]) =>
          judge(stateOf(scene), peer, { isRevoked: (node) => gone.includes(node) }).standing
        assert.deepEqual([without(), without(one), without(one, two)], ['banned', 'banned', 'good'])
      })
    })

    it('cannot lift a score: praise only answers slander', () => {
      const scene = proven(new Scene(), named('ring', 6))
      for (const friend of named('ring', 6)) scene.says(friend, judged(peer, 1000, 0))
      assert.equal(verdictOn(scene).score, 100)
    })

    it('counts nothing that a peer says of itself, nor of an address, nor of me', () => {
      const address = addressId('10.0.0.1')
      const scene = proven(new Scene(), [eve])
      scene
        .says(eve, judged(eve, 1000, 0))
        .says(eve, judged(address, 0, 100))
        .says(eve, judged(own, 0, 100))
      const state = stateOf(scene)
      assert.deepEqual([state.subjects.has(eve), state.subjects.has(address), state.subjects.has(own)], [false, false, false])
    })

    it('bans when a quorum of keys that the operator trusts each has evidence enough', () => {
      const trusted = named('trusted', 2)
      const adopted: Event = { kind: 'policy.adopted', policy: 'mine', parameters: parametersOf({ ...SEED_V1, trusted }) }
      const scene = new Scene().says(own, adopted)
      scene.says(trusted[0] as NodeId, judged(peer, 0, 21)).says(trusted[1] as NodeId, judged(peer, 0, 20))
      assert.equal(verdictOn(scene).standing, 'good')
      assert.equal(verdictOn(scene.says(trusted[1] as NodeId, judged(peer, 0, 1))).standing, 'banned')
    })
  })

  describe('the operator', () => {
    const decision = (kind: 'operator.banned' | 'operator.unbanned'): Event => ({ kind, subject: peer, reason: 'because' })

    it('bans and unbans over every rule', () => {
      const scene = new Scene().says(own, judged(peer, 1000, 0)).says(own, decision('operator.banned'))
      assert.equal(verdictOn(scene).standing, 'banned')
      scene.says(own, decision('operator.unbanned')).says(own, judged(peer, 0, 300))
      assert.equal(verdictOn(scene).standing, 'good')
      assert.match(summary(verdictOn(scene)), /unbanned by the operator/)
    })

    it('is the operator of this node alone', () => {
      const scene = new Scene().says(eve, decision('operator.banned'))
      scene.says(eve, { kind: 'policy.adopted', policy: 'evil', parameters: { start: 0 } })
      assert.deepEqual([verdictOn(scene).standing, stateOf(scene).policy.id], ['good', 'seed-v1'])
    })
  })

  it('adopts a policy from its event on, and replays the past under another', () => {
    const strict = policyOf({ policy: 'strict', parameters: { bad: 50, nonsense: 3, windowPieces: -1 } })
    assert.deepEqual(strict, { ...SEED_V1, id: 'strict', bad: 50 })
    assert.deepEqual(policyOf({ policy: 'strict', parameters: parametersOf(strict) }), strict)
    const scene = new Scene().says(own, judged(peer, 0, 3))
    assert.equal(replayReputation(scene.envelopes, { own }).get(peer)?.standing, 'good')
    assert.equal(replayReputation(scene.envelopes, { own, policy: strict }).get(peer)?.standing, 'banned')
    scene.says(own, { kind: 'policy.adopted', policy: 'strict', parameters: { bad: 50 } }).says(own, judged(peer, 0, 1))
    assert.equal(verdictOn(scene).standing, 'banned')
  })

  it('replays without a reporter, and as of the past', () => {
    const scene = proven(new Scene(), [eve]).says(eve, judged(peer, 0, 1000))
    const last = scene.envelopes.length
    const scoreOf = (options: { without?: ReadonlySet<NodeId>; until?: number }) =>
      replayReputation(scene.envelopes, { own, ...options }).get(peer)?.score
    assert.deepEqual(
      [scoreOf({}), scoreOf({ without: new Set([eve]) }), scoreOf({ until: last - 1 })],
      [78, undefined, undefined],
    )
  })

  describe('pieces until a ban, by share of bad pieces (101 runs, seeds 1 to 101)', () => {
    const PIECES_MAX = 5000
    const piecesUntilBan = (share: number, seed: number): number => {
      const random = randomFrom(seed)
      const maker = new EnvelopeMaker()
      const fold = reputationProjection(own)
      const state = fold.initial()
      for (let piece = 1; piece <= PIECES_MAX; piece++) {
        const bad = random() < share
        fold.apply(state, maker.make(own, judged(peer, bad ? 0 : 1, bad ? 1 : 0), 'local'))
        if (state.subjects.get(peer)?.ban !== undefined) return piece
      }
      return Number.POSITIVE_INFINITY
    }
    const runs = (share: number): number[] =>
      Array.from({ length: 101 }, (_, index) => piecesUntilBan(share, index + 1)).sort((a, b) => a - b)

    const TABLE: readonly [share: number, medianMin: number, medianMax: number][] = [
      [1, 21, 21],
      [0.5, 40, 60],
      [0.3, 80, 100],
      [0.2, 100, 108],
      [0.15, 100, 110],
      [0.1, 100, 120],
      [0.05, 130, 260],
    ]
    for (const [share, min, max] of TABLE) {
      it(`${share * 100} %: ${min === max ? `${min}` : `${min} to ${max}`} in the median`, () => {
        const pieces = runs(share)
        const median = pieces[50] as number
        assert.ok(median >= min && median <= max, `median ${median}`)
        assert.ok((pieces[100] as number) < PIECES_MAX, 'every run ends in a ban')
      })
    }
    for (const share of [0, 0.002]) {
      it(`${share * 100} %: never in ${PIECES_MAX} pieces`, () => {
        assert.equal(runs(share)[0], Number.POSITIVE_INFINITY)
      })
    }
  })

  describe('0 honest peers banned, and every corrupter', () => {
    for (const [slanderers, camouflaged] of [
      [0.1, false],
      [0.3, false],
      [0.5, false],
      [0.5, true],
    ] as const) {
      it(`with ${slanderers * 100} % slanderers${camouflaged ? ' that tell the truth of all but their victims' : ''} (seed 7)`, () => {
        const random = randomFrom(7)
        const peers = named('p', 60)
        const corrupters = new Set(peers.slice(0, 10))
        const liars = new Set(peers.slice(10, 10 + 60 * slanderers))
        const victims = new Set(camouflaged ? peers.slice(-10) : peers.filter((id) => !corrupters.has(id)))
        const scene = new Scene()
        for (let round = 0; round < 150; round++) {
          const reporter = peers[Math.floor(random() * peers.length)] as NodeId
          for (const subject of [0, 1, 2].map(() => peers[Math.floor(random() * peers.length)] as NodeId)) {
            const lies = liars.has(reporter) && victims.has(subject)
            const isBad = corrupters.has(subject) || lies
            if (subject !== reporter) scene.says(reporter, judged(subject, isBad ? 0 : 4, isBad ? 30 : 0))
          }
          for (const subject of [0, 1, 2, 3].map(() => peers[Math.floor(random() * peers.length)] as NodeId)) {
            scene.says(own, corrupters.has(subject) ? judged(subject, 2, 4) : judged(subject, 4, 0))
          }
        }
        const judgements = replayReputation(scene.envelopes, { own })
        const banned = [...judgements].filter(([, { standing }]) => standing === 'banned').map(([id]) => id)
        assert.deepEqual(banned.sort(), [...corrupters].sort())
      })
    }
  })

  describe('laws', () => {
    const keys = [own, node('a'), node('b'), node('c')] as const
    const peers = [...keys, addressId('10.0.0.1'), addressId('fe80::1/64')] as const
    const events: fc.Arbitrary<Event> = fc.oneof(
      {
        weight: 8,
        arbitrary: fc.tuple(fc.constantFrom(...peers), fc.nat(30), fc.nat(12)).map(([id, good, bad]) => judged(id, good, bad)),
      },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom('operator.banned', 'operator.unbanned'), fc.constantFrom(...peers))
          .map(([kind, subject]): Event => ({ kind, subject, reason: 'r' })),
      },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 1, max: 40 }).map(
          (windowPieces): Event => ({
            kind: 'policy.adopted',
            policy: 'p',
            parameters: { windowPieces, windowPiecesMin: 5 },
          }),
        ),
      },
      {
        weight: 1,
        arbitrary: fc
          .subarray([...peers])
          .map((sources): Event => ({ kind: 'piece.suspected', infoHash: '00'.repeat(20) as never, index: 1, sources })),
      },
    )
    const histories: fc.Arbitrary<readonly Envelope[]> = fc
      .array(fc.tuple(fc.constantFrom(...keys), events), { maxLength: 40, size: 'max' })
      .map((said) => {
        const maker = new EnvelopeMaker()
        return said.map(([by, event]) => maker.make(by, event))
      })
    projectionLaws(() => reputationProjection(own), histories)

    describe('of a memory that is full', () => {
      const bounds = { heard: 1, weighed: 1, reports: 2, strange: 1, proven: 1 }
      projectionLaws(() => reputationProjection(own, bounds), histories)
    })
  })

  it('an operator who lifts a ban takes its mark away, so that nothing of it comes back', () => {
    const scene = new Scene().says(own, judged(node('eve'), 0, 30))
    assert.ok(foldAll(reputationProjection(own), scene.envelopes).subjects.get(node('eve'))?.ban)
    scene.says(own, { kind: 'operator.unbanned', subject: node('eve'), reason: 'a bad cable' })
    assert.equal(foldAll(reputationProjection(own), scene.envelopes).subjects.get(node('eve'))?.ban, undefined)
  })

  it('a suspect is cleared by good pieces alone, not by a verdict with bad ones among them', () => {
    const suspected: Event = { kind: 'piece.suspected', infoHash: torrent, index: 1, sources: [node('eve'), node('bob')] }
    const suspicionsAfter = (good: number, bad: number) =>
      foldAll(
        reputationProjection(own),
        new Scene().says(own, suspected).says(own, judged(node('eve'), good, bad)).envelopes,
      ).subjects.get(node('eve'))?.suspicions
    assert.deepEqual([suspicionsAfter(5, 1), suspicionsAfter(5, 0), suspicionsAfter(0, 1)], [1, 0, 1])
  })

  it('counts end at 2^40, so that sums stay exact', () => {
    const tally = { good: 0, bad: 0 }
    count(tally, COUNT_MAX, COUNT_MAX)
    count(tally, 5, 5)
    assert.deepEqual(tally, { good: COUNT_MAX, bad: COUNT_MAX })
    assert.equal(COUNT_MAX, 2 ** 40)
  })

  it('a replay up to an event has that event', () => {
    const { envelopes } = new Scene().says(own, judged(node('eve'), 1, 0)).says(own, judged(node('eve'), 2, 0))
    const score = (until: number) => replayReputation(envelopes, { own, until }).get(node('eve'))?.score
    assert.deepEqual([score(1), score(2)], [101, 103])
  })

  it('a report that was stored is stored again when it changes', () => {
    const projection = reputationProjection(own)
    const { envelopes } = new Scene().says(node('ada'), judged(node('eve'), 1, 0)).says(node('ada'), judged(node('eve'), 2, 0))
    const state = projection.initial()
    for (const envelope of envelopes) {
      projection.apply(state, envelope)
      assert.equal(projection.changes(state).filter(([key]) => key.startsWith('g/')).length, 1)
    }
  })
})
