import assert from 'node:assert/strict'
import type { Lamport, Millis, NodeId } from '../../../src/events/index.ts'
import {
  type MemberState,
  NO_WORDS,
  strongest,
  type Word,
  type Words,
  withWord,
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
})
