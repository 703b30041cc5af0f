import { deepEqual, equal } from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { PARTITION_COUNT } from '../../../src/projections/keyword-index/index.ts'
import { hasBit, LEVEL_BYTES, PartitionLevels } from '../../../src/roles/index-node/partition-levels.ts'
import { node } from '../../projections/envelopes.ts'

const GRACE_MS = 15_000
const [self, ada, bob, cleo] = [node('self'), node('ada'), node('bob'), node('cleo')]
const PARTITION = 7

describe('what an index node is level in', () => {
  let nodes: NodeId[]
  let revision: number
  let now: number
  let turns: number
  let levels: PartitionLevels
  beforeEach(() => {
    ;[nodes, revision, now, turns] = [[self, ada, bob], 1, 1_000, 0]
    levels = new PartitionLevels({
      self,
      map: {
        indexNodes: () => nodes,
        // All partitions have the same owners here: the first three.
        rankedOwners: (_partition, count) => nodes.slice(0, count),
        revision: () => revision,
      },
      now: () => now,
    })
  })
  const review = () =>
    levels.review(async () => {
      turns += 1
    })
  const become = async (...ids: NodeId[]) => {
    nodes = ids
    revision += 1
    await review()
  }
  const all = (isLevel: boolean) => new Uint8Array(LEVEL_BYTES).fill(isLevel ? 255 : 0)
  const compared = async (other: NodeId, isLevel: boolean, isCaughtUp = true) => {
    levels.heard(other, all(isLevel))
    for (let partition = 0; isCaughtUp && partition < PARTITION_COUNT; partition++) levels.caughtUp(other, partition)
    await review()
  }
  const isLevel = () => levels.isLevel(PARTITION)
  const bit = () => hasBit(levels.bits(), PARTITION)
  /** As a node that was level when the test began. */
  const levelled = async () => {
    await review()
    await compared(ada, true)
    await compared(bob, true)
    equal(isLevel(), true)
  }

  it('is everything while it is alone, of which it says nothing to those who come', async () => {
    nodes = [self]
    await review()
    now += GRACE_MS
    deepEqual([isLevel(), levels.isLevelInAll, bit(), levels.next()], [true, true, false, undefined])
    await become(self, ada)
    deepEqual([isLevel(), levels.isLevelInAll, levels.next()], [false, false, ada])
  })

  it('is nothing while it has just started and knows nobody: others know it before it knows them', async () => {
    for (const known of [[], [self]]) {
      nodes = known
      await review()
      now += GRACE_MS / 2 - 1
      deepEqual([isLevel(), levels.isLevelInAll], [false, false])
    }
    now += 2
    deepEqual([isLevel(), levels.isLevelInAll], [true, true])
  })

  it('is what it has compared with two others that are level: one may lie', async () => {
    deepEqual([isLevel(), levels.isLevelInAll], [false, false])
    await review()
    deepEqual([isLevel(), levels.open.length, levels.next()], [false, PARTITION_COUNT, ada])
    await compared(ada, true)
    deepEqual([isLevel(), bit(), levels.next()], [false, false, bob])
    await compared(bob, true, false)
    deepEqual([isLevel(), levels.next()], [false, bob])
    for (let partition = 0; partition < PARTITION_COUNT; partition++)
      if (partition !== PARTITION) levels.caughtUp(bob, partition)
    await review()
    deepEqual([isLevel(), levels.isLevel(PARTITION + 1), levels.open, levels.isLevelInAll], [false, true, [PARTITION], false])
    levels.caughtUp(bob, PARTITION)
    await review()
    deepEqual([isLevel(), bit(), levels.open, levels.isLevelInAll, levels.next()], [true, true, [], true, undefined])
  })

  it('is what it has compared with one that is level, where no other is', async () => {
    await review()
    await compared(ada, true)
    await compared(bob, false, false)
    deepEqual([isLevel(), levels.next()], [false, bob])
    await compared(bob, false)
    equal(isLevel(), true)
  })

  it('is, where nobody is level, what it has compared with everybody, once it can know who there is', async () => {
    await review()
    await compared(ada, false)
    now += GRACE_MS - 1
    await compared(bob, false)
    deepEqual([isLevel(), levels.next()], [false, undefined])
    now += 1
    await review()
    equal(isLevel(), true)
  })

  it('waits five seconds more where somebody has come meanwhile', async () => {
    await review()
    now += GRACE_MS
    await become(self, ada, bob, cleo)
    await compared(ada, false)
    await compared(bob, false)
    equal(levels.next(), cleo)
    await compared(cleo, false)
    now += 4_999
    await review()
    equal(isLevel(), false)
    now += 1
    await review()
    equal(isLevel(), true)
  })

  it('does not wait for one that has not been reached for a minute, and asks it every five seconds at most', async () => {
    await review()
    await compared(bob, false)
    levels.failed(ada)
    equal(levels.next(), undefined)
    now += 4_999
    equal(levels.next(), undefined)
    now += 1
    equal(levels.next(), ada)
    now += 54_999
    levels.failed(ada)
    await review()
    equal(isLevel(), false)
    now += 1
    await review()
    equal(isLevel(), true)
  })

  it('asks one whose comparison brought nothing again after ten seconds', async () => {
    await review()
    await compared(ada, true, false)
    await compared(bob, true, false)
    equal(levels.next(), ada)
    levels.stalled(ada)
    equal(levels.next(), bob)
    levels.stalled(bob)
    now += 9_999
    equal(levels.next(), undefined)
    now += 1
    equal(levels.next(), ada)
  })

  it('is what it lost to others as of then, which is what they need; and nothing of it when it comes back', async () => {
    await levelled()
    await become(ada, bob, cleo, self)
    deepEqual([isLevel(), bit(), levels.open], [false, true, []])
    await become(self, ada, bob)
    deepEqual([isLevel(), bit(), levels.next()], [false, false, ada])
    await compared(ada, true)
    await compared(bob, true)
    equal(isLevel(), true)
  })

  it('is nothing for others where it never was level before it lost it', async () => {
    await review()
    await become(ada, bob, cleo, self)
    deepEqual([isLevel(), bit()], [false, false])
  })

  it('is nothing any more when it compared with nobody for two minutes though others are there', async () => {
    await levelled()
    now += 120_000
    deepEqual([isLevel(), bit(), levels.isLevelInAll], [true, true, true])
    now += 1
    deepEqual([isLevel(), bit(), levels.isLevelInAll], [false, false, false])
    await compared(ada, true)
    deepEqual([isLevel(), levels.next()], [false, bob])
    await compared(bob, true)
    equal(isLevel(), true)
  })

  it('is brought about by former owners too, where all three have just come; the 24 nearest are asked', async () => {
    const others = Array.from({ length: 24 }, (_, at) => node(`other ${at}`))
    const former = others[22] as NodeId
    nodes = [self, ...others]
    await review()
    for (const other of others.slice(0, 6)) await compared(other, false)
    for (const other of others.slice(6, 22)) await compared(other, false, false)
    now += GRACE_MS
    await review()
    deepEqual([isLevel(), levels.next(), levels.wantedOf(former)], [false, former, []])
    await compared(former, true, false)
    deepEqual([isLevel(), levels.next(), levels.wantedOf(former).length], [false, former, PARTITION_COUNT])
    await compared(former, true)
    equal(isLevel(), true, 'the 25th is not waited for')
  })

  it('is looked at eight partitions in a turn', async () => {
    await review()
    equal(turns, PARTITION_COUNT / 8 - 1)
  })
})
