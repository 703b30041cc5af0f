import assert from 'node:assert/strict'
import { hashKeyword, partitionOf } from '../../../src/projections/keyword-index/index.ts'
import { described, IndexNetwork } from '../index-network.ts'

const PLACES = 20

describe('a keyword that more titles have than its owners have places for', () => {
  it('is full there, is said to be, and its titles are found by their other words and at other owners all the same', async () => {
    await using network = await IndexNetwork.start({ indexNodes: 12, clients: 1, places: PLACES })
    const client = network.client()
    for (let number = 0; number < 30; number++) await client.publish(`orbit planet${number}`)
    for (const peer of network.indexNodes) peer.startRepair()
    await network.until('all have looked at their lists', () => false, 61_000).catch(() => {})
    const owners = client.map.ownersOf('orbit')
    // A title of which the owners of the word own nothing else.
    const isApart = (title: string) =>
      [title.split(' ')[1] as string, hashKeyword(described(title).infoHash)].every((word) =>
        client.map.ownersOf(word).every((owner) => !owners.includes(owner)),
      )
    const title = Array.from({ length: 400 }, (_, number) => `orbit comet${number}`).find(isApart)
    assert.ok(title)
    const published = await client.publish(title)
    assert.deepEqual(
      published.refused.map(({ node, code }) => [node, code]).sort(),
      owners.map((node) => [node, 'below-rank']).sort(),
    )
    assert.deepEqual([published.acknowledged, published.pending, published.partitionsHeld], [true, 0, published.partitions - 1])
    assert.deepEqual(client.publisher.refusals(), [])
    for (const owner of owners) assert.ok(!network.at(owner).titles().includes(title))

    const common = await client.search('orbit')
    const [part] = common.parts
    assert.deepEqual([part?.keyword, part?.complete, part?.partition], ['orbit', true, partitionOf('orbit')])
    assert.deepEqual(part?.cut, { kept: PLACES, known: 31 })
    assert.ok(common.hits.length === PLACES && common.truncated)
    const rare = await client.search(title)
    assert.deepEqual(
      rare.hits.map((hit) => hit.title),
      [title],
    )
    // Known now to be the commoner one of the two, the word is not asked for.
    assert.equal(rare.keyword, title.split(' ')[1])
    assert.equal(rare.parts[0]?.cut, null)
    assert.deepEqual([common.charged, rare.charged], [[], []])
    const byHash = await client.search(described(title).infoHash)
    assert.deepEqual(
      byHash.hits.map((hit) => hit.title),
      [title],
    )
  })

  it('differs among its owners near the boundary, and they are in sync', async () => {
    await using network = await IndexNetwork.start({ indexNodes: 5, clients: 1, places: PLACES, isLevelling: true })
    const client = network.client()
    for (let number = 0; number < 30; number++) await client.publish(`orbit planet${number}`)
    const owners = client.map.ownersOf('orbit').map((owner) => network.at(owner))
    const [first, ...others] = owners
    assert.ok(first)
    // One has looked at its list already, the others have not.
    first.startRepair()
    await network.until('it has looked', () => false, 61_000).catch(() => {})
    const isApart = (word: string) => client.map.ownersOf(word).every((owner) => owner !== first.id)
    const words = Array.from({ length: 400 }, (_, number) => `comet${number}`)
    const title = words
      .map((word) => `orbit ${word}`)
      .find((text) => isApart(text.split(' ')[1] as string) && isApart(hashKeyword(described(text).infoHash)))
    assert.ok(title)
    await client.publish(title)
    assert.deepEqual(
      [first, ...others].map((peer) => peer.titles().includes(title)),
      [false, true, true],
    )
    for (const peer of others) peer.startRepair()
    await network.until('each has compared with each', () => false, 55_000).catch(() => {})
    assert.ok(!first.titles().includes(title))
    assert.ok(first.index?.repair.inSync)
  })
})
