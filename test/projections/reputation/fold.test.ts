import assert from 'node:assert/strict'
import { addressId, type Event, type NodeId } from '../../../src/events/index.ts'
import { fold } from '../../../src/projections/reputation/fold.ts'
import { HEARSAY_BOUNDS, type HearsayBounds } from '../../../src/projections/reputation/hearsay.ts'
import { newLedger } from '../../../src/projections/reputation/ledger.ts'
import { windowText } from '../../../src/projections/reputation/piece-window.ts'
import { type Policy, parametersOf, SEED_V1 } from '../../../src/projections/reputation/policy.ts'
import { node } from '../envelopes.ts'
import { judged, own, Scene, torrent } from './scenes.ts'

const [peer, other, third] = [node('peer'), node('other'), node('third')]
/** In the order of their ids. */
const [ada, bob, eve] = [node('ada'), node('bob'), node('eve')].sort() as [NodeId, NodeId, NodeId]
const NAMES = new Map<unknown, string>([
  ...([[own, 'own'] as const, [peer, 'peer'], [other, 'other'], [third, 'third']] as const),
  ...([[ada, 'ada'] as const, [bob, 'bob'], [eve, 'eve']] as const),
])
const nameOf = (id: unknown): string => NAMES.get(id) ?? `${id}`

const suspects = (...sources: NodeId[]): Event => ({ kind: 'piece.suspected', infoHash: torrent, index: 1, sources })
const decided = (kind: 'operator.banned' | 'operator.unbanned', subject = peer): Event => ({ kind, subject, reason: 'a bot' })
const adopted = (policy: Partial<Policy>): Event => ({
  ...{ kind: 'policy.adopted', policy: 'mine' },
  parameters: parametersOf({ ...SEED_V1, ...policy }),
})

/** The ledger of this node, what was said of it one after the other, and the rows that each changed. */
class Told {
  readonly ledger
  readonly #scene = new Scene()
  touched: string[] = []

  constructor(policy: Partial<Policy> = {}, bounds: Partial<HearsayBounds> = {}) {
    this.ledger = newLedger(own, { ...SEED_V1, ...policy }, { ...HEARSAY_BOUNDS, ...bounds })
  }

  says(author: NodeId, event: Event): this {
    const envelope = this.#scene.says(author, event).envelopes.at(-1)
    assert.ok(envelope)
    this.touched = []
    fold(this.ledger, envelope, {
      subject: ({ id }) => this.touched.push(`subject ${nameOf(id)}`),
      report: ({ id }, reporter) => this.touched.push(`report ${nameOf(id)} by ${nameOf(reporter)}`),
      reporter: (reporter) => this.touched.push(`reporter ${nameOf(reporter)}`),
      policy: () => this.touched.push('policy'),
    })
    return this
  }

  of(id = peer) {
    const subject = this.ledger.subjects.get(id)
    assert.ok(subject)
    return subject
  }

  get subjects(): string[] {
    return [...this.ledger.subjects.keys()].map(nameOf).sort()
  }

  measured(reporter: NodeId): [agree: number, disagree: number] | undefined {
    const found = this.ledger.reporters.get(reporter)
    return found && [found.agree, found.disagree]
  }
}

