import assert from 'node:assert/strict'
import { KINDS, type NodeId, type Party } from '../../../src/events/index.ts'
import {
  AUTHOR_EVENTS_BURST,
  AUTHOR_EVENTS_PER_SECOND,
  PARTY_EVENTS_BURST,
  PARTY_EVENTS_PER_SECOND,
  SpreadRates,
} from '../../../src/network/gossip/spread-rates.ts'
import { authorOf } from './gossip-at-the-door.ts'

const [guests, friends] = [authorOf(101), authorOf(102)]
const VERDICT = KINDS['piece.judged'].number
const CHATTER = KINDS['torrent.withdrawn'].number

/** Authors from 200 on are members; of the others every tenth came with the invitation of friends. */
const partyOf = (author: NodeId): Party => {
  const number = Number.parseInt(author.slice(1), 16)
  return number >= 200 ? { key: author, standing: 'member' } : { key: number % 10 === 0 ? friends : guests, standing: 'client' }
}

describe('how fast events of others are pushed on', () => {
  const taken = (rates: SpreadRates, author: number, count: number, kind: number = VERDICT, now = 0): number =>
    Array.from({ length: count }, () => rates.take({ author: authorOf(author), kind }, now)).filter(Boolean).length

  it('has a bound for all clients of one invitation, however many keys they have', () => {
    const rates = new SpreadRates({ partyOf })
    const each = AUTHOR_EVENTS_BURST / 4
    for (let key = 1; key <= 8; key++) assert.equal(taken(rates, key, each), each)
    assert.equal(8 * each, PARTY_EVENTS_BURST)
    assert.equal(taken(rates, 9, 1), 0)
    assert.equal(taken(rates, 10, 1), 1, 'another invitation')
    assert.equal(taken(rates, 9, 1, CHATTER), 1, 'what is no verdict has a rate of its own')
    assert.equal(taken(rates, 9, PARTY_EVENTS_PER_SECOND + 1, VERDICT, 1_000), PARTY_EVENTS_PER_SECOND)
  })

  it('has one for each author, of members that one alone', () => {
    const rates = new SpreadRates({ partyOf })
    for (let key = 200; key < 206; key++) assert.equal(taken(rates, key, AUTHOR_EVENTS_BURST + 1), AUTHOR_EVENTS_BURST)
    assert.equal(taken(rates, 200, AUTHOR_EVENTS_PER_SECOND + 1, VERDICT, 1_000), AUTHOR_EVENTS_PER_SECOND)
  })

  it('has the one for each author where nobody is told from anybody', () => {
    const rates = new SpreadRates({})
    for (let key = 1; key < 6; key++) assert.equal(taken(rates, key, AUTHOR_EVENTS_BURST + 1), AUTHOR_EVENTS_BURST)
  })
})
