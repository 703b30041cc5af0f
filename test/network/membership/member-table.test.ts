import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { NodeId, NodeRole } from '../../../src/events/index.ts'
import { type MemberEvent, type MemberEventKind, MemberTable } from '../../../src/network/membership/member-table.ts'

const id = (digit: string): NodeId => digit.repeat(64) as NodeId
const event = (
  kind: MemberEventKind,
  incarnation: number,
  port = 1,
  role: NodeRole = 'index',
  subject = id('a'),
): MemberEvent => ({
  kind,
  subject,
  incarnation,
  role,
  host: '10.0.0.1',
  port,
  dhtPort: 0,
})

describe('member table', () => {
  const stateAfter = (...told: [author: string, kind: MemberEventKind, incarnation: number][]) => {
    const table = new MemberTable(10)
    for (const [author, kind, incarnation] of told) table.fold(id(author), event(kind, incarnation))
    return table.get(id('a'))?.state
  }

  it('believes the stronger word of one incarnation, and any word of a higher one', () => {
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.suspect', 1]), 'suspect')
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.dead', 1], ['c', 'member.suspect', 1]), 'dead')
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.dead', 1], ['a', 'member.refuted', 2]), 'alive')
    assert.equal(stateAfter(['a', 'member.alive', 2], ['b', 'member.dead', 1]), 'alive')
  })

  it('does not count a word of others about an incarnation that the member has not announced, until it has', () => {
    const huge = Number.MAX_SAFE_INTEGER
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.dead', huge]), 'alive')
    assert.equal(stateAfter(['b', 'member.dead', huge], ['a', 'member.alive', 1]), 'alive')
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.dead', 2], ['a', 'member.alive', 2]), 'dead')
    assert.equal(stateAfter(['b', 'member.dead', 2]), 'dead')
    const lies = Array.from({ length: 50 }, (_, lie): [string, MemberEventKind, number] => ['b', 'member.dead', 100 + lie])
    assert.equal(stateAfter(['a', 'member.alive', 1], ...lies, ['b', 'member.suspect', 2], ['a', 'member.alive', 2]), 'suspect')
  })

  it('keeps the words of others about eight incarnations that are to come, the lowest', () => {
    const claims = Array.from({ length: 9 }, (_, index): [string, MemberEventKind, number] => ['b', 'member.dead', 2 + index])
    for (const told of [claims, claims.toReversed()]) {
      assert.equal(stateAfter(['a', 'member.alive', 1], ...told, ['a', 'member.alive', 9]), 'dead')
      assert.equal(stateAfter(['a', 'member.alive', 1], ...told, ['a', 'member.alive', 10]), 'alive')
    }
  })

  describe('a death by the word of one', () => {
    const tableOf = (self: string | undefined, ...alive: string[]) => {
      const table = new MemberTable(10, self === undefined ? undefined : id(self))
      for (const digit of alive) table.fold(id(digit), event('member.alive', 1, 1, 'index', id(digit)))
      const accuse = (by: string, kind: MemberEventKind, subject: string) =>
        table.fold(id(by), event(kind, 1, 1, 'index', id(subject))).map((member) => `${member.id[0]} ${member.state}`)
      return { table, accuse }
    }

    it('is a suspicion while somebody else is there, and a death once that one agrees', () => {
      const { accuse } = tableOf('s', 'a', 'b')
      assert.deepEqual(accuse('b', 'member.dead', 'a'), ['a suspect'])
      assert.deepEqual(accuse('b', 'member.suspect', 'a'), [])
      assert.deepEqual(accuse('s', 'member.suspect', 'a'), ['a dead'])
    })

    it('is believed where nobody else is there: of the only other member, and of a client that is no witness', () => {
      assert.deepEqual(tableOf('s', 'a').accuse('s', 'member.dead', 'a'), ['a dead'])
      assert.deepEqual(tableOf(undefined, 'a', 'b').accuse('b', 'member.dead', 'a'), ['a dead'])
      assert.deepEqual(tableOf(undefined, 'a', 'b').accuse('f', 'member.dead', 'a'), ['a suspect'], 'the word of a stranger')
    })

    it('comes to count when the last other witness is suspected, and is doubted when one is back', () => {
      const { table, accuse } = tableOf('s', 'a', 'b')
      accuse('s', 'member.dead', 'a')
      assert.deepEqual(accuse('s', 'member.suspect', 'b'), ['b suspect', 'a dead'])
      const back = table.fold(id('b'), event('member.refuted', 2, 1, 'index', id('b')))
      assert.deepEqual(
        back.map((member) => `${member.id[0]} ${member.state}`),
        ['b alive', 'a suspect'],
      )
    })
  })

  it('lets nobody else refute or leave for a member', () => {
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.dead', 1], ['b', 'member.refuted', 2]), 'dead')
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.left', 1]), 'alive')
  })

  it('takes the address from the member itself over anybody else', () => {
    const table = new MemberTable(10)
    table.fold(id('b'), event('member.suspect', 1, 5))
    table.fold(id('a'), event('member.alive', 2, 6))
    table.fold(id('b'), event('member.suspect', 2, 7))
    assert.equal(table.get(id('a'))?.address.port, 6)
  })

  it('holds no clients', () => {
    const table = new MemberTable(10)
    table.fold(id('a'), event('member.alive', 1, 1, 'client'))
    assert.equal(table.get(id('a')), undefined)
  })

  it('is bounded: a newcomer takes the place of one who is gone, never of one who is there', () => {
    const table = new MemberTable(2)
    const add = (digit: string) => table.fold(id(digit), event('member.alive', 1, 1, 'index', id(digit)))
    add('a')
    add('b')
    assert.deepEqual(add('c'), [])
    assert.equal(table.get(id('c')), undefined)
    table.fold(id('b'), event('member.dead', 1))
    assert.deepEqual(
      add('c').map((member) => member.id),
      [id('c')],
    )
    assert.deepEqual(
      [...table.all()].map((member) => member.id),
      [id('b'), id('c')],
    )
  })

  it('ends in the same state for every order of arrival', () => {
    const kinds: MemberEventKind[] = ['member.alive', 'member.suspect', 'member.dead', 'member.refuted', 'member.left']
    const word = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom(...kinds), fc.integer({ min: 1, max: 4 }))
    const told = fc.array(word, { maxLength: 12 })
    fc.assert(
      fc.property(
        told.chain((words) =>
          fc.tuple(fc.constant(words), fc.shuffledSubarray(words, { minLength: words.length, maxLength: words.length })),
        ),
        ([words, shuffled]) => {
          assert.equal(stateAfter(...words), stateAfter(...shuffled))
        },
      ),
    )
  })
})