describe('an own verdict', () => {
  it('is counted with its pieces, and changes one row', () => {
    const told = new Told().says(own, judged(peer, 3, 2))
    assert.deepEqual(told.of().own, { good: 3, bad: 2 })
    assert.equal(windowText(told.of().window ?? assert.fail()), '00011')
    assert.deepEqual(told.touched, ['subject peer'])
    assert.deepEqual(told.says(own, judged(peer, 1, 0)).of().own, { good: 4, bad: 2 })
    assert.equal(windowText(told.of().window ?? assert.fail()), '000110')
  })

  it('about this node itself counts nothing', () => {
    const told = new Told().says(own, judged(own, 3, 2))
    assert.deepEqual([told.subjects, told.touched], [[], []])
  })

  it('clears a suspicion with good pieces alone: not with bad ones among them, and not without any', () => {
    const told = new Told().says(own, suspects(peer)).says(own, suspects(peer))
    const outcome = (good: number, bad: number) => told.says(own, judged(peer, good, bad)).of().suspicions
    assert.deepEqual([outcome(0, 0), outcome(5, 1), outcome(0, 1), outcome(1, 0)], [2, 2, 2, 0])
  })

  it('marks a ban where it breaks a rule, with the event and the rule, once', () => {
    const told = new Told().says(own, judged(peer, 0, 20))
    assert.equal(told.of().ban, undefined)
    assert.deepEqual(told.says(own, judged(peer, 0, 1)).of().ban, { seq: 2, rule: 'sum' })
    assert.deepEqual(told.says(own, judged(peer, 5000, 0)).of().ban, { seq: 2, rule: 'sum' })
    assert.deepEqual(told.says(own, judged(peer, 0, 10)).of().ban, { seq: 2, rule: 'sum' })
  })

  it('of good pieces marks none, even where a new policy would have', () => {
    const told = new Told().says(own, judged(peer, 9, 2)).says(own, adopted({ windowPiecesMin: 1, windowBad: 2 }))
    assert.equal(told.says(own, judged(peer, 1, 0)).of().ban, undefined)
    assert.equal(told.says(own, judged(peer, 1, 1)).of().ban?.rule, 'rate')
  })

  it('of a bad piece bans on thin ice who was below 0 before it, not who was at 0', () => {
    const warned = (start: number) => {
      const told = new Told({ start }).says(own, judged(peer, 10, 0)).says(ada, judged(peer, 0, 2))
      // 750 thousandths of ten points: 7.
      told.ledger.reporters.set(ada, { agree: 12, disagree: 0, changedAt: 2 })
      return told
    }
    assert.equal(
      warned(-3)
        .says(own, judged(peer, 4, 1))
        .of().ban,
      undefined,
    )
    assert.deepEqual(
      warned(-4)
        .says(own, judged(peer, 4, 1))
        .of().ban,
      { seq: 3, rule: 'thin-ice' },
    )
    assert.equal(
      warned(-4)
        .says(own, judged(peer, 4, 0))
        .of().ban,
      undefined,
    )
  })

  it('measures those who had an opinion before, in the order of their ids', () => {
    const told = new Told()
      .says(eve, judged(peer, 0, 1))
      .says(bob, judged(peer, 5, 1))
      .says(ada, judged(peer, 1, 0))
    told.says(own, judged(peer, 0, 1))
    assert.deepEqual([told.measured(eve), told.measured(bob), told.measured(ada)], [[1, 0], undefined, [0, 1]])
    assert.deepEqual(told.touched, ['reporter ada', 'reporter eve', 'subject peer'])
    assert.equal(told.ledger.reporters.get(eve)?.changedAt, 4)
    const turned = new Told()
      .says(ada, judged(peer, 0, 1))
      .says(eve, judged(peer, 0, 1))
      .says(own, judged(peer, 0, 1))
    assert.deepEqual(turned.touched, ['reporter ada', 'reporter eve', 'subject peer'])
  })

  it('measures nobody while my opinion stays, or is none', () => {
    const told = new Told().says(ada, judged(peer, 0, 1)).says(own, judged(peer, 5, 0))
    assert.deepEqual(told.measured(ada), [0, 1])
    assert.deepEqual(told.says(own, judged(peer, 1, 0)).measured(ada), [0, 1])
    told.says(own, judged(peer, 4, 2))
    assert.deepEqual(told.measured(ada), [0, 1], 'ten good and two bad are no opinion')
    assert.deepEqual(told.says(own, judged(peer, 0, 1)).measured(ada), [1, 1])
    assert.equal(told.ledger.reporters.get(ada)?.changedAt, 5)
  })
})

