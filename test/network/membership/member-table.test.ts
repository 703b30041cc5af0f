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
  /** Words with their stamps, which are their places unless they are given. */
  const stateAfter = (...told: (readonly [author: string, kind: MemberEventKind, incarnation: number, lamport?: number])[]) => {
    const table = new MemberTable(10)
    for (const [index, [author, kind, incarnation, lamport = index + 1]] of told.entries())
      table.fold(id(author), event(kind, incarnation), lamport)
    return table.get(id('a'))?.state
  }

  it('believes the stronger word of one incarnation, and any word of a higher one', () => {
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.suspect', 1]), 'suspect')
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.dead', 1], ['c', 'member.suspect', 1]), 'dead')
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.dead', 1], ['a', 'member.refuted', 2]), 'alive')
    assert.equal(stateAfter(['a', 'member.alive', 2], ['b', 'member.dead', 1]), 'alive')
  })

  it('counts no word of others that was said before the member announced that incarnation, in whatever order they come', () => {
    const huge = Number.MAX_SAFE_INTEGER
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.dead', huge]), 'alive')
    assert.equal(stateAfter(['b', 'member.dead', huge], ['a', 'member.alive', 1]), 'alive')
    assert.equal(stateAfter(['a', 'member.alive', 1], ['b', 'member.dead', 2], ['a', 'member.alive', 2]), 'alive')
    assert.equal(stateAfter(['b', 'member.dead', 2]), 'dead')
    assert.equal(stateAfter(['b', 'member.dead', 2, 8], ['a', 'member.alive', 2, 7]), 'dead', 'said later, come earlier')
    assert.equal(stateAfter(['b', 'member.dead', 2, 7], ['a', 'member.alive', 2, 7]), 'alive', 'at the same time is not later')
    const ahead = Array.from({ length: 50 }, (_, lie): [string, MemberEventKind, number] => ['b', 'member.dead', 2 + lie])
    for (let next = 2; next < 20; next++) {
      assert.equal(stateAfter(['a', 'member.alive', 1], ...ahead, ['a', 'member.refuted', next]), 'alive')
    }
  })

  it('keeps the latest words of four others about one incarnation: those from before it keep no place', () => {
    const lies = [...'bcdef'].map((by): [string, MemberEventKind, number] => [by, 'member.dead', 2])
    const after: [string, MemberEventKind, number][] = [
      ['7', 'member.suspect', 2],
      ['8', 'member.dead', 2],
    ]
    assert.equal(stateAfter(['a', 'member.alive', 1], ...lies, ['a', 'member.alive', 2], ...after), 'dead')
  })

  describe('a death by the word of one', () => {
    const tableOf = (self: string | undefined, ...alive: string[]) => {
      const table = new MemberTable(10, self === undefined ? undefined : id(self))
      for (const digit of alive) table.fold(id(digit), event('member.alive', 1, 1, 'index', id(digit)), 1)
      const accuse = (by: string, kind: MemberEventKind, subject: string) =>
        table.fold(id(by), event(kind, 1, 1, 'index', id(subject)), 2).map((member) => `${member.id[0]} ${member.state}`)
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
      const back = table.fold(id('b'), event('member.refuted', 2, 1, 'index', id('b')), 3)
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

  it('takes the address from the member itself and nobody else: before it has spoken there is none', () => {
    const table = new MemberTable(10)
    table.fold(id('b'), event('member.suspect', 1, 5), 1)
    assert.deepEqual(table.get(id('a'))?.address, { host: '', port: 0, dhtPort: 0 })
    table.fold(id('a'), event('member.alive', 2, 6), 2)
    table.fold(id('b'), event('member.suspect', 2, 7), 3)
    assert.equal(table.get(id('a'))?.address.port, 6)
  })

  it('holds no clients', () => {
    const table = new MemberTable(10)
    table.fold(id('a'), event('member.alive', 1, 1, 'client'), 1)
    assert.equal(table.get(id('a')), undefined)
    for (const kind of ['member.alive', 'member.suspect', 'member.dead'] as const)
      table.fold(id('b'), event(kind, 1, 1, 'client'), 2)
    assert.equal(table.get(id('a')), undefined, 'nor by the word of others')
  })

  it('counts the earlier of two announcements of one incarnation: what was said between them counts', () => {
    for (const [first, second] of [
      [5, 10],
      [10, 5],
    ] as const) {
      const announced = [
        ['a', 'member.alive', 1, first],
        ['a', 'member.alive', 1, second],
      ] as const
      assert.equal(stateAfter(...announced.map((word) => [...word] as const), ['b', 'member.suspect', 1, 7]), 'suspect')
    }
  })

  it('keeps what is said of the next incarnations, however many lies there are about the far future', () => {
    const lies = Array.from({ length: 20 }, (_, lie): [string, MemberEventKind, number] => ['b', 'member.dead', 100 + lie])
    for (let next = 2; next <= 8; next++)
      assert.equal(
        stateAfter(['a', 'member.alive', 1], ...lies, ['c', 'member.dead', next, 90], ['a', 'member.alive', next, 80]),
        'dead',
      )
  })

  it('is bounded: a newcomer takes the place of one who is gone, never of one who is there', () => {
    const table = new MemberTable(2)
    const add = (digit: string) => table.fold(id(digit), event('member.alive', 1, 1, 'index', id(digit)), 1)
    add('a')
    add('b')
    assert.deepEqual(add('c'), [])
    assert.equal(table.get(id('c')), undefined)
    table.fold(id('b'), event('member.dead', 1), 2)
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
    const word = fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd'),
      fc.constantFrom(...kinds),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(9),
    )
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
