import assert from 'node:assert/strict'
import { addressId, type NodeId } from '../../../src/events/index.ts'
import {
  brokenRule,
  gossipOf,
  type JudgeOptions,
  judge,
  summary,
  type TermName,
  travels,
  trustedAgainst,
  weightOf,
} from '../../../src/projections/reputation/judge.ts'
import { newLedger, newSubject, type Subject, type Tally } from '../../../src/projections/reputation/ledger.ts'
import { type Policy, SEED_V1 } from '../../../src/projections/reputation/policy.ts'
import { node } from '../envelopes.ts'
import { own } from './scenes.ts'

const [peer, ada, bob, eve] = [node('peer'), node('ada'), node('bob'), node('eve')]
/** 12 agreements, none against: 750 thousandths. */
const PROVEN = { agree: 12, disagree: 0, changedAt: 1 }
const LOUD: Policy = { ...SEED_V1, reporterClamp: 1000 }
const TRUSTING: Policy = { ...SEED_V1, trusted: [ada, bob] }

type Said = { readonly [reporter: NodeId]: Tally }
const subjectWith = (own: Tally, said: Said = {}, more: Partial<Subject> = {}): Subject => ({
  ...newSubject(peer),
  own,
  reports: new Map(
    Object.entries(said).map(([by, tally]) => [by as NodeId, { ...tally, seq: 1, weighed: true, unsaved: false }]),
  ),
  ...more,
})
/** Of ada and bob the word weighs 750 thousandths, of eve nothing. */
function ledgerWith(subject: Subject, policy: Policy = SEED_V1) {
  const ledger = newLedger(own, policy)
  ledger.subjects.set(peer, subject)
  for (const reporter of [ada, bob]) ledger.reporters.set(reporter, PROVEN)
  return ledger
}
const judged = (subject: Subject, { policy = SEED_V1, ...options }: JudgeOptions = {}) =>
  judge(ledgerWith(subject, policy), peer, options)
const standing = (subject: Subject, options: JudgeOptions = {}) => judged(subject, options).standing
const reasons = (subject: Subject, options: JudgeOptions = {}) =>
  judged(subject, options).because.map(({ name, value, because }) => [name, value, because])
const start = ['start', 100, 'where every peer starts']
const put = (...out: NodeId[]) => ({ isRevoked: (node: NodeId) => out.includes(node) })
const mark = (rule: 'sum' | 'rate' | 'thin-ice' | 'quorum') => ({ ban: { seq: 9, rule } })
/** -101 and -100 points of a reporter with 750 thousandths that is not clamped. */
const [TO_MINUS_101, TO_MINUS_100] = [
  { good: 0, bad: 27 },
  { good: 1, bad: 27 },
]

describe('the weight of a reporter', () => {
  for (const [agree, disagree, weight] of [
    [0, 0, 0],
    [0, 9, 0],
    [1, 0, 200],
    [12, 0, 750],
    [3, 1, 272],
    [4, 2, 250],
  ] as const)
    it(`is ${weight} thousandths after ${agree} agreements and ${disagree} disagreements`, () =>
      assert.equal(weightOf({ agree, disagree }), weight))

  it('is nothing where it was never measured', () => assert.equal(weightOf(undefined), 0))
})

describe('what gossip adds', () => {
  const gossip = (said: Said, policy = SEED_V1, isRevoked?: (node: NodeId) => boolean) => {
    const subject = subjectWith({ good: 0, bad: 0 }, said)
    return gossipOf(ledgerWith(subject, policy), subject, policy, isRevoked)
  }

  it('is nothing where nobody spoke, or only those without weight', () => {
    assert.deepEqual(gossip({}), { points: 0, reporters: 0, clamped: 0 })
    assert.deepEqual(gossip({ [eve]: { good: 0, bad: 100 } }), { points: 0, reporters: 0, clamped: 0 })
  })

  it('is what each says by its weight, rounded towards 0, and clamped one point past the bound', () => {
    assert.deepEqual(gossip({ [ada]: { good: 0, bad: 6 } }), { points: -22, reporters: 1, clamped: 0 })
    assert.deepEqual(gossip({ [ada]: { good: 4, bad: 7 } }), { points: -22, reporters: 1, clamped: 1 })
    assert.deepEqual(gossip({ [ada]: { good: 1, bad: 1 }, [bob]: { good: 0, bad: 2 } }), {
      ...{ points: -10, reporters: 2, clamped: 0 },
    })
  })

  it('lets praise answer slander up to the same bound, and lifts nothing', () => {
    const slander = { good: 0, bad: 6 }
    assert.deepEqual(gossip({ [ada]: slander, [bob]: { good: 4, bad: 0 } }), { points: -19, reporters: 2, clamped: 0 })
    assert.deepEqual(gossip({ [ada]: { good: 0, bad: 9 }, [bob]: { good: 31, bad: 0 } }), {
      ...{ points: 0, reporters: 2, clamped: 2 },
    })
    const ledger = ledgerWith(subjectWith({ good: 0, bad: 0 }, { [ada]: slander, [bob]: { good: 1000, bad: 0 } }))
    ledger.reporters.set(bob, { agree: 1, disagree: 0, changedAt: 1 })
    const weak = gossipOf(ledger, ledger.subjects.get(peer) as Subject, SEED_V1)
    assert.deepEqual(weak, { points: -22 + 6, reporters: 2, clamped: 1 })
    assert.equal(gossip({ [ada]: { good: 30, bad: 0 } }).points, 0)
  })

  it('leaves out those who were put out', () => {
    const said = { [ada]: { good: 0, bad: 6 }, [bob]: { good: 0, bad: 2 } }
    assert.deepEqual(gossip(said, SEED_V1, put(ada).isRevoked), { points: -7, reporters: 1, clamped: 0 })
  })
})