describe("another's verdict", () => {
  it('is counted as what it said, and changes its row alone', () => {
    const told = new Told().says(ada, judged(peer, 3, 1)).says(ada, judged(peer, 1, 1))
    assert.deepEqual(told.of().reports.get(ada), { good: 4, bad: 2, seq: 2, weighed: false, unsaved: false })
    assert.deepEqual(told.touched, ['report peer by ada'])
    assert.deepEqual(told.of().own, { good: 0, bad: 0 })
  })

  it('about itself, about this node or about an address counts nothing', () => {
    const told = new Told().says(ada, judged(ada, 9, 0)).says(ada, judged(own, 0, 9))
    told.says(ada, judged(addressId('192.0.2.7'), 0, 9))
    assert.deepEqual(told.subjects, [])
    assert.deepEqual(told.says(own, judged(addressId('192.0.2.7'), 1, 0)).subjects, ['ip:192.0.2.7'])
  })

  it('is measured against mine when it turns, and earns nothing by agreeing after me', () => {
    const told = new Told().says(own, judged(peer, 1, 0))
    const outcome = (good: number, bad: number) => told.says(ada, judged(peer, good, bad)).measured(ada)
    assert.equal(outcome(1, 0), undefined)
    assert.equal(outcome(4, 1), undefined, 'no opinion')
    assert.deepEqual(
      [outcome(0, 1), told.touched],
      [
        [0, 1],
        ['report peer by ada', 'reporter ada'],
      ],
    )
    assert.deepEqual(outcome(0, 1), [0, 1], 'the same opinion again')
  })

  it('is measured against nothing where I have no opinion', () => {
    assert.equal(new Told().says(ada, judged(peer, 0, 1)).measured(ada), undefined)
    assert.equal(
      new Told()
        .says(own, judged(peer, 5, 1))
        .says(ada, judged(peer, 0, 1))
        .measured(ada),
      undefined,
    )
  })

  it('is weighed from the moment that its reporter has weight, or is trusted', () => {
    const told = new Told().says(ada, judged(peer, 0, 1))
    const weighed = (id = peer) => [told.of(id).isWeighed, told.of(id).reports.get(ada)?.weighed]
    assert.deepEqual(weighed(), [false, false])
    told.says(ada, judged(other, 0, 1)).says(own, judged(other, 0, 1))
    assert.deepEqual(told.says(ada, judged(peer, 0, 1)) && weighed(), [true, true])
    told.ledger.reporters.clear()
    assert.deepEqual(told.says(ada, judged(peer, 0, 1)) && weighed(), [true, true], 'and stays so')
    const trusted = new Told({ trusted: [ada] }).says(ada, judged(peer, 0, 1))
    assert.deepEqual([trusted.of().isWeighed, trusted.of().reports.get(ada)?.weighed], [true, true])
  })

  it('bans by the quorum of trusted keys, at a bad piece that one of them tells', () => {
    const told = new Told({ trusted: [ada, bob] }).says(ada, judged(peer, 0, 21)).says(bob, judged(peer, 0, 20))
    assert.equal(told.of().ban, undefined)
    assert.deepEqual(told.says(bob, judged(peer, 0, 1)).of().ban, { seq: 3, rule: 'quorum' })
    assert.deepEqual(told.touched, ['report peer by bob', 'subject peer'])
  })

  it('of good pieces, or of a key that is not trusted, bans nobody', () => {
    const told = new Told().says(ada, judged(peer, 0, 30)).says(bob, judged(peer, 0, 30))
    told.says(own, adopted({ trusted: [ada, bob] }))
    assert.equal(told.says(eve, judged(peer, 0, 30)).of().ban, undefined)
    assert.equal(told.says(ada, judged(peer, 1, 0)).of().ban, undefined)
    assert.equal(told.says(ada, judged(peer, 0, 1)).of().ban?.rule, 'quorum')
  })
})

describe('a suspicion', () => {
  it('puts each source on parole once, if it is my own', () => {
    const told = new Told().says(own, suspects(peer, other, peer))
    assert.deepEqual([told.of().suspicions, told.of(other).suspicions], [1, 1])
    assert.deepEqual(told.touched, ['subject peer', 'subject other'])
    assert.deepEqual(told.says(ada, suspects(peer, third)).touched, [])
    assert.deepEqual([told.of().suspicions, told.subjects], [1, ['other', 'peer']])
  })
})

describe('the operator', () => {
  it('bans, and lifts the mark of a ban, at this node alone', () => {
    const told = new Told().says(own, judged(peer, 0, 21)).says(own, decided('operator.banned'))
    assert.deepEqual(told.of().operator, { decision: 'banned', seq: 2, reason: 'a bot' })
    assert.deepEqual([told.of().ban, told.touched], [{ seq: 1, rule: 'sum' }, ['subject peer']])
    told.says(ada, decided('operator.unbanned'))
    assert.deepEqual([told.of().operator?.decision, told.touched], ['banned', []])
    told.says(own, decided('operator.unbanned'))
    assert.deepEqual(told.of().operator, { decision: 'unbanned', seq: 4, reason: 'a bot' })
    assert.deepEqual([told.of().ban, told.says(own, judged(peer, 0, 1)).of().ban], [undefined, undefined])
    // A ban by hand afterwards is lifted by hand; a mark may come again meanwhile.
    told.says(own, decided('operator.banned'))
    assert.deepEqual(told.says(own, judged(peer, 0, 1)).of().ban, { seq: 7, rule: 'sum' })
  })
})

