import assert from 'node:assert/strict'
import type { NodeId, Party } from '../../../src/events/index.ts'
import { FIRST_HAND, FIRST_HAND_FETCH_MIN, FirstHand, PARTIES_MAX } from '../../../src/network/gossip/first-hand.ts'
import { rulesUpTo } from '../open-rules.ts'
import { authorOf, charges, Door, eventOf, peerOf, sent } from './gossip-at-the-door.ts'

// The clients 1 and 2 came with one invitation, client 3 with another; all others are members.
const guests: Party = { key: authorOf(101), standing: 'client' }
const friends: Party = { key: authorOf(102), standing: 'client' }
const PARTIES = new Map<NodeId, Party>([
  [authorOf(1), guests],
  [authorOf(2), guests],
  [authorOf(3), friends],
])
const partyOf = (author: NodeId): Party => PARTIES.get(author) ?? { key: author, standing: 'member' }
const MEMBER = peerOf(1)
const OTHER = peerOf(2)
const { burst: FIRST_HAND_BURST, perSecond: FIRST_HAND_PER_SECOND } = FIRST_HAND.client

describe('what nodes say by their own mouths', () => {
  const doorOf = (): Door => {
    const door = new Door({ rules: { ...rulesUpTo(1_000_000), partyOf } })
    door.link(authorOf(1), authorOf(2), authorOf(3), MEMBER, OTHER)
    return door
  }
  /** In messages of a hundred. */
  const say = (door: Door, from: NodeId, author: NodeId, first: number, last: number): void => {
    for (let at = first; at <= last; at += 100) {
      const count = Math.min(100, last - at + 1)
      const events = Array.from({ length: count }, (_, index) => eventOf(author, at + index))
      assert.deepEqual(charges(door.push(from, ...events)), [])
    }
  }

  it('is dropped unlooked-at above the burst of their invitation, at nobody’s cost', () => {
    const door = doorOf()
    say(door, authorOf(1), authorOf(1), 1, FIRST_HAND_BURST - 1)
    say(door, authorOf(2), authorOf(2), 1, 1)
    assert.equal(door.checked, FIRST_HAND_BURST)
    say(door, authorOf(2), authorOf(2), 2, 2)
    say(door, authorOf(2), authorOf(1), FIRST_HAND_BURST, FIRST_HAND_BURST)
    assert.equal(door.checked, FIRST_HAND_BURST, 'one more, by either of them')
    say(door, authorOf(3), authorOf(3), 1, 1)
    assert.equal(door.checked, FIRST_HAND_BURST + 1, 'another invitation has a rate of its own')
    door.now += 1_000
    say(door, authorOf(2), authorOf(2), 2, 2 + FIRST_HAND_PER_SECOND)
    assert.equal(door.checked, FIRST_HAND_BURST + 1 + FIRST_HAND_PER_SECOND, 'what was dropped may come again')
  })

  it('has a rate for each member too, with room for what it has said before', () => {
    const door = doorOf()
    const { burst, perSecond } = FIRST_HAND.member
    say(door, MEMBER, MEMBER, 1, burst + 1)
    assert.equal(door.checked, burst)
    door.now += 1_000
    say(door, MEMBER, MEMBER, burst + 1, burst + 1 + perSecond)
    say(door, OTHER, MEMBER, burst + 1 + perSecond, burst + 1 + perSecond)
    assert.equal(door.checked, burst + perSecond + 1, 'and none through others')
  })

  it('is taken from others at any rate', () => {
    const door = doorOf()
    say(door, MEMBER, authorOf(1), 1, FIRST_HAND_BURST + 1)
    say(door, authorOf(3), authorOf(2), 1, 1)
    assert.equal(door.checked, FIRST_HAND_BURST + 2)
  })

  it('is not taken faster because it comes as an answer, asked for or not', () => {
    const door = doorOf()
    const events = Array.from({ length: FIRST_HAND_BURST + 1 }, (_, index) => eventOf(authorOf(1), index + 1))
    door.hears(authorOf(1), { type: 'supply', id: 7, events, last: true })
    assert.equal(door.checked, FIRST_HAND_BURST)
  })

  it('is asked for no further than would be taken, and not for a handful', () => {
    const door = doorOf()
    const head = { author: authorOf(1), authorSeq: 100_000 }
    say(door, authorOf(1), authorOf(1), 1, 500)
    door.held.set(authorOf(1), 500)
    const [asked] = sent(door.heads(authorOf(1), head), 'fetch')
    assert.deepEqual(asked?.message.ranges, [{ author: authorOf(1), from: 501, to: FIRST_HAND_BURST }])
    const other = doorOf()
    say(other, authorOf(1), authorOf(1), 1, FIRST_HAND_BURST - FIRST_HAND_FETCH_MIN + 1)
    other.held.set(authorOf(1), FIRST_HAND_BURST)
    assert.deepEqual(sent(other.heads(authorOf(1), head), 'fetch'), [])
    assert.equal(sent(other.heads(MEMBER, head), 'fetch').length, 1, 'of a relay all is asked')
  })

  it(`is asked for while there is room for ${FIRST_HAND_FETCH_MIN}`, () => {
    for (const [used, room] of [
      [FIRST_HAND_BURST - FIRST_HAND_FETCH_MIN, FIRST_HAND_FETCH_MIN],
      [FIRST_HAND_BURST - FIRST_HAND_FETCH_MIN + 1, 0],
    ] as const) {
      const firstHand = new FirstHand({ partyOf })
      for (let count = 0; count < used; count++) firstHand.takes(authorOf(1), authorOf(1), 0)
      assert.equal(firstHand.room(authorOf(2), authorOf(2), 0), room)
      assert.equal(firstHand.room(authorOf(3), authorOf(3), 0), FIRST_HAND_BURST)
    }
  })

  it('is taken at any rate of an author whom nobody answers for', () => {
    const firstHand = new FirstHand({ partyOf: () => undefined })
    for (let count = 0; count < 5_000; count++) {
      assert.ok(firstHand.takes(MEMBER, MEMBER, 0))
      assert.ok(firstHand.takes(OTHER, MEMBER, 0))
    }
    assert.deepEqual([firstHand.room(MEMBER, MEMBER, 0), firstHand.room(OTHER, MEMBER, 0)], [Infinity, Infinity])
  })

  it(`is counted for ${PARTIES_MAX} invitations`, () => {
    const firstHand = new FirstHand({ partyOf: (author) => ({ key: author, standing: 'client' }) })
    const spend = (party: NodeId) => {
      for (let count = 0; count < FIRST_HAND_BURST; count++) assert.ok(firstHand.takes(party, party, 0))
    }
    spend(authorOf(0))
    assert.equal(firstHand.takes(authorOf(0), authorOf(0), 0), false)
    for (let party = 1; party < PARTIES_MAX; party++) firstHand.takes(authorOf(party), authorOf(party), 0)
    assert.equal(firstHand.takes(authorOf(0), authorOf(0), 0), false, 'remembered')
    for (let party = 1; party <= PARTIES_MAX; party++) firstHand.takes(authorOf(party), authorOf(party), 0)
    assert.equal(firstHand.takes(authorOf(0), authorOf(0), 0), true, 'the one that was heard longest ago is forgotten')
  })
})
