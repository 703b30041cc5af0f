import assert from 'node:assert/strict'
import { ownerRank, ownersOf, PARTITION_COUNT, partitionOf, partitionsOf } from '../../../src/projections/index.ts'
import { stringHash } from '../../../src/projections/string-hash.ts'
import { node } from '../envelopes.ts'

const nodes = (count: number) => Array.from({ length: count }, (_, index) => node(`index ${index}`))
const PARTITIONS = Array.from({ length: PARTITION_COUNT }, (_, partition) => partition)

describe('sharding', () => {
  it('never changes its hash, since nodes must agree on it', () => {
    assert.deepEqual(
      ['', 'a', 'bunny', '巨人'].map((text) => [stringHash(text), partitionOf(text)]),
      [
        [6381903796322155, 875],
        [6729616034162321, 657],
        [6570105748356404, 308],
        [8730976200352253, 509],
      ],
    )
  })

  it('never changes who owns a partition, and in which order, since nodes must agree on it', () => {
    const list = nodes(20)
    const owners = (partition: number) => ownersOf(partition, list).map((id) => list.indexOf(id))
    assert.deepEqual([0, 1, 512, 1023].map(owners), [
      [17, 1, 19],
      [15, 6, 9],
      [18, 2, 7],
      [17, 1, 2],
    ])
    // The one with the highest weight first: hash(partition/node).
    for (const partition of [0, 1, 512, 1023]) {
      const weights = list.map((id) => stringHash(`${partition}/${id}`))
      const highest = [...weights].sort((a, b) => b - a).slice(0, 3)
      assert.deepEqual(
        owners(partition),
        highest.map((weight) => weights.indexOf(weight)),
      )
    }
  })

  it('spreads keywords evenly over the partitions', () => {
    const counts = new Array<number>(PARTITION_COUNT).fill(0)
    for (let index = 0; index < 100_000; index++)
      counts[partitionOf(`word${index}`)] = (counts[partitionOf(`word${index}`)] ?? 0) + 1
    // 97.7 expected; a fair hash has a deviation near 9.9.
    const deviation = Math.sqrt(counts.reduce((sum, count) => sum + (count - 97.65625) ** 2, 0) / PARTITION_COUNT)
    assert.ok(deviation < 11, `standard deviation ${deviation}`)
  })

  it('names the same three owners anywhere, whatever order the nodes are in', () => {
    const list = nodes(20)
    for (const partition of [0, 1, 512, 1023]) {
      const owners = ownersOf(partition, list)
      assert.equal(new Set(owners).size, 3)
      assert.deepEqual(ownersOf(partition, [...list].reverse()), owners)
      assert.equal(ownerRank(partition, owners[1] ?? node(''), list), 2)
    }
    assert.deepEqual(ownersOf(5, list.slice(0, 2)).length, 2)
    assert.deepEqual(ownersOf(5, []), [])
    assert.equal(ownerRank(5, node('stranger'), list), undefined)
  })

  it('moves at most 6 % of the copies when a 21st node joins, and only to it', () => {
    const before = nodes(20)
    const after = nodes(21)
    let moved = 0
    for (const partition of PARTITIONS) {
      const old = new Set(ownersOf(partition, before))
      const gained = ownersOf(partition, after).filter((id) => !old.has(id))
      assert.ok(gained.every((id) => id === after[20]))
      moved += gained.length
    }
    assert.ok(moved / (3 * PARTITION_COUNT) <= 0.06, `${moved} copies moved`)
  })

  it('gives the successor of a dead owner the data before it dies', () => {
    const list = nodes(10)
    for (const partition of PARTITIONS) {
      const [first, second, third] = ownersOf(partition, list)
      assert.deepEqual(
        ownersOf(
          partition,
          list.filter((id) => id !== first),
        ).slice(0, 2),
        [second, third],
      )
    }
  })

  it('loads 20 nodes within a third of the mean', () => {
    const load = new Map<string, number>()
    for (const partition of PARTITIONS) for (const id of ownersOf(partition, nodes(20))) load.set(id, (load.get(id) ?? 0) + 1)
    const mean = (3 * PARTITION_COUNT) / 20
    const loads = [...load.values()]
    assert.equal(loads.length, 20)
    assert.ok(Math.max(...loads) < mean * 1.34 && Math.min(...loads) > mean * 0.66, loads.join(' '))
  })

  it('lists the distinct partitions of keywords in order', () => {
    assert.deepEqual(partitionsOf(['a', 'a']), [partitionOf('a')])
    const several = partitionsOf(['big', 'buck', 'bunny'])
    assert.deepEqual(
      several,
      [...several].sort((a, b) => a - b),
    )
  })
})
