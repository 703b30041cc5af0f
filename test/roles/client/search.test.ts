import assert from 'node:assert/strict'
import type { InfoHash } from '../../../src/events/index.ts'
import { joinedHits } from '../../../src/roles/client/search.ts'
import { INDEX_METHODS, type WireHit } from '../../../src/roles/index-node/index-messages.ts'
import { hash, node } from '../../projections/envelopes.ts'
import { IndexNetwork } from '../index-network.ts'

describe('a search', () => {
  let network: IndexNetwork
  const started = async (indexNodes: number) => {
    network = await IndexNetwork.start({ indexNodes, clients: 1 })
    return network.client()
  }
  afterEach(() => network[Symbol.asyncDispose]())
  const titles = (hits: readonly { title: string }[]) => hits.map(({ title }) => title).sort()

  it('of alternatives and of prefixes finds what any owner has, each torrent once', async () => {
    const client = await started(8)
    for (const title of ['cats film', 'elephants film', 'cats elephants', 'dogs film']) await client.publish(title)
    assert.deepEqual(titles((await client.search('cats | elephants')).hits), ['cats elephants', 'cats film', 'elephants film'])
    assert.deepEqual(titles((await client.search('ele*')).hits), ['cats elephants', 'elephants film'])
    assert.deepEqual(titles((await client.search('film -cats')).hits), ['dogs film', 'elephants film'])
  })

  it('gives no more than was asked for, and says that there is more', async () => {
    const client = await started(8)
    for (let place = 0; place < 8; place++) await client.publish(`${place % 2 === 0 ? 'cats' : 'elephants'} number ${place}`)
    const few = await client.search({ text: 'cats | elephants', limit: 3 })
    assert.deepEqual([few.hits.length, few.truncated, few.cursor], [3, true, null])
    const all = await client.search({ text: 'cats | elephants', limit: 20 })
    assert.deepEqual([all.hits.length, all.truncated], [8, false])
    const page = await client.search({ text: 'number', limit: 5 })
    assert.deepEqual([page.hits.length, page.truncated], [5, true])
    const rest = await client.search({ text: 'number', limit: 5, cursor: page.cursor ?? '' })
    assert.deepEqual([rest.hits.length, rest.truncated, rest.cursor], [3, false, null])
    assert.equal(new Set([...page.hits, ...rest.hits].map(({ infoHash }) => infoHash)).size, 8)
  })

  it('goes on to the next owner when one is silent or sends nonsense, and names it', async () => {
    const client = await started(3)
    await client.publish('quiet orbit')
    const [first, second] = client.map.ownersOf('orbit')
    assert.ok(first && second)
    network.at(first).node.overlay.serve(INDEX_METHODS.search, async () => new Uint8Array([1, 2, 3]))
    const found = await client.search('orbit')
    assert.deepEqual([titles(found.hits), found.answeredBy], [['quiet orbit'], second])
    assert.deepEqual(
      found.failed.map(({ node }) => node),
      [first],
    )
    network.at(first).node.overlay.serve(INDEX_METHODS.search, () => new Promise(() => {}))
    const before = network.sim.time.now()
    assert.equal((await client.search('orbit')).answeredBy, second)
    assert.ok(network.sim.time.now() - before < 1_000, 'hedged, not timed out')
  })

  it('says what is wrong: no word, too long, no index node, nobody answers', async () => {
    const client = await started(1)
    await assert.rejects(client.search('***'), /at least one word/)
    await assert.rejects(client.search('x'.repeat(2_000)), /at most 1024 characters/)
    network.index(0).node.overlay.serve(INDEX_METHODS.search, () => new Promise(() => {}))
    await assert.rejects(client.search('orbit'), /no index node answered \(.*no answer/)
    network.index(0).crash()
    await network.until('it is known to be dead', () => client.map.indexNodes().length === 0, 60_000)
    await assert.rejects(client.search('orbit'), /no index node is known to be alive/)
  })
})

describe('answers of several owners', () => {
  const hit = (title: string, seeders: number): WireHit => ({
    ...{ infoHash: hash(title) as InfoHash, title, sizeBytes: 1, fileCount: 1, tags: [] },
    ...{ seeders, publisher: node('publisher'), publishedAt: 1 },
  })

  it('are joined by the best place of each hit, then by seeders, with the most seeders anybody knows', () => {
    const one = [hit('a', 5), hit('b', 4), hit('c', 3)]
    const two = [hit('x', 9), hit('c', 7), hit('b', 1)]
    assert.deepEqual(
      joinedHits([one, two]).map(({ title, seeders }) => [title, seeders]),
      [
        ['x', 9],
        ['a', 5],
        ['c', 7],
        ['b', 4],
      ],
    )
    assert.deepEqual(joinedHits([one]), one)
    assert.deepEqual(joinedHits([]), [])
  })
})
