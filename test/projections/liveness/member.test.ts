import assert from 'node:assert/strict'
import type { Envelope, EventOf, Lamport, Millis, NodeId } from '../../../src/events/index.ts'
import {
  isUnaccused,
  knowsBetter,
  MEMBER_KINDS,
  type MemberKind,
  type MemberState,
  NO_WORDS,
  outweighs,
  strongest,
  type Whereabouts,
  type Word,
  type Words,
  withWord,
  wordOf,
} from '../../../src/projections/liveness/member.ts'
import { node } from '../envelopes.ts'

const [ada, bob] = [node('ada'), node('bob')]
const word = (author: NodeId, state: MemberState, incarnation: number, lamport = 1): Word => ({
  ...{ state, incarnation },
  by: { author, lamport: lamport as Lamport, stream: 'gossip', authorSeq: lamport, at: 1 as Millis },
})
const told = (...words: readonly Word[]): Words => words.reduce((all, one) => withWord(all, bob, one), NO_WORDS)

describe('words about a member', () => {
  it('are remembered of eight incarnations, the lowest, so that none ahead drives them out', () => {
    const eight = Array.from({ length: 8 }, (_, index) => word(ada, 'suspect', index + 2))
    assert.equal(told(...eight).others.length, 8)
    const ahead = told(...eight, word(ada, 'dead', 1_000))
    assert.deepEqual(ahead, told(...eight))
    const below = told(...eight, word(ada, 'suspect', 1))
    assert.deepEqual(
      below.others.map(([first]) => first.incarnation),
      [1, 2, 3, 4, 5, 6, 7, 8],
    )
  })

  it('are remembered of four authors an incarnation, the latest', () => {
    const five = Array.from({ length: 5 }, (_, index) => word(node(`witness ${index}`), 'suspect', 1, index + 1))
    for (const order of [five, five.toReversed()]) {
      const [claim] = told(...order).others
      assert.deepEqual(
        claim?.map(({ by }) => by.lamport),
        [5, 4, 3, 2],
      )
    }
  })

  it('count against its own only from after it', () => {
    const own = word(bob, 'alive', 1, 5)
    const nobody = (): boolean => false
    assert.equal(strongest(told(own, word(ada, 'suspect', 1, 5)), nobody)?.state, 'alive')
    assert.equal(strongest(told(own, word(ada, 'suspect', 1, 6)), nobody)?.state, 'suspect')
  })

  it('of one incarnation that are its own: the stronger counts, and of the same the earlier', () => {
    const states = ['alive', 'suspect', 'dead', 'left'] as const
    for (const [index, weaker] of states.entries())
      for (const stronger of states.slice(index + 1)) {
        assert.equal(outweighs(word(ada, stronger, 1, 9), word(ada, weaker, 1, 1)), true)
        assert.equal(outweighs(word(ada, weaker, 1, 1), word(ada, stronger, 1, 9)), false)
      }
    assert.equal(outweighs(word(ada, 'alive', 2, 9), word(ada, 'left', 1, 1)), true)
    assert.equal(outweighs(word(ada, 'left', 1, 1), word(ada, 'alive', 2, 9)), false)
    assert.equal(outweighs(word(ada, 'alive', 1, 1), word(ada, 'alive', 1, 2)), true)
    assert.equal(outweighs(word(ada, 'alive', 1, 2), word(ada, 'alive', 1, 1)), false)
    assert.equal(outweighs(word(ada, 'alive', 1, 1), word(ada, 'alive', 1, 1)), false)
  })

  it('are the same object where one changes nothing', () => {
    const words = told(word(bob, 'alive', 2, 5), word(ada, 'suspect', 2, 6))
    for (const nothing of [
      word(bob, 'alive', 2, 5),
      word(bob, 'alive', 2, 8),
      word(bob, 'left', 1, 9),
      word(ada, 'dead', 1, 9),
      word(ada, 'dead', 2, 5),
      word(ada, 'suspect', 2, 6),
    ])
      assert.equal(withWord(words, bob, nothing), words)
    assert.notEqual(withWord(words, bob, word(ada, 'suspect', 2, 7)), words)
  })

  it('of others about earlier incarnations go when the member announces a later one', () => {
    const words = told(
      word(ada, 'suspect', 1, 1),
      word(ada, 'suspect', 2, 2),
      word(ada, 'suspect', 3, 3),
      word(bob, 'alive', 2, 1),
    )
    assert.deepEqual(
      words.others.map(([first]) => first.incarnation),
      [2, 3],
    )
    assert.deepEqual(words.own?.incarnation, 2)
  })

  it('stand by ascending incarnations, whatever their order', () => {
    const words = told(...[5, 2, 9, 3].map((incarnation) => word(ada, 'suspect', incarnation, incarnation)))
    assert.deepEqual(
      words.others.map(([first]) => first.incarnation),
      [2, 3, 5, 9],
    )
  })

  it('say what the member is: before its own word the highest of others', () => {
    const never = () => false
    assert.equal(strongest(NO_WORDS, never), undefined)
    assert.deepEqual(strongest(told(word(ada, 'suspect', 1, 1), word(ada, 'dead', 3, 2)), never), word(ada, 'dead', 3, 2))
    assert.deepEqual(strongest(told(word(bob, 'alive', 1, 1), word(ada, 'dead', 3, 2)), never), word(bob, 'alive', 1, 1))
    assert.deepEqual(strongest(told(word(bob, 'left', 1, 1), word(ada, 'dead', 1, 2)), never), word(bob, 'left', 1, 1))
  })

  it('of one accuser are a suspicion while another witness is there, asked of that accuser', () => {
    const own = word(bob, 'alive', 1, 1)
    const asked: NodeId[] = []
    const others = (accuser: NodeId) => asked.push(accuser) > 0
    const eve = node('eve')
    assert.equal(strongest(told(own, word(ada, 'dead', 1, 2)), others)?.state, 'suspect')
    assert.deepEqual(asked, [ada])
    assert.equal(strongest(told(own, word(ada, 'dead', 1, 2)), () => false)?.state, 'dead')
    assert.equal(strongest(told(own, word(ada, 'dead', 1, 2), word(eve, 'suspect', 1, 3)), others)?.state, 'dead')
    assert.equal(strongest(told(own, word(ada, 'dead', 1, 2), word(eve, 'dead', 1, 3)), others)?.state, 'dead')
    assert.equal(strongest(told(own, word(ada, 'dead', 1, 2), word(eve, 'alive', 1, 3)), others)?.state, 'suspect')
    assert.equal(strongest(told(own, word(ada, 'suspect', 1, 2)), others)?.state, 'suspect')
    assert.deepEqual(asked, [ada, ada], 'of deaths by one alone')
  })

  it('make it a witness where it says it is alive and nobody says otherwise', () => {
    const own = word(bob, 'alive', 1, 1)
    assert.equal(isUnaccused(told(own)), true)
    assert.equal(isUnaccused(told(own, word(ada, 'alive', 1, 2))), true)
    assert.equal(isUnaccused(told(own, word(ada, 'suspect', 1, 1))), true, 'said before')
    assert.equal(isUnaccused(told(own, word(ada, 'suspect', 2, 2))), true, 'of another incarnation')
    for (const state of ['suspect', 'dead'] as const) assert.equal(isUnaccused(told(own, word(ada, state, 1, 2))), false)
    assert.equal(isUnaccused(told(word(bob, 'left', 1, 1))), false)
    assert.equal(isUnaccused(NO_WORDS), false)
    assert.equal(isUnaccused(told(word(ada, 'alive', 1, 1))), false, 'not its own')
  })
})

