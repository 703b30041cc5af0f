import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { type MemberState, MemberTable } from '../../../src/network/membership/member-table.ts'
import { ProbeList } from '../../../src/network/membership/probe-list.ts'
import { randomFrom } from '../../sim/random.ts'
import { ADDRESS, SELF } from './driven-membership.ts'

const peerOf = (number: number): NodeId => (number + 1).toString(16).padStart(64, '0') as NodeId
const URGENT_MAX = 64

/** A table of members in these states; their own words, or for `dead` and `suspect` also those of two others. */
function tableOf(...states: readonly MemberState[]): MemberTable {
  const table = new MemberTable(10_000, SELF)
  for (const [index, state] of states.entries()) says(table, index, state)
  return table
}

function says(table: MemberTable, index: number, state: MemberState): void {
  const about = { subject: peerOf(index), incarnation: 1, role: 'index', ...ADDRESS } as const
  table.fold(about.subject, { kind: 'member.alive', ...about }, 1)
  if (state === 'left') table.fold(about.subject, { kind: 'member.left', ...about }, 2)
  if (state === 'suspect' || state === 'dead')
    for (const by of [SELF, peerOf(5_000)]) table.fold(by, { kind: `member.${state}`, ...about }, 3)
  assert.equal(table.get(about.subject)?.state, state)
}

const all = (count: number, state: MemberState = 'alive') => Array.from({ length: count }, () => state)

describe('list of members to probe', () => {
  let list: ProbeList
  beforeEach(() => {
    list = new ProbeList(randomFrom(1))
  })
  const take = (table: MemberTable, count: number) => Array.from({ length: count }, () => list.take(table)?.id)
  const peers = (...numbers: number[]) => numbers.map(peerOf)

  it('gives every member once a round, in another order in each', () => {
    const table = tableOf(...all(20))
    const rounds = [take(table, 20), take(table, 20)]
    for (const round of rounds) assert.deepEqual([...round].sort(), peers(...Array(20).keys()))
    assert.notDeepEqual(rounds[0], rounds[1])
  })

  it('gives each order with the same chance', () => {
    const table = tableOf(...all(3))
    const orders = new Map<string, number>()
    for (let round = 0; round < 6_000; round++) {
      const order = take(table, 3).join()
      orders.set(order, (orders.get(order) ?? 0) + 1)
    }
    assert.equal(orders.size, 6)
    for (const count of orders.values()) assert.ok(count > 850 && count < 1_150, String(count))
  })

  it('gives nobody who is dead or has left, nor ourselves, and nobody where there is nobody', () => {
    const table = tableOf('alive', 'dead', 'left', 'suspect')
    assert.deepEqual(take(table, 4).sort(), peers(0, 0, 3, 3))
    assert.equal(list.size(table), 2)
    assert.deepEqual([take(tableOf(), 1), list.size(tableOf())], [[undefined], 0])
    assert.deepEqual(new ProbeList(randomFrom(1)).take(tableOf('dead', 'left')), undefined)
  })

  it('passes over who has died or left since the round began, or is forgotten, and begins the next where nobody is left', () => {
    const table = tableOf(...all(4))
    const [first] = take(table, 1)
    for (let number = 0; number < 4; number++)
      if (peerOf(number) !== first) says(table, number, number % 2 === 0 ? 'dead' : 'left')
    assert.deepEqual(take(table, 3), [first, first, first], 'nobody is left in that round')
    take(tableOf(...all(4)), 1)
    assert.deepEqual(take(tableOf(), 1), [undefined], 'the rest of the round is in no table any more')
  })

  it('gives hints first, and before them who is to be looked at again, each once, and only those that are probed', () => {
    const table = tableOf('alive', 'alive', 'suspect', 'alive', 'dead')
    for (const number of [0, 4, 2, 0]) list.next(peerOf(number))
    list.next(peerOf(99))
    for (const number of [3, 4]) list.again(peerOf(number))
    assert.deepEqual(take(table, 3), peers(3, 0, 2))
    assert.deepEqual(take(table, 4).sort(), peers(0, 1, 2, 3), 'a whole round')
  })

  it(`keeps ${URGENT_MAX} hints at most, and as many that are to be looked at again`, () => {
    const table = tableOf(...all(2 * URGENT_MAX + 20))
    for (let number = 0; number <= URGENT_MAX; number++) {
      list.next(peerOf(number))
      list.again(peerOf(100 - number))
    }
    const taken = take(table, 2 * URGENT_MAX)
    assert.deepEqual(taken, [
      ...peers(...Array.from({ length: URGENT_MAX }, (_, index) => 100 - index)),
      ...peers(...Array(URGENT_MAX).keys()),
    ])
    const large = tableOf(...all(1_000))
    for (const keeps of [list.next, list.again]) {
      list = new ProbeList(randomFrom(3))
      for (let number = 0; number <= URGENT_MAX; number++) keeps.call(list, peerOf(number))
      assert.notEqual(take(large, URGENT_MAX + 1).at(-1), peerOf(URGENT_MAX))
    }
  })

  it('gives one of the dead, each with the same chance', () => {
    assert.equal(list.oneDead(tableOf('alive', 'suspect', 'left')), undefined)
    const table = tableOf('dead', 'alive', 'dead', 'left', 'dead')
    const counts = new Map<NodeId | undefined, number>()
    for (let count = 0; count < 3_000; count++) {
      const member = list.oneDead(table)?.id
      counts.set(member, (counts.get(member) ?? 0) + 1)
    }
    assert.deepEqual([...counts.keys()].sort(), peers(0, 2, 4))
    for (const count of counts.values()) assert.ok(count > 900 && count < 1_100, String(count))
  })

  describe('helpers', () => {
    const none = () => false
    const ids = (table: MemberTable, count: number, isLinked: (id: NodeId) => boolean = none, target = peerOf(0)) =>
      list.helpers(table, target, count, isLinked).map(({ id }) => id)

    it('are members that are believed alive, not the target', () => {
      assert.deepEqual(ids(tableOf('alive', 'alive', 'suspect', 'dead', 'left', 'alive'), 9).sort(), peers(1, 5))
      assert.deepEqual(ids(tableOf('alive'), 3), [])
    })

    it('are as many as are wanted, different ones', () => {
      for (let time = 0; time < 50; time++) {
        const chosen = ids(tableOf(...all(8)), 3)
        assert.deepEqual([chosen.length, new Set(chosen).size], [3, 3])
      }
    })

    it('are those with a link first', () => {
      const table = tableOf(...all(30))
      const isLinked = (id: NodeId) => id === peerOf(7) || id === peerOf(8)
      const chosen = ids(table, 3, isLinked)
      assert.deepEqual([chosen.slice(0, 2).sort(), chosen.length], [peers(7, 8), 3])
      assert.deepEqual(ids(table, 1, isLinked).length, 1)
      assert.ok(isLinked(ids(table, 1, isLinked)[0] as NodeId))
    })

    it('are each with the same chance', () => {
      const table = tableOf(...all(9))
      const counts = new Map<NodeId, number>()
      for (let time = 0; time < 4_000; time++) for (const id of ids(table, 2)) counts.set(id, (counts.get(id) ?? 0) + 1)
      assert.equal(counts.size, 8)
      for (const count of counts.values()) assert.ok(count > 880 && count < 1_120, String(count))
    })
  })
})