describe('trusted keys against a peer', () => {
  it('are those whose own evidence takes it below 0, and who are still here', () => {
    const against = (bad: number, ...out: NodeId[]) =>
      trustedAgainst(
        subjectWith({ good: 0, bad: 0 }, { [ada]: { good: 0, bad }, [eve]: { good: 0, bad } }),
        TRUSTING,
        put(...out).isRevoked,
      )
    assert.deepEqual([against(20), against(21), against(21, ada), against(21, bob)], [0, 1, 0, 1])
    const subject = subjectWith({ good: 0, bad: 0 }, { [ada]: { good: 0, bad: 21 }, [bob]: { good: 5, bad: 22 } })
    assert.equal(trustedAgainst(subject, TRUSTING), 2)
  })
})

describe('the rule that own evidence breaks', () => {
  const broken = (good: number, bad: number, moreBad?: number, policy = SEED_V1) =>
    brokenRule(subjectWith({ good, bad }), policy, moreBad)
  const inWindow = (size: number, bad: number, moreBad?: number) =>
    brokenRule(
      subjectWith({ good: 5000, bad: 10 }, {}, { window: { ring: new Uint8Array(256), next: 0, size, bad } }),
      SEED_V1,
      moreBad,
    )

  it('is the sum one point below 0, with pieces that no event has told', () => {
    assert.deepEqual([broken(0, 20), broken(0, 21), broken(0, 20, 1)], [undefined, 'sum', 'sum'])
    assert.deepEqual([broken(5, 21), broken(4, 21), broken(5, 19, 2)], [undefined, 'sum', undefined])
  })

  it('is none without a bad piece, wherever a peer starts', () => {
    const below = { ...SEED_V1, start: -1 }
    assert.deepEqual([broken(0, 0, 0, below), broken(0, 0, 1, below), broken(0, 1, 0, below)], [undefined, 'sum', 'sum'])
  })

  it('is the rate at ten bad of a hundred, not at nine, and not of ninety-nine', () => {
    assert.deepEqual([inWindow(100, 10), inWindow(100, 9), inWindow(99, 10)], ['rate', undefined, undefined])
    assert.deepEqual([inWindow(99, 9, 1), inWindow(98, 9, 1), inWindow(99, 8, 1)], ['rate', undefined, undefined])
  })

  it('is the rate at the first piece where a policy says one', () => {
    const strict = { ...SEED_V1, windowPiecesMin: 2, windowBad: 2 }
    assert.deepEqual(
      [broken(0, 0, 2, strict), broken(0, 0, 1, strict), broken(0, 2, 0, strict)],
      ['rate', undefined, undefined],
    )
  })
})