describe('a policy', () => {
  it('holds from its event on, at this node alone, and cuts the windows that are longer', () => {
    const told = new Told().says(own, judged(peer, 3, 1)).says(ada, judged(other, 1, 0))
    assert.deepEqual(told.says(ada, adopted({ windowPieces: 2 })).touched, [])
    assert.equal(told.ledger.policy.id, 'seed-v1')
    assert.deepEqual(told.says(own, adopted({ bad: 7 })).touched, ['policy'])
    assert.deepEqual([told.ledger.policy.id, told.ledger.policy.bad], ['mine', 7])
    assert.deepEqual(told.says(own, adopted({ windowPieces: 2 })).touched, ['policy', 'subject peer'])
    assert.equal(windowText(told.of().window ?? assert.fail()), '01')
    assert.equal(told.of(other).window, undefined)
    assert.equal(windowText(told.says(own, judged(peer, 0, 1)).of().window ?? assert.fail()), '11')
  })
})

describe('a memory that is full', () => {
  const FEW = { heard: 1, weighed: 1, reports: 1, strange: 1, proven: 1 }

  it('forgets who was only heard of, with what was said of it', () => {
    const told = new Told({}, FEW).says(ada, judged(peer, 1, 0)).says(bob, judged(other, 1, 0))
    assert.deepEqual([told.subjects, told.touched], [['other'], ['report other by bob', 'report peer by ada']])
  })

  const MEETINGS: readonly [string, (told: Told) => unknown][] = [
    ['judged', (told) => told.says(own, judged(peer, 1, 0))],
    ['suspected', (told) => told.says(own, suspects(peer))],
    ['decided about', (told) => told.says(own, decided('operator.banned'))],
  ]
  for (const [how, meet] of MEETINGS) {
    it(`keeps a peer that this node ${how}, and needs no room for it`, () => {
      const told = new Told({}, FEW).says(ada, judged(peer, 1, 0))
      meet(told)
      // Not of ada, who may have agreed with this node.
      told.says(bob, judged(other, 1, 0))
      assert.deepEqual(told.subjects, ['other', 'peer'])
      // Others go on speaking of it: it is still none that was only heard of.
      told.says(bob, judged(peer, 1, 0))
      assert.deepEqual(told.subjects, ['other', 'peer'])
      assert.deepEqual(told.says(bob, judged(third, 1, 0)).subjects, ['peer', 'third'])
    })
  }

  it('keeps a peer that trusted keys banned, and needs no room for it', () => {
    const told = new Told({ trusted: [ada], quorum: 1 }, { ...FEW, weighed: 1 })
    told
      .says(ada, judged(peer, 1, 0))
      .says(ada, judged(peer, 0, 30))
      .says(ada, judged(other, 1, 0))
    assert.deepEqual(told.subjects, ['other', 'peer'])
  })

  it('has one report give way to the next, and takes none without weight for one with weight', () => {
    const told = new Told({ trusted: [ada] }, FEW).says(own, judged(peer, 1, 0)).says(bob, judged(peer, 1, 0))
    assert.deepEqual(told.says(eve, judged(peer, 1, 0)).touched, ['report peer by bob', 'report peer by eve'])
    assert.deepEqual([...told.of().reports.keys()].map(nameOf), ['eve'])
    assert.deepEqual(told.says(ada, judged(peer, 1, 0)).touched, ['report peer by eve', 'report peer by ada'])
    assert.deepEqual(told.says(bob, judged(peer, 0, 1)).touched, [])
    assert.deepEqual([...told.of().reports.keys()].map(nameOf), ['ada'])
    assert.deepEqual(told.says(ada, judged(peer, 1, 0)).touched, ['report peer by ada'], 'its own stays')
  })

  it('forgets the reporter that was measured longest ago, with its row', () => {
    const told = new Told({}, { ...FEW, reports: 9 }).says(own, judged(peer, 1, 0)).says(ada, judged(peer, 0, 1))
    assert.deepEqual(told.touched, ['report peer by ada', 'reporter ada'])
    told.says(bob, judged(peer, 0, 1))
    assert.deepEqual(told.touched, ['report peer by bob', 'reporter bob', 'reporter ada'])
    assert.deepEqual([...told.ledger.reporters.keys()].map(nameOf), ['bob'])
  })
})
