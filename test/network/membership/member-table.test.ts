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

  it('counts its members by their states, and says whose state or incarnation an event changed', () => {
    const table = new MemberTable(3)
    const say = (by: string, kind: MemberEventKind, incarnation: number, subject: string) =>
      table.fold(id(by), event(kind, incarnation, 1, 'index', id(subject)), incarnation).map((member) => member.id[0])
    const counts = () => [table.count('alive'), table.count('suspect'), table.count('dead'), table.count('left')]
    assert.deepEqual(
      [say('a', 'member.alive', 1, 'a'), say('a', 'member.alive', 1, 'a'), say('b', 'member.alive', 1, 'b')],
      [['a'], [], ['b']],
    )
    assert.deepEqual(counts(), [2, 0, 0, 0])
    assert.deepEqual(say('a', 'member.alive', 2, 'a'), ['a'], 'its incarnation')
    assert.deepEqual(say('b', 'member.suspect', 3, 'c'), ['c'], 'nobody knew it')
    assert.deepEqual(counts(), [2, 1, 0, 0])
    assert.deepEqual(say('b', 'member.left', 2, 'b'), ['b'])
    assert.deepEqual(counts(), [1, 1, 0, 1])
    assert.deepEqual([table.count(), table.count('alive', 'left'), table.count('alive', 'suspect', 'dead', 'left')], [0, 2, 3])
    assert.deepEqual(say('d', 'member.alive', 1, 'd'), ['d'], 'in the place of who has left')
    assert.deepEqual(counts(), [2, 1, 0, 0])
  })

  it('has the address and the role that the member named last, each part of it', () => {
    const table = new MemberTable(3)
    const of = (more: Partial<MemberEvent>, incarnation: number) => {
      table.fold(id('a'), { ...event('member.alive', incarnation), ...more } as MemberEvent, incarnation)
      const { address, role } = table.get(id('a')) ?? assert.fail()
      return [address.host, address.port, address.dhtPort, role]
    }
    assert.deepEqual(of({}, 1), ['10.0.0.1', 1, 0, 'index'])
    assert.deepEqual(of({ host: '10.0.0.2' }, 2), ['10.0.0.2', 1, 0, 'index'])
    assert.deepEqual(of({ host: '10.0.0.2', dhtPort: 9 }, 3), ['10.0.0.2', 1, 9, 'index'])
    assert.deepEqual(of({ host: '10.0.0.2', dhtPort: 9, role: 'bootstrap' }, 4), ['10.0.0.2', 1, 9, 'bootstrap'])
    const same = table.get(id('a'))?.address
    of({ host: '10.0.0.2', dhtPort: 9, role: 'bootstrap' }, 5)
    assert.equal(table.get(id('a'))?.address, same, 'no other object for the same place')
    assert.deepEqual(of({ port: 7 }, 4), ['10.0.0.2', 1, 9, 'bootstrap'], 'of an incarnation that is over')
  })

  it('keeps of one accuser the later word, and of the same moment the stronger', () => {
    const alive = ['a', 'member.alive', 1, 1] as const
    for (const words of [
      [
        ['b', 'member.dead', 1, 5],
        ['b', 'member.suspect', 1, 6],
      ],
      [
        ['b', 'member.suspect', 1, 6],
        ['b', 'member.dead', 1, 5],
      ],
    ] as const)
      assert.equal(stateAfter(alive, ...words), 'suspect')
    for (const words of [
      [
        ['b', 'member.dead', 1, 5],
        ['b', 'member.suspect', 1, 5],
      ],
      [
        ['b', 'member.suspect', 1, 5],
        ['b', 'member.dead', 1, 5],
      ],
    ] as const)
      assert.equal(stateAfter(alive, ...words), 'dead')
    // That he sees it alive takes his accusation back.
    assert.equal(stateAfter(alive, ['b', 'member.suspect', 1, 5], ['b', 'member.alive', 1, 6]), 'alive')
  })

  it('keeps the words of four others: the earliest goes, and of the same moment that of the lowest id', () => {
    const alive = ['a', 'member.alive', 1, 1] as const
    const said = (...accusers: readonly (readonly [by: string, kind: MemberEventKind, lamport: number])[]) =>
      stateAfter(alive, ...accusers.map(([by, kind, lamport]) => [by, kind, 1, lamport] as const))
    const four = (lamport: number) => [...'cdef'].map((by) => [by, 'member.alive', lamport] as const)
    assert.equal(said(['b', 'member.suspect', 5], ...four(6)), 'alive')
    assert.equal(said(...four(6), ['b', 'member.suspect', 5]), 'alive')
    assert.equal(said(['b', 'member.suspect', 7], ...four(6)), 'suspect')
    assert.equal(said(['b', 'member.suspect', 6], ...four(6)), 'alive', 'b is below the others')
    assert.equal(said(['9', 'member.alive', 6], ['b', 'member.suspect', 6], ...four(6).slice(0, 3)), 'suspect')
  })

  it('ends in the same state for every order of arrival', () => {
    const kinds: MemberEventKind[] = ['member.alive', 'member.suspect', 'member.dead', 'member.refuted', 'member.left']
    const word = fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd'),
      fc.constantFrom(...kinds),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(9),
    )
    const told = fc.array(word, { maxLength: 12, size: 'max' })
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