describe('a judgement', () => {
  it('of a peer that nothing is known of is where every peer starts', () => {
    assert.deepEqual(judge(newLedger(own, SEED_V1), peer), {
      ...{ score: 100, standing: 'good' },
      because: [{ name: 'start', value: 100, because: 'where every peer starts' }],
    })
    const { score } = judge(newLedger(own, SEED_V1), peer, { policy: { ...SEED_V1, start: 7 } })
    assert.equal(score, 7, 'by the policy that is asked for')
  })

  it('counts own pieces, one or several, and those that no event has told yet', () => {
    assert.deepEqual(reasons(subjectWith({ good: 1, bad: 0 })), [start, ['first-hand', 1, '1 good piece and 0 bad seen here']])
    assert.deepEqual(reasons(subjectWith({ good: 7, bad: 2 }), { moreBad: 1 }), [
      start,
      ['first-hand', -8, '7 good pieces and 3 bad seen here'],
    ])
    assert.deepEqual(reasons(subjectWith({ good: 0, bad: 1 }))[1], ['first-hand', -5, '0 good pieces and 1 bad seen here'])
    assert.equal(judged(subjectWith({ good: 7, bad: 2 }), { moreBad: 1 }).score, 92)
  })

  it('says how many reporters have weight, and how many were clamped', () => {
    const said = { [ada]: { good: 0, bad: 1 }, [eve]: { good: 0, bad: 99 } }
    assert.deepEqual(reasons(subjectWith({ good: 0, bad: 0 }, said)), [start, ['gossip', -3, '1 reporter with weight']])
    const loud = { [ada]: { good: 0, bad: 7 }, [bob]: { good: 0, bad: 1 } }
    const { score, because } = judged(subjectWith({ good: 2, bad: 0 }, loud))
    assert.equal(score, 100 + 2 - 25)
    assert.deepEqual(because.at(-1), {
      ...{ name: 'gossip', value: -25, because: '2 reporters with weight, 1 clamped to 30 points' },
    })
  })

  it('says how many reporters were put out, beside those who count', () => {
    const said = { [ada]: { good: 0, bad: 1 }, [bob]: { good: 0, bad: 1 }, [eve]: { good: 0, bad: 1 } }
    assert.deepEqual(reasons(subjectWith({ good: 0, bad: 0 }, said), put(ada, eve)), [
      start,
      ['gossip', -3, '1 reporter with weight'],
      ['revoked', 0, 'what 2 reporters said weighs nothing: put out of the network by its owner'],
    ])
    assert.match(`${reasons(subjectWith({ good: 0, bad: 0 }, said), put(eve)).at(-1)}`, /what 1 reporter said/)
  })

  it('says of how many pieces a peer on parole is suspected', () => {
    const suspected = (suspicions: number) => reasons(subjectWith({ good: 0, bad: 0 }, {}, { suspicions }))
    assert.deepEqual(suspected(1), [start, ['parole', 0, 'suspected of 1 piece, not cleared yet']])
    assert.deepEqual(suspected(2), [start, ['parole', 0, 'suspected of 2 pieces, not cleared yet']])
  })

  it('follows the operator, whatever the evidence', () => {
    const by = (decision: 'banned' | 'unbanned') => ({ operator: { decision, seq: 1, reason: 'a bot' } })
    const bannedOne = subjectWith({ good: 9, bad: 0 }, {}, by('banned'))
    assert.equal(standing(bannedOne), 'banned')
    assert.deepEqual(reasons(bannedOne).at(-1), ['operator', 0, 'banned by the operator: a bot'])
    const free = subjectWith({ good: 0, bad: 30 }, {}, { ...by('unbanned'), ...mark('sum') })
    assert.deepEqual([judged(free).score, standing(free), standing(free, { moreBad: 1 })], [-50, 'good', 'good'])
    assert.deepEqual(reasons(free).at(-1), ['operator', 0, 'unbanned by the operator: a bot'])
  })

  it('keeps every ban that an event has marked, and says by which rule', () => {
    const reasonOf = (rule: 'sum' | 'rate' | 'thin-ice' | 'quorum', policy = SEED_V1, said: Said = {}) => {
      const subject = subjectWith({ good: 50, bad: 1 }, said, mark(rule))
      assert.equal(standing(subject, { policy }), 'banned')
      return reasons(subject, { policy }).at(-1)
    }
    assert.equal(reasonOf('sum')?.[0], 'first-hand')
    assert.deepEqual(reasonOf('rate'), ['rate', 0, '10 or more bad among its last 256 pieces here'])
    assert.deepEqual(reasonOf('thin-ice'), ['thin-ice', 0, "a bad piece here while others' word had it below 0"])
    const said = { [ada]: { good: 0, bad: 21 }, [bob]: { good: 0, bad: 21 } }
    assert.deepEqual(reasonOf('quorum', TRUSTING, said), ['quorum', 0, 'the evidence of 2 trusted keys'])
  })

  it('puts on thin ice one point below 0, without the mark of an event', () => {
    assert.equal(standing(subjectWith({ good: 0, bad: 20 })), 'good')
    // As under a policy that is stricter than the one under which it was counted.
    assert.equal(standing(subjectWith({ good: 0, bad: 21 })), 'thin-ice')
    const said = { [eve]: { good: 0, bad: 1 } }
    assert.equal(standing(subjectWith({ good: 0, bad: 21 }, said), put(eve)), 'thin-ice')
  })

  it('bans for a piece that no event has told only who was below 0 before it', () => {
    const heard = (said: Tally, own = { good: 0, bad: 0 }) => subjectWith(own, { [ada]: said })
    const options = { policy: LOUD, moreBad: 1 }
    assert.equal(judged(heard(TO_MINUS_101), options).score, -6)
    assert.deepEqual(reasons(heard(TO_MINUS_101), options).at(-1)?.[0], 'thin-ice')
    assert.equal(standing(heard(TO_MINUS_101), options), 'banned')
    assert.equal(standing(heard(TO_MINUS_100), options), 'thin-ice')
    assert.equal(standing(heard(TO_MINUS_101), { policy: LOUD }), 'thin-ice')
    assert.equal(standing(heard(TO_MINUS_100, { good: 0, bad: 19 }), { ...options, moreBad: 2 }), 'banned')
    assert.equal(judged(subjectWith({ good: 0, bad: 20 }), { moreBad: 1 }).because.at(-1)?.name, 'first-hand')
    assert.equal(standing(subjectWith({ good: 0, bad: 20 }), { moreBad: 1 }), 'banned')
  })
})

