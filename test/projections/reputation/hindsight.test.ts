import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Envelope } from '../../../src/events/index.ts'
import { finish, HindsightView, judge, ReputationReplayer, VerdictTable } from '../../../src/projections/reputation/index.ts'
import { EnvelopeMaker, node, rearranged } from '../envelopes.ts'
import { judged, own } from './scenes.ts'

const [peer, eve] = [node('peer'), node('eve')]

const tableOf = (envelopes: readonly Envelope[]): VerdictTable => {
  const table = new VerdictTable()
  for (const envelope of envelopes) assert.ok(table.add(envelope))
  return table
}
const replayed = (envelopes: readonly Envelope[]) => {
  const replayer = new ReputationReplayer({ own })
  for (const envelope of envelopes) replayer.take(envelope)
  return replayer.ledger
}

describe('two times', () => {
  it('are one where each report came in time', () => {
    const maker = new EnvelopeMaker()
    const view = new HindsightView(tableOf([maker.make(eve, judged(peer, 0, 3)), maker.make(own, judged(peer, 0, 3))]), { own })
    assert.ok(view.isOneTime)
    const late = new HindsightView(
      tableOf([maker.make(own, judged(peer, 0, 3)), maker.make(eve, judged(peer, 0, 3), 'gossip', 1)]),
      { own },
    )
    assert.ok(!late.isOneTime)
  })

  it('come to what a replay in the order of the stamps comes to, whatever came when, and name an event that turns it', () => {
    let differences = 0
    const said = fc.array(
      fc.record({
        by: fc.constantFrom(own, own, eve, node('ada'), node('bob')),
        subject: fc.constantFrom(peer, node('other'), node('third')),
        good: fc.nat(3),
        bad: fc.nat(9),
        // How far ahead of its place it arrives late.
        late: fc.nat(25),
      }),
      { minLength: 20, maxLength: 60, size: 'max' },
    )
    fc.assert(
      fc.property(said, (list) => {
        const maker = new EnvelopeMaker()
        const causal = list.map(({ by, subject, good, bad }) => maker.make(by, judged(subject, good, bad)))
        // Own events arrive in their order, those of others later than they were said.
        const arrival = causal
          .map((_, index) => index)
          .sort((a, b) => {
            const at = (index: number) => index + (list[index]?.by === own ? 0 : (list[index]?.late ?? 0) + 0.5)
            return at(a) - at(b)
          })
        const arrived = rearranged(causal, arrival)
        const view = new HindsightView(tableOf(arrived), { own })
        const [then, now, inOrder] = [replayed(arrived), finish(view.ledger()), replayed(causal)]
        for (const subject of then.subjects.keys()) {
          const hindsight = finish(view.of(subject, then, now))
          assert.deepEqual(hindsight.now, judge(inOrder, subject))
          assert.deepEqual(hindsight.known, judge(then, subject))
          const differs = hindsight.known.standing !== hindsight.now.standing
          assert.equal(hindsight.difference !== undefined, differs)
          if (hindsight.difference === undefined) continue
          differences += 1
          const { seq, before, after } = hindsight.difference
          assert.equal(before, hindsight.known.standing)
          assert.notEqual(after, before)
          const event = arrived.find((envelope) => envelope.seq === seq)
          assert.ok(event !== undefined && event.author !== own, 'it is a report of another')
          assert.equal(finish(view.of(subject, then, now, false)).difference, undefined, 'unless it is not asked for')
        }
      }),
      { numRuns: 300, seed: 11 },
    )
    assert.ok(differences > 10, `the property was tried on ${differences} differences`)
  })
})

describe('a table of verdicts', () => {
  it('gives back what a fold reads, in order, through its growth', () => {
    const maker = new EnvelopeMaker()
    const envelopes = Array.from({ length: 2_500 }, (_, index) =>
      index % 100 === 7
        ? maker.make(own, { kind: 'operator.banned', subject: peer, reason: `${index}` }, 'local')
        : maker.make(index % 2 === 0 ? own : eve, judged(node(`${index % 9}`), index % 5, index % 3)),
    )
    const table = tableOf(envelopes)
    assert.ok(table.add(maker.make(own, { kind: 'node.stopped', reason: '' })), 'passed over')
    assert.equal(table.size, envelopes.length)
    const again = new ReputationReplayer({ own })
    for (let row = 0; row < table.size; row++) {
      again.take(table.envelopeAt(row))
      assert.equal(table.seqAt(row), row + 1)
    }
    const fresh = replayed(envelopes)
    for (const id of fresh.subjects.keys()) assert.deepEqual(judge(again.ledger, id), judge(fresh, id))
    assert.ok(table.compare(0, 1) < 0 && table.compare(1, 0) > 0)
    assert.equal(table.compare(3, 3), 0)
  })
})
