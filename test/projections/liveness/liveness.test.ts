import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Envelope, Event } from '../../../src/events/index.ts'
import {
  type LivenessState,
  liveMembers,
  livenessProjection,
  MEMBER_KINDS,
  memberIn,
  nextIncarnation,
} from '../../../src/projections/index.ts'
import { EnvelopeMaker, foldAll, node } from '../envelopes.ts'
import { projectionLaws } from '../projection.laws.ts'

const own = node('own')
const [ada, bob, eve] = [node('ada'), node('bob'), node('eve')]
const at = { role: 'index', host: '10.0.0.1', port: 5000, dhtPort: 0 } as const

type Said = readonly [by: typeof ada, kind: (typeof MEMBER_KINDS)[number], incarnation: number]

function told(words: readonly Said[], subject = bob): LivenessState {
  const maker = new EnvelopeMaker()
  return foldAll(
    livenessProjection(own),
    words.map(([by, kind, incarnation]) => maker.make(by, { kind, subject, incarnation, ...at })),
  )
}

describe('liveness', () => {
  it('takes an address that is none out of a stored row, as the log reads it', () => {
    const projection = livenessProjection(own)
    const state = told([[bob, 'member.alive', 1]])
    const rows = [...projection.rows(state)].map(
      ([key, value]) => [key, value.replace('"10.0.0.1"', '"victim.example"').replace('5000', '53')] as const,
    )
    assert.match(rows.join(), /victim\.example/)
    const loaded = memberIn(projection.load(rows), bob)
    assert.deepEqual([loaded?.host, loaded?.port, loaded?.dhtPort, loaded?.state], ['', 0, 0, 'alive'])
  })

  const TABLE: readonly { words: readonly Said[]; state: string; because: string }[] = [
    { words: [[bob, 'member.alive', 1]], state: 'alive', because: 'it said so' },
    {
      words: [
        [bob, 'member.alive', 1],
        [ada, 'member.suspect', 1],
      ],
      state: 'suspect',
      because: 'suspect beats alive',
    },
    {
      words: [
        [ada, 'member.suspect', 1],
        [bob, 'member.alive', 1],
      ],
      state: 'alive',
      because: 'it announced that incarnation later than it was accused',
    },
    {
      words: [
        [ada, 'member.dead', 1],
        [eve, 'member.suspect', 1],
      ],
      state: 'dead',
      because: 'dead beats suspect',
    },
    {
      words: [
        [ada, 'member.suspect', 1],
        [bob, 'member.refuted', 2],
      ],
      state: 'alive',
      because: 'a higher incarnation wins',
    },
    {
      words: [
        [ada, 'member.dead', 1],
        [bob, 'member.alive', 2],
      ],
      state: 'alive',
      because: 'it started again',
    },
    {
      words: [
        [ada, 'member.dead', 1],
        [eve, 'member.alive', 1],
      ],
      state: 'dead',
      because: 'dead beats alive',
    },
    {
      words: [
        [bob, 'member.alive', 2],
        [ada, 'member.dead', 1],
      ],
      state: 'alive',
      because: 'that was about its past',
    },
    {
      words: [
        [bob, 'member.left', 1],
        [ada, 'member.dead', 1],
      ],
      state: 'left',
      because: 'left is final',
    },
    {
      words: [
        [bob, 'member.left', 1],
        [bob, 'member.alive', 2],
      ],
      state: 'alive',
      because: 'until it comes back',
    },
    {
      words: [
        [bob, 'member.alive', 1],
        [eve, 'member.dead', Number.MAX_SAFE_INTEGER],
      ],
      state: 'alive',
      because: 'it never announced that incarnation',
    },
    {
      words: [
        [eve, 'member.dead', 2],
        [bob, 'member.alive', 1],
        [bob, 'member.alive', 2],
      ],
      state: 'alive',
      because: 'it was accused of it before it had announced it',
    },
    {
      words: [
        [bob, 'member.alive', 1],
        [ada, 'member.left', 1],
      ],
      state: 'alive',
      because: 'nobody else can say it left',
    },
    {
      words: [
        [ada, 'member.suspect', 1],
        [eve, 'member.refuted', 2],
      ],
      state: 'suspect',
      because: 'nor refute for it',
    },
  ]
  for (const { words, state, because } of TABLE) {
    it(`is ${state} after ${words.map(([, kind, incarnation]) => `${kind} ${incarnation}`).join(', ')}: ${because}`, () => {
      assert.equal(memberIn(told(words), bob)?.state, state)
    })
  }

  describe('a death by the word of one', () => {
    const alive = [ada, bob, eve].map((who) => ({ by: who, subject: who, kind: 'member.alive' as const }))
    const stateOf = (subject: typeof ada, said: readonly { by: typeof ada; subject: typeof ada; kind: Said[1] }[]) => {
      const maker = new EnvelopeMaker()
      const envelopes = said.map(({ by, ...word }) => maker.make(by, { ...word, incarnation: 1, ...at }))
      const states = [envelopes, envelopes.toReversed()].map(
        (order) => memberIn(foldAll(livenessProjection(own), order), subject)?.state,
      )
      assert.equal(states[0], states[1], 'in either order')
      return states[0]
    }
    const accuses = (by: typeof ada, subject: typeof ada, kind: Said[1]) => ({ by, subject, kind })

    it('is a suspicion while anybody else is there who could see for himself', () => {
      assert.equal(stateOf(bob, [...alive, accuses(ada, bob, 'member.dead')]), 'suspect')
      const twice = [accuses(ada, bob, 'member.suspect'), accuses(ada, bob, 'member.dead')]
      assert.equal(stateOf(bob, [...alive, ...twice]), 'suspect', 'saying it twice makes no second witness')
      assert.equal(stateOf(bob, [...alive, accuses(ada, bob, 'member.dead'), accuses(eve, bob, 'member.alive')]), 'suspect')
      const stranger = node('stranger')
      assert.equal(stateOf(bob, [...alive.slice(0, 2), accuses(stranger, bob, 'member.dead')]), 'suspect')
    })

    it('is believed once a second one suspects the member as well', () => {
      const second = accuses(eve, bob, 'member.suspect')
      assert.equal(stateOf(bob, [...alive, accuses(ada, bob, 'member.dead'), second]), 'dead')
      assert.equal(stateOf(bob, [...alive, accuses(ada, bob, 'member.suspect'), second]), 'suspect')
    })

    it('is believed where nobody else is there to ask', () => {
      assert.equal(stateOf(bob, [...alive.slice(0, 2), accuses(ada, bob, 'member.dead')]), 'dead')
      const both = [accuses(ada, bob, 'member.dead'), accuses(ada, eve, 'member.suspect')]
      assert.equal(stateOf(bob, [...alive, ...both]), 'dead', 'a suspect is no witness')
    })
  })

  it('says since when and by whose word', () => {
    const member = memberIn(
      told([
        [bob, 'member.alive', 1],
        [ada, 'member.suspect', 1],
        [eve, 'member.suspect', 1],
      ]),
      bob,
    )
    assert.ok(member)
    assert.deepEqual([member.byWord, member.sinceLamport, member.sinceAt], [ada, 2, 1_700_000_002_000])
  })

  it("takes a member's own word about its address over anybody's", () => {
    const maker = new EnvelopeMaker()
    const state = foldAll(livenessProjection(own), [
      maker.make(bob, { kind: 'member.alive', subject: bob, incarnation: 1, ...at }),
      maker.make(eve, { kind: 'member.suspect', subject: bob, incarnation: 9, ...at, host: '6.6.6.6' }),
    ])
    assert.equal(memberIn(state, bob)?.host, '10.0.0.1')
  })

  it('lists those alive or suspected, by role', () => {
    const maker = new EnvelopeMaker()
    const alive = (who: typeof ada, role: 'index' | 'bootstrap') =>
      maker.make(who, { kind: 'member.alive', subject: who, incarnation: 1, ...at, role })
    const state = foldAll(livenessProjection(own), [
      ...[alive(ada, 'index'), alive(bob, 'bootstrap'), alive(eve, 'index')],
      maker.make(ada, { kind: 'member.dead', subject: eve, incarnation: 1, ...at }),
      maker.make(bob, { kind: 'member.suspect', subject: eve, incarnation: 1, ...at }),
    ])
    assert.deepEqual(
      liveMembers(state, 'index').map(({ id }) => id),
      [ada],
    )
    assert.deepEqual(
      liveMembers(state).map(({ id }) => id),
      [ada, bob].sort(),
    )
  })

  it('shows the last round trips of its own beats, and nobody else’s', () => {
    const maker = new EnvelopeMaker()
    const beat = (by: typeof ada, median: number) =>
      maker.make(
        by,
        {
          kind: 'heartbeat.rolled-up',
          subject: bob,
          beatsSeen: 10,
          beatsMissed: 1,
          roundTripMicrosMin: 100,
          roundTripMicrosMedian: median,
          roundTripMicrosMax: 900,
          firstAt: 1,
          lastAt: 2,
        },
        'local',
      )
    const alive = maker.make(bob, { kind: 'member.alive', subject: bob, incarnation: 1, ...at })
    const state = foldAll(livenessProjection(own), [beat(own, 200), alive, beat(own, 300), beat(eve, 7)])
    assert.equal(memberIn(state, bob)?.roundTrips?.microsMedian, 300)
  })

  it('starts above every incarnation that was ever said of it', () => {
    const maker = new EnvelopeMaker()
    const fold = livenessProjection(own)
    const started = maker.make(own, { kind: 'node.started', role: 'index', software: '1', incarnation: 4 }, 'local')
    const dead = maker.make(ada, { kind: 'member.dead', subject: own, incarnation: 6, ...at })
    assert.equal(nextIncarnation(fold.initial(), own), 1)
    assert.equal(nextIncarnation(foldAll(fold, [started]), own), 5)
    assert.equal(nextIncarnation(foldAll(fold, [started, dead]), own), 7)
  })

  describe('laws', () => {
    const names = [own, ada, bob, eve] as const
    const events: fc.Arbitrary<Event> = fc.record({
      kind: fc.constantFrom(...MEMBER_KINDS),
      subject: fc.constantFrom(...names),
      incarnation: fc.integer({ min: 1, max: 3 }),
      role: fc.constantFrom('bootstrap', 'index'),
      host: fc.constantFrom('10.0.0.1', '10.0.0.2'),
      port: fc.integer({ min: 1, max: 3 }),
      dhtPort: fc.constant(0),
    })
    const histories: fc.Arbitrary<readonly Envelope[]> = fc
      .array(fc.tuple(fc.constantFrom(...names), events, fc.integer({ min: 1, max: 5 })), { maxLength: 30, size: 'max' })
      .map((said) => {
        const maker = new EnvelopeMaker()
        return said.map(([by, event, lamport]) => maker.make(by, event, 'gossip', lamport))
      })
    projectionLaws(
      () => livenessProjection(own),
      histories,
      (rows) => rows,
    )
  })

  it('believes what others say of our incarnation up to 2^40, and nothing above', () => {
    const next = (incarnation: number) => nextIncarnation(told([[ada, 'member.dead', incarnation]], own), own)
    assert.equal(next(2 ** 40), 2 ** 40 + 1)
    assert.equal(next(2 ** 40 + 1), 1)
  })

  it('shows no address of a member that only others told', () => {
    const others = memberIn(told([[ada, 'member.alive', 1]]), bob)
    assert.deepEqual([others?.host, others?.port, others?.role], ['', 0, 'index'])
    assert.equal(memberIn(told([[bob, 'member.alive', 1]]), bob)?.host, at.host)
  })
})