describe('a ban that the word of others made', () => {
  const gone = { [eve]: { good: 0, bad: 1 } }
  const onIce = (own: Tally, said: Said, more: Partial<Subject> = {}) =>
    subjectWith(own, { ...said, ...gone }, { ...mark('thin-ice'), ...more })

  it('holds while nobody was put out, even if others think better of the peer by now', () => {
    assert.equal(standing(subjectWith({ good: 0, bad: 1 }, {}, mark('thin-ice'))), 'banned')
    assert.equal(standing(onIce({ good: 0, bad: 1 }, {})), 'banned')
  })

  it('is void once those who are left would not have had it below 0 before its bad piece', () => {
    const options = { policy: LOUD, ...put(eve) }
    assert.equal(standing(onIce({ good: 0, bad: 1 }, { [ada]: TO_MINUS_101 }), options), 'banned')
    assert.equal(standing(onIce({ good: 0, bad: 1 }, { [ada]: TO_MINUS_100 }), options), 'thin-ice')
    assert.equal(standing(onIce({ good: 1, bad: 1 }, { [ada]: TO_MINUS_101 }), options), 'thin-ice')
    assert.equal(standing(onIce({ good: 0, bad: 1 }, {}), options), 'good')
  })

  it('is void and leaves what own evidence alone says by now', () => {
    const window = { ring: new Uint8Array(256), next: 0, size: 100, bad: 10 }
    assert.equal(reasons(onIce({ good: 900, bad: 10 }, {}, { window }), put(eve)).at(-1)?.[0], 'rate')
    assert.equal(standing(onIce({ good: 900, bad: 10 }, {}, { window }), put(eve)), 'banned')
    // The piece that is left out when the ice is looked at counts for the sum.
    const summed = onIce({ good: 0, bad: 21 }, {})
    assert.deepEqual([standing(summed, put(eve)), reasons(summed, put(eve)).at(-1)?.[0]], ['banned', 'revoked'])
  })

  it('of trusted keys is void once too few of them are left', () => {
    const against = { good: 0, bad: 21 }
    const quorum = (said: Said) => subjectWith({ good: 0, bad: 0 }, { ...said, ...gone }, mark('quorum'))
    const both = quorum({ [ada]: against, [bob]: against })
    assert.equal(standing(both, { policy: TRUSTING, ...put(bob) }), 'good')
    assert.equal(standing(both, { policy: TRUSTING, ...put(eve) }), 'banned')
    const three = { ...SEED_V1, trusted: [ada, bob, node('third')] }
    const all = quorum({ [ada]: against, [bob]: against, [node('third')]: against })
    assert.equal(standing(all, { policy: three, ...put(bob) }), 'banned')
    assert.equal(standing(all, { policy: three, ...put(bob, ada) }), 'good')
    assert.match(`${reasons(all, { policy: three, ...put(bob) }).at(-1)}`, /evidence of 2 trusted keys/)
    // They changed their mind: that alone lifts nothing, whoever else was put out.
    assert.equal(standing(quorum({ [ada]: against }), { policy: TRUSTING, ...put(eve) }), 'banned')
  })

  it('is none that own evidence made', () => {
    for (const rule of ['sum', 'rate'] as const)
      assert.equal(standing(subjectWith({ good: 0, bad: 1 }, gone, mark(rule)), put(eve)), 'banned')
  })
})

describe('the summary of a judgement', () => {
  const ORDER: TermName[] = ['operator', 'rate', 'thin-ice', 'quorum', 'first-hand', 'gossip', 'start']
  const of = (names: readonly TermName[]) =>
    summary({ score: 0, standing: 'good', because: names.map((name) => ({ name, value: 0, because: `by ${name}` })) })

  for (const [place, name] of ORDER.entries())
    it(`is ${name} where nothing that weighs more is there`, () =>
      assert.equal(of(['parole', 'revoked', ...ORDER.slice(place).reverse()]), `by ${name}`))

  it('is empty where nothing decides', () => assert.equal(of(['parole', 'revoked']), ''))
})

describe('verdicts about an address', () => {
  it('stay here, those about a node travel', () => {
    assert.deepEqual([travels(peer), travels(addressId('192.0.2.7'))], [true, false])
  })
})