describe('where a member is', () => {
  const at = (author: NodeId, incarnation: number, lamport = 1): Whereabouts => ({
    ...{ role: 'index', host: '10.0.0.1', port: 1, dhtPort: 0, incarnation },
    by: word(author, 'alive', incarnation, lamport).by,
  })

  it('is its own word over anybody’s, then the higher incarnation, then the later word', () => {
    for (const [better, worse] of [
      [at(bob, 1, 1), at(ada, 9, 9)],
      [at(bob, 2, 1), at(bob, 1, 9)],
      [at(ada, 2, 1), at(ada, 1, 9)],
      [at(bob, 1, 2), at(bob, 1, 1)],
      [at(ada, 1, 2), at(ada, 1, 1)],
    ] as const) {
      assert.equal(knowsBetter(bob, better, worse), true)
      assert.equal(knowsBetter(bob, worse, better), false)
    }
    assert.equal(knowsBetter(bob, at(bob, 1, 1), at(bob, 1, 1)), false)
  })
})

describe('the word of an event', () => {
  it('has its state, its incarnation, and its place in canonical order', () => {
    const by = { ...word(ada, 'alive', 1, 7).by, at: 9 as Millis }
    const envelope = { ...by, seq: 3, version: 1, kind: 1, payloadBytes: 5 } as unknown as Envelope
    const states = { alive: 'alive', refuted: 'alive', suspect: 'suspect', dead: 'dead', left: 'left' }
    for (const [kind, state] of Object.entries(states)) {
      const event = { kind: `member.${kind}`, subject: bob, incarnation: 4 } as unknown as EventOf<MemberKind>
      assert.deepEqual(wordOf(envelope, event), { state, incarnation: 4, by })
    }
    assert.deepEqual(
      MEMBER_KINDS.toSorted(),
      Object.keys(states)
        .map((kind) => `member.${kind}`)
        .sort(),
    )
  })
})
