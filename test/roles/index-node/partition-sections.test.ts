import { deepEqual, equal, notEqual, ok, rejects } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import type { EventName } from '../../../src/roles/index-node/index-messages.ts'
import {
  childrenOf,
  PartitionSections,
  SECTION_DEPTH_MAX,
  SECTION_FANOUT,
  type Section,
} from '../../../src/roles/index-node/partition-sections.ts'
import { node } from '../../projections/envelopes.ts'

const PARTITION = 5
const textOf = ({ author, authorSeq }: EventName) => `${author}/${authorSeq}`
const names = Array.from({ length: 500 }, (_, at): EventName => ({ author: node(`author ${at % 7}`), authorSeq: at }))
/** The first 32 bits of the sha-256 of each name. */
const hashes = new Map(names.map((name) => [textOf(name), sha256Of(name)]))
const hashOf = (name: EventName) => hashes.get(textOf(name)) ?? sha256Of(name)
function sha256Of(name: EventName): number {
  return createHash('sha256').update(textOf(name)).digest().readUInt32BE(0)
}

describe('sections of a partition', () => {
  let held: Map<number, readonly EventName[]>
  let listed: number[]
  let sections: PartitionSections
  beforeEach(() => {
    held = new Map([[PARTITION, names]])
    listed = []
    sections = new PartitionSections(
      {
        partitionDigest: async (partition) => `${partition}: ${(held.get(partition) ?? []).map(textOf).join()}`,
        async partitionEvents(partition) {
          listed.push(partition)
          return held.get(partition) ?? []
        },
      },
      newSha256,
    )
  })
  const whole = { partition: PARTITION, depth: 0, prefix: 0 }
  const at = (depth: number, prefix: number) => ({ partition: PARTITION, depth, prefix })
  const digestsOf = (all: readonly Section[]) => Promise.all(all.map((section) => sections.digest(section)))

  it('hold the events whose hashes begin with their prefix, in the order of the hashes', async () => {
    const inOrder = [...names].sort((a, b) => hashOf(a) - hashOf(b))
    deepEqual(await sections.events(whole), inOrder)
    for (const depth of [1, 2, SECTION_DEPTH_MAX]) {
      const prefixOf = (name: EventName) => Math.floor(hashOf(name) / 2 ** (32 - 6 * depth))
      const some =
        depth === 1 ? Array.from({ length: SECTION_FANOUT }, (_, prefix) => prefix) : inOrder.slice(0, 40).map(prefixOf)
      for (const prefix of some) {
        deepEqual(
          await sections.events(at(depth, prefix)),
          inOrder.filter((name) => prefixOf(name) === prefix),
        )
      }
    }
    equal(listed.length, 1, 'listed and hashed once')
  })

  it('are together what the section above has, with none left out and none twice', async () => {
    const children = childrenOf(whole)
    equal(children.length, SECTION_FANOUT)
    deepEqual([children[0], children.at(-1)], [at(1, 0), at(1, SECTION_FANOUT - 1)])
    deepEqual(childrenOf(at(1, 2))[1], at(2, 2 * SECTION_FANOUT + 1))
    deepEqual((await Promise.all(children.map((child) => sections.events(child)))).flat(), await sections.events(whole))
  })

  it('have the digest of the partition as a whole, and the sha-256 of their names as parts', async () => {
    equal(await sections.digest(whole), `${PARTITION}: ${names.map(textOf).join()}`)
    const section = at(1, 9)
    const lines = (await sections.events(section)).map((name) => `${textOf(name)}\n`)
    ok(lines.length > 1)
    equal(await sections.digest(section), createHash('sha256').update(lines.join('')).digest('hex'))
  })

  it('are the same on a node that learnt of the events in another order', async () => {
    const before = await digestsOf(childrenOf(whole))
    held.set(PARTITION, [...names].reverse())
    deepEqual(await digestsOf(childrenOf(whole)), before)
  })

  it('follow the partition when an event comes', async () => {
    const before = await digestsOf(childrenOf(whole))
    const more = { author: node('late'), authorSeq: 1 }
    held.set(PARTITION, [...names, more])
    const after = await digestsOf(childrenOf(whole))
    const changed = after.flatMap((digest, prefix) => (digest === before[prefix] ? [] : [prefix]))
    deepEqual(changed, [Math.floor(hashOf(more) / 2 ** 26)])
    notEqual((await sections.events(at(1, changed[0] ?? 0))).length, 0)
  })

  it('are kept in order of four partitions at most, those made last', async () => {
    for (const partition of [1, 2, 3, 4]) held.set(partition, names.slice(0, partition))
    const look = (partition: number) => sections.digest({ partition, depth: 1, prefix: 0 })
    for (const partition of [1, 2, 3, 4, 1, 2, 3, 4]) await look(partition)
    deepEqual(listed, [1, 2, 3, 4])
    await look(PARTITION)
    for (const partition of [2, 3, 4, PARTITION]) await look(partition)
    deepEqual(listed, [1, 2, 3, 4, PARTITION])
    await look(1)
    deepEqual(listed, [1, 2, 3, 4, PARTITION, 1])
    await look(2)
    deepEqual(listed, [1, 2, 3, 4, PARTITION, 1, 2], 'the one made first has given way')
  })

  it('are put in order once for all that ask meanwhile, and again after a reading that failed', async () => {
    let fails = true
    let reads = 0
    sections = new PartitionSections(
      {
        partitionDigest: async () => 'same',
        async partitionEvents() {
          reads += 1
          if (fails) throw new Error('the disk is gone')
          return names
        },
      },
      newSha256,
    )
    await rejects(digestsOf(childrenOf(whole)), /the disk is gone/)
    equal(reads, 1)
    fails = false
    equal((await digestsOf(childrenOf(whole))).length, SECTION_FANOUT)
    equal(reads, 2)
  })
})
