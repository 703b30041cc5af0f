import assert from 'node:assert/strict'
import type { InfoHash } from '../../../src/events/index.ts'
import { joinedHits } from '../../../src/roles/client/search.ts'
import {
  decodeSearch,
  decodeSearchReply,
  EVENTS_BYTES_MAX,
  encodeSearch,
  encodeSearchReply,
  INDEX_METHODS,
  type WireHit,
  type WireSearchReply,
} from '../../../src/roles/index-node/index-messages.ts'
import { HITS_DEFAULT, HITS_MAX } from '../../../src/roles/services.ts'
import { hash, node } from '../../projections/envelopes.ts'
import { Author, IndexNetwork, type IndexPeer } from '../index-network.ts'

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

  /** Titles of one author, at an index node as if they had been published there. */
  const holds = async (peer: IndexPeer, count: number, title = (place: number) => `orbit number ${place}`) => {
    const all = Array.from({ length: count }, (_, place) => title(place))
    await peer.node.log.ingest(await new Author(1).publishes(...all))
    return all
  }
  const handlerOf = (peer: IndexPeer, method: string) => {
    const handler = peer.handlers.get(method)
    assert.ok(handler)
    return handler
  }
  /** What an index node is asked for, and its answers as they are, or made otherwise. */
  const watched = (peer: IndexPeer, change: (reply: WireSearchReply, page: number) => WireSearchReply = (reply) => reply) => {
    const asked: { limit: number; cursor: string; bytes: number }[] = []
    const { overlay } = peer.node
    const serve = handlerOf(peer, INDEX_METHODS.search)
    overlay.serve(INDEX_METHODS.search, async (from, body) => {
      const { limit, cursor } = decodeSearch(body)
      const reply = await serve(from, body)
      asked.push({ limit, cursor, bytes: reply.length })
      return encodeSearchReply(change(decodeSearchReply(reply), asked.length))
    })
    return asked
  }

  it('brings as many hits as are asked for, over as many messages as that takes, and one more is refused', async () => {
    const client = await started(1)
    const index = network.index(0)
    await holds(index, HITS_MAX + 50)
    const asked = watched(index)
    const found = await client.search({ text: 'orbit', limit: HITS_MAX })
    assert.equal(new Set(found.hits.map(({ infoHash }) => infoHash)).size, HITS_MAX)
    assert.deepEqual([found.hits.length, found.truncated, found.cursor], [HITS_MAX, true, String(HITS_MAX)])
    assert.ok(asked.length > 1)
    for (const { bytes } of asked) assert.ok(bytes <= EVENTS_BYTES_MAX)
    // In the order of the index itself.
    const here = await index.index?.service.searchHere({ text: 'orbit', limit: HITS_MAX })
    assert.deepEqual([here?.hits.length, here?.truncated, here?.cursor], [HITS_MAX, true, String(HITS_MAX)])
    assert.deepEqual(
      found.hits.map(({ title }) => title),
      here?.hits.map(({ title }) => title),
    )
    const rest = await client.search({ text: 'orbit', limit: HITS_MAX, cursor: found.cursor ?? '' })
    assert.deepEqual([rest.hits.length, rest.truncated, rest.cursor], [50, false, null])
    assert.equal((await client.search('orbit')).hits.length, HITS_DEFAULT)

    for (const limit of [HITS_MAX + 1, 0]) {
      const refusal = { name: 'ServiceError', code: 'usage', message: /gives 1 to 1000 hits/ }
      await assert.rejects(client.search({ text: 'orbit', limit }), refusal)
      await assert.rejects(async () => index.index?.service.searchHere({ text: 'orbit', limit }), refusal)
    }
    const body = (limit: number) => encodeSearch({ text: 'orbit', limit, cursor: '', hops: 0 })
    assert.ok((await client.request(index.id, INDEX_METHODS.search, body(HITS_MAX))).length <= EVENTS_BYTES_MAX)
    await assert.rejects(client.request(index.id, INDEX_METHODS.search, body(HITS_MAX + 1)), /out of range/)
  })

  it('brings them from several owners too, each torrent once', async () => {
    const client = await started(5)
    const words = ['cats', 'elephants']
    const events = await new Author(1).publishes(
      ...Array.from({ length: 1_400 }, (_, place) => `${words[place % 2]} number ${place}`),
    )
    for (const peer of network.indexNodes) await peer.node.log.ingest(events)
    const found = await client.search({ text: 'cats | elephants', limit: HITS_MAX })
    assert.equal(new Set(found.hits.map(({ infoHash }) => infoHash)).size, HITS_MAX)
    assert.deepEqual([found.truncated, found.cursor], [true, null])
  })

  it('goes on at another owner when the first fails between two pages', async () => {
    const client = await started(3)
    for (const peer of network.indexNodes) await holds(peer, 900)
    const [first] = client.map.ownersOf('orbit')
    assert.ok(first)
    const serve = handlerOf(network.at(first), INDEX_METHODS.search)
    let pages = 0
    network.at(first).node.overlay.serve(INDEX_METHODS.search, async (...request) => {
      pages += 1
      if (pages > 1) throw new Error('the disk is gone')
      return serve(...request)
    })
    const found = await client.search({ text: 'orbit', limit: 900 })
    assert.deepEqual([found.hits.length, found.truncated], [900, false])
    assert.deepEqual(
      found.failed.map(({ node }) => node),
      [first],
    )
    assert.equal(pages, 2, 'it is not asked for the next page')
  })

  it('gives what it has when nobody has the next page, and says that there is more', async () => {
    const client = await started(1)
    await holds(network.index(0), 900)
    watched(network.index(0), (reply, page) => {
      if (page > 1) throw new Error('the disk is gone')
      return reply
    })
    const found = await client.search({ text: 'orbit', limit: 900 })
    assert.ok(found.hits.length > 100 && found.hits.length < 900)
    assert.deepEqual([found.truncated, found.cursor, found.failed.length], [true, String(found.hits.length), 1])
  })

  it('does not follow an owner whose pages bring nothing new, nor one for ever', async () => {
    const client = await started(1)
    await holds(network.index(0), 30)
    const again = watched(network.index(0), (reply) => ({ ...reply, cursor: '7', truncated: true }))
    assert.equal((await client.search({ text: 'orbit', limit: HITS_MAX })).hits.length, 30)
    assert.equal(again.length, 2)

    const one = (await network.index(0).index?.service.searchHere({ text: 'orbit', limit: 1 }))?.hits[0]
    assert.ok(one)
    let pages = 0
    network.index(0).node.overlay.serve(INDEX_METHODS.search, async () => {
      pages += 1
      await new Promise<void>((resolve) => network.sim.time.after(300, resolve))
      const hit = { ...one, infoHash: hash(`${pages}`), tags: [] }
      return encodeSearchReply({ hits: [hit], truncated: true, cursor: `${pages}`, answeredBy: network.index(0).id })
    })
    const before = network.sim.time.now()
    const found = await client.search({ text: 'orbit', limit: HITS_MAX })
    assert.deepEqual([found.hits.length, found.truncated], [pages, true])
    const tookMs = network.sim.time.now() - before
    assert.ok(tookMs >= 15_000 && tookMs <= 15_400, `${tookMs} ms`)
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
