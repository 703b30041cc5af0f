import assert from 'node:assert/strict'
import type { InfoHash, NodeId, Ruling, SignedEvent } from '../../../src/events/index.ts'
import { partitionOf, SEEDERS_PROVEN_MAX } from '../../../src/projections/keyword-index/index.ts'
import { joinedHits } from '../../../src/roles/client/joined-hits.ts'
import type { ProvenHit } from '../../../src/roles/client/proven-hits.ts'

import {
  decodeSearch,
  decodeSearchReply,
  EVENTS_BYTES_MAX,
  encodeNearWordsReply,
  encodeSearch,
  encodeSearchReply,
  INDEX_METHODS,
  type WireHit,
  type WireSearchReply,
} from '../../../src/roles/index-node/index-messages.ts'
import { decodeCursor } from '../../../src/roles/search-cursor.ts'
import { HITS_DEFAULT, HITS_MAX, type SearchHit } from '../../../src/roles/services.ts'
import { hash, node } from '../../projections/envelopes.ts'
import { Author, type ClientPeer, IndexNetwork, type IndexPeer } from '../index-network.ts'

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
    assert.deepEqual([few.hits.length, few.truncated], [3, true])
    const all = await client.search({ text: 'cats | elephants', limit: 20 })
    assert.deepEqual([all.hits.length, all.truncated], [8, false])
    const page = await client.search({ text: 'number', limit: 5 })
    assert.deepEqual([page.hits.length, page.truncated], [5, true])
    const rest = await client.search({ text: 'number', limit: 5, cursor: page.cursor ?? '' })
    assert.deepEqual([rest.hits.length, rest.truncated, rest.cursor], [3, false, null])
    assert.equal(new Set([...page.hits, ...rest.hits].map(({ infoHash }) => infoHash)).size, 8)
  })

  it('finds what was meant where a word is one slip away from words of titles and nothing else is found, and says so', async () => {
    const client = await started(8)
    for (const title of ['alpine plants', 'wet plants', 'alpine planets']) await client.publish(title)
    const found = await client.search('Alpine plnts')
    assert.deepEqual([titles(found.hits), found.query, found.corrected], [['alpine plants'], 'Alpine plnts', 'Alpine plants'])
    assert.equal(found.complete, true)
    const right = await client.search('alpine plants')
    assert.deepEqual([titles(right.hits), right.corrected], [['alpine plants'], null])
    const nothing = await client.search('zebras')
    assert.deepEqual([nothing.hits, nothing.corrected], [[], null])
    // One document alone has it: it may be a slip itself.
    assert.deepEqual((await client.search('planetz')).hits, [])
    // A second page is no place for another query.
    const page = await client.search({ text: 'plnts', limit: 1 })
    assert.equal(page.corrected, 'plants')
    const next = await client.search({ text: page.corrected ?? '', limit: 1, cursor: page.cursor ?? '' })
    assert.deepEqual(titles([...page.hits, ...next.hits]), ['alpine plants', 'wet plants'])
  })

  it('asks for no other query than one slip makes, whatever index nodes name', async () => {
    const client = await started(3)
    for (const title of ['wet plants', 'red plants', 'free casino', 'casino night']) await client.publish(title)
    const named = [
      { word: 'casino', documents: 1_000 },
      { word: 'plants', documents: 1 },
      { word: 'plants | casino', documents: 9 },
    ]
    const [liar, silent] = network.indexNodes
    liar?.node.overlay.serve(INDEX_METHODS.nearWords, async () => encodeNearWordsReply([[...named, ...named.slice(0, 2)]]))
    silent?.node.overlay.serve(INDEX_METHODS.nearWords, async () => new Uint8Array([1, 2, 3]))
    const found = await client.search('plnts')
    assert.deepEqual([titles(found.hits), found.corrected], [['red plants', 'wet plants'], 'plants'])
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
    assert.deepEqual([found.hits.length, found.truncated], [HITS_MAX, true])
    assert.ok(asked.length > 1)
    for (const { bytes } of asked) assert.ok(bytes <= EVENTS_BYTES_MAX)
    // In the order of the index itself.
    const here = await index.index?.service.searchHere({ text: 'orbit', limit: HITS_MAX })
    assert.deepEqual([here?.hits.length, here?.truncated], [HITS_MAX, true])
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
    assert.equal(found.truncated, true)
    // The next page would have to remember more than a thousand.
    const rest = await client.search({ text: 'cats | elephants', limit: HITS_MAX, cursor: found.cursor ?? '' })
    assert.deepEqual([rest.hits.length, rest.truncated, rest.cursor], [400, false, null])
    assert.equal(new Set([...found.hits, ...rest.hits].map(({ infoHash }) => infoHash)).size, 1_400)
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
    assert.deepEqual([found.truncated, found.failed.length], [true, 1])
    assert.equal(decodeCursor('orbit', found.cursor ?? '').parts[0]?.position, found.hits.length)
  })

  it('does not follow an owner whose pages bring nothing new, nor one for ever', async () => {
    const client = await started(1)
    await holds(network.index(0), 30)
    const again = watched(network.index(0), (reply) => ({ ...reply, cursor: '7', truncated: true }))
    assert.equal((await client.search({ text: 'orbit', limit: HITS_MAX })).hits.length, 30)
    assert.equal(again.length, 4)

    const others = await new Author(2).publishes(...Array.from({ length: 100 }, (_, at) => `orbit of page ${at}`))
    let pages = 0
    network.index(0).node.overlay.serve(INDEX_METHODS.search, async () => {
      pages += 1
      await new Promise<void>((resolve) => network.sim.time.after(300, resolve))
      const hits = [{ infoHash: hash(`orbit of page ${pages}`), seeders: 1, proof: others.slice(pages, pages + 1) }]
      return encodeSearchReply({ hits, truncated: true, cursor: `${pages}`, answeredBy: network.index(0).id })
    })
    const before = network.sim.time.now()
    const found = await client.search({ text: 'orbit', limit: HITS_MAX })
    assert.deepEqual([found.hits.length, found.truncated], [pages, true])
    const tookMs = network.sim.time.now() - before
    assert.ok(tookMs >= 15_000 && tookMs <= 15_400, `${tookMs} ms`)
  })

  it('follows an owner of whose pages every third brings something, to its end', async () => {
    const client = await started(1)
    const events = await new Author(2).publishes(...Array.from({ length: 5 }, (_, at) => `orbit of page ${at}`))
    let pages = 0
    network.index(0).node.overlay.serve(INDEX_METHODS.search, async () => {
      const at = Math.floor(pages / 3)
      pages += 1
      const hits = [{ infoHash: hash(`orbit of page ${at}`), seeders: 1, proof: events.slice(at, at + 1) }]
      const cursor = pages < 13 ? `${pages}` : ''
      return encodeSearchReply({ hits, truncated: cursor !== '', cursor, answeredBy: network.index(0).id })
    })
    const found = await client.search({ text: 'orbit', limit: HITS_MAX })
    assert.deepEqual([pages, found.hits.length, found.truncated], [13, 5, false])
  })

  describe('over several lists', () => {
    /** Titles at the owners of their words, as if they had been published. */
    const published = async (client: ClientPeer, all: readonly string[]) => {
      const events = await new Author(1).publishes(...all)
      for (const peer of network.indexNodes) {
        const owned = events.filter((_, at) =>
          (all[at] ?? '').split(' ').some((word) => client.map.ownersOf(word).includes(peer.id)),
        )
        await peer.node.log.ingest(owned)
      }
      return all
    }
    const pagesOf = async (client: ClientPeer, text: string, limit: number) => {
      const pages: string[][] = []
      let cursor: string | null = ''
      while (cursor !== null && pages.length < 100) {
        const page: Awaited<ReturnType<typeof client.search>> = await client.search({ text, limit, cursor })
        pages.push(page.hits.map(({ title }) => title))
        assert.equal(page.truncated, page.cursor !== null)
        cursor = page.cursor
      }
      return pages
    }

    for (const [text, what] of [
      ['1*', 'a prefix'],
      ['cats | elephants | 1*', 'alternatives with a prefix'],
      ['size:>1', 'a filter'],
    ] as const) {
      it(`gives ${what} page by page to the end, each torrent once, and none left out`, async () => {
        const client = await started(5)
        const all = await published(
          client,
          Array.from({ length: 30 }, (_, at) => `1${at} ${at % 2 === 0 ? 'cats' : 'elephants'} release${at}`),
        )
        const pages = await pagesOf(client, text, 5)
        assert.deepEqual(pages.flat().sort(), [...all].sort())
        assert.ok(pages.length >= 6)
      })
    }

    it('gives alternatives page by page to the end, with titles that have both', async () => {
      const client = await started(8)
      const all = await published(client, [
        ...Array.from({ length: 20 }, (_, at) => `cats ${at}`),
        ...Array.from({ length: 20 }, (_, at) => `elephants ${at}`),
        ...Array.from({ length: 20 }, (_, at) => `cats elephants ${at}`),
      ])
      const pages = await pagesOf(client, 'cats | elephants', 7)
      assert.deepEqual(pages.flat().sort(), [...all].sort())
      assert.deepEqual([...new Set(pages.slice(0, -1).map(({ length }) => length))], [7])
    })

    it('leaves nothing out where the owners of a word hold different titles', async () => {
      const client = await started(4)
      const [first, second] = client.map.ownersOf('orbit')
      assert.ok(first && second)
      const events = await new Author(1).publishes(...Array.from({ length: 24 }, (_, at) => `orbit ${at}`))
      await network.at(first).node.log.ingest(events.filter((_, at) => at % 3 !== 0))
      await network.at(second).node.log.ingest(events.filter((_, at) => at % 3 !== 1))
      const pages = await pagesOf(client, 'orbit', 5)
      assert.deepEqual(new Set(pages.flat()).size, pages.flat().length, 'each once')
      assert.equal(pages.flat().length, 24)
    })

    it('refuses a cursor of another query, and what is none, with a sentence and nothing asked', async () => {
      const client = await started(5)
      await published(client, ['10 cats', '11 cats', '12 cats'])
      const { cursor } = await client.search({ text: '1*', limit: 1 })
      assert.ok(cursor)
      const refused = (text: string, given: string, message: RegExp) =>
        assert.rejects(client.search({ text, cursor: given }), { name: 'ServiceError', code: 'usage', message })
      await refused('cats', cursor, /belongs to another query/)
      for (const none of ['7', 'x'.repeat(10_000), cursor.slice(0, -2), `${cursor}AAAA`, '!', cursor.replace(/^A/, 'B')])
        await refused('1*', none, /is no cursor/)
    })
  })

  describe('goes to the owners of the rarest word', () => {
    it('as far as owners have said how common words are, and hears it with each answer', async () => {
      const client = await started(8)
      for (let at = 0; at < 6; at++) await client.publish(`interplanetary flight ${at}`)
      await client.publish('interplanetary orbit')
      const keywordOf = async (text: string) => (await client.search(text)).keyword
      assert.equal(await keywordOf('interplanetary orbit'), 'interplanetary')
      assert.deepEqual([client.frequencies.of('interplanetary'), client.frequencies.of('flight')], [7, undefined])
      const found = await client.search('interplanetary orbit')
      assert.deepEqual([found.keyword, titles(found.hits)], ['orbit', ['interplanetary orbit']])
      assert.equal(client.frequencies.of('orbit'), 1)
      assert.equal(await keywordOf('interplanetary flight'), 'flight')
      assert.equal(client.frequencies.of('flight'), 6)
      assert.equal(await keywordOf('interplanetary flight orbit'), 'orbit')
    })

    it('and believes nobody about words that were not asked for, or that it does not own', async () => {
      const client = await started(8)
      await client.publish('quiet orbit')
      const owners = client.map.ownersOf('orbit')
      const foreign = Array.from({ length: 200 }, (_, at) => `word${at}`).find((word) =>
        client.map.ownersOf(word).every((owner) => !owners.includes(owner)),
      )
      assert.ok(foreign)
      for (const id of owners) {
        watched(network.at(id), (reply) => ({
          ...reply,
          frequencies: [...(reply.frequencies ?? []), { word: 'comet', documents: 9 }, { word: foreign, documents: 9 }],
        }))
      }
      client.frequencies.note(foreign, 1_000)
      await client.search(`orbit ${foreign}`)
      assert.deepEqual(
        [client.frequencies.of('orbit'), client.frequencies.of('comet'), client.frequencies.of(foreign)],
        [1, undefined, 1_000],
      )
    })
  })

  describe('says of each word who was asked', () => {
    it('and what came of it: who answered, who was silent, and that it is complete', async () => {
      const client = await started(5)
      await client.publish('cats film')
      const found = await client.search('cats | elephants')
      assert.deepEqual(
        found.parts.map(({ keyword, partition, complete }) => [keyword, partition, complete]),
        [
          ['cats', partitionOf('cats'), true],
          ['elephants', partitionOf('elephants'), true],
        ],
      )
      const [cats] = found.parts
      assert.deepEqual(
        cats?.asked.map(({ node, outcome, hits }) => [node, outcome, hits]),
        client.map
          .ownersOf('cats')
          .slice(0, 2)
          .map((owner) => [owner, 'answered', 1]),
      )
      assert.deepEqual([found.complete, found.charged, found.failed], [true, [], []])
    })

    it('names a silent owner that was hedged, and one that had no time to confirm', async () => {
      const client = await started(3)
      await client.publish('quiet orbit')
      const [first, second, third] = client.map.ownersOf('orbit') as [NodeId, NodeId, NodeId]
      for (const id of [first, second]) network.at(id).node.overlay.serve(INDEX_METHODS.search, () => new Promise(() => {}))
      const found = await client.search('orbit')
      assert.deepEqual([found.hits.length, found.answeredBy, found.complete], [1, third, true])
      assert.deepEqual(
        found.parts[0]?.asked.map(({ node, outcome }) => [node, outcome]),
        [
          [first, 'silent'],
          [second, 'silent'],
          [third, 'answered'],
        ],
      )
      assert.deepEqual(
        found.failed.map(({ node }) => node),
        [first, second],
      )
      assert.match(found.failed[0]?.reason ?? '', /no answer in 5\d\d ms/)
    })

    it('and is not complete where nobody of a word answered, or too few of those that hold parts', async () => {
      const client = await started(6)
      await client.publish('cats film')
      const owners = client.map.ownersOf('elephants')
      for (const id of owners)
        network.at(id).node.overlay.serve(INDEX_METHODS.search, async () => {
          throw new Error('the disk is gone')
        })
      const found = await client.search('cats | elephants')
      const [cats, elephants] = found.parts
      assert.deepEqual(
        [found.complete, cats?.complete, elephants?.complete],
        [false, cats?.asked.some(({ outcome }) => outcome === 'answered'), false],
      )
      assert.deepEqual(
        elephants?.asked.map(({ outcome, reason }) => [outcome, reason]),
        // The others may have what they once owned.
        [...owners.map(() => ['failed', 'the disk is gone']), ...owners.map(() => ['not-level', null])],
      )
      const prefix = await client.search('fil*')
      assert.deepEqual([prefix.parts.length, prefix.complete], [6, false])
      const [back] = owners as [NodeId]
      network.at(back).node.overlay.serve(INDEX_METHODS.search, handlerOf(network.at(back), INDEX_METHODS.search))
      assert.equal((await client.search('fil*')).complete, true, 'two of six are fewer than hold each title')
    })
  })

  describe('that is asked of each node for what it holds', () => {
    const silenced = async (count: number) => {
      const client = await started(6)
      for (let at = 0; at < 12; at++) await client.publish(`1${at} release${at}`)
      for (const { node } of network.indexNodes.slice(0, count))
        node.overlay.serve(INDEX_METHODS.search, () => new Promise(() => {}))
      return async () => {
        const before = network.sim.time.now()
        const { hits, complete, failed } = await client.search('1*')
        return { hits: hits.length, complete, failed: failed.length, ms: network.sim.time.now() - before }
      }
    }

    it('waits a moment for the last two, of which others hold every title, and not at all where they were silent just now', async () => {
      const search = await silenced(2)
      const { ms: firstMs, ...first } = await search()
      assert.deepEqual(first, { hits: 12, complete: true, failed: 0 })
      assert.ok(firstMs >= 150 && firstMs < 200, `${firstMs} ms`)
      const { ms: nextMs, ...next } = await search()
      assert.deepEqual(next, first)
      assert.ok(nextMs < 50, `${nextMs} ms`)
      await network.sim.time.advance(15_000)
      assert.ok((await search()).ms >= 150)
    })

    it('waits for the last three as long as for any, and is not complete without them', async () => {
      const search = await silenced(3)
      for (let round = 0; round < 2; round++) {
        const { ms, complete, failed } = await search()
        assert.deepEqual([complete, failed], [false, 3])
        assert.ok(ms >= 5_000, `${ms} ms`)
      }
    })
  })

  it('of a client that has just started waits up to five seconds for the first index node, before it plans anything', async () => {
    const client = await started(1)
    await client.publish('quiet orbit')
    const waits: number[] = []
    client.patience.untilIndexKnown = async (waitMs) => void waits.push(waitMs)
    assert.deepEqual(titles((await client.search('orbit')).hits), ['quiet orbit'])
    assert.deepEqual(waits, [5_000])
    network.index(0).crash()
    await network.until('it is known to be dead', () => client.map.indexNodes().length === 0, 60_000)
    client.patience.untilIndexKnown = async () => {
      await network.index(0).restart()
      while (client.map.indexNodes().length === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    assert.deepEqual(titles((await client.search('orbit')).hits), ['quiet orbit'])
  })

  it('finds a torrent by its info hash, by any name of its episode, and by its kind, whoever owns what', async () => {
    const client = await started(8)
    await client.publish('Lost.Shore.S01E04E05.1080p.WEB-DL.H.264-GRP')
    await client.publish("Marvel's Agents of S.H.I.E.L.D. – Müller & Söhne")
    const [{ infoHash, magnet }] = (await client.search('lost')).hits as [SearchHit]
    const asked: readonly (readonly [query: string, count: number])[] = [
      ...[infoHash, infoHash.toUpperCase(), magnet, `infohash:${infoHash}`].map((text) => [text, 1] as const),
      ['0'.repeat(40), 0],
      ['lost shore 1x05', 1],
      ['season 1 episode 5 webdl', 1],
      ['lost s01e06', 0],
      ['marvels shield', 1],
      ['mueller and soehne', 1],
      ['müller & sohne', 1],
      ['"of shield" mull*', 1],
      ['mueller -shield', 0],
      ['lost category:tv', 1],
      ['lost -category:tv', 0],
      ['x264 | s.h.i.e.l.d.', 2],
    ]
    for (const [text, count] of asked) assert.equal((await client.search(text)).hits.length, count, text)
  })

  it('takes what nobody types: half of a character, control characters', async () => {
    const client = await started(5)
    await client.publish('quiet orbit')
    for (const text of ['orbit \ud83d', '\udc00quiet\u0000orbit', '\u001b[2J orbit', 'orbit -\ud800x']) {
      const { hits, query } = await client.search(text)
      assert.deepEqual([hits.length, query], [text.includes('[2J') ? 0 : 1, text.toWellFormed()], JSON.stringify(text))
    }
  })

  it('says what is wrong: no word, too long, no index node, nobody answers', async () => {
    const client = await started(1)
    await assert.rejects(client.search('***'), /at least one word/)
    await assert.rejects(client.search('orbit size:huge'), { code: 'usage', message: /is no size: write size:>1GB/ })
    await assert.rejects(client.search('orbit '.repeat(129)), { code: 'usage', message: /129 words, and 128 is the most/ })
    await assert.rejects(client.search('x'.repeat(2_000)), /at most 1024 bytes/)
    network.index(0).node.overlay.serve(INDEX_METHODS.search, () => new Promise(() => {}))
    await assert.rejects(client.search('orbit'), /no index node answered \(.*no answer/)
    network.index(0).crash()
    await network.until('it is known to be dead', () => client.map.indexNodes().length === 0, 60_000)
    await assert.rejects(client.search('orbit'), /no index node is known to be alive/)
  })

  describe('believes no owner more than it proves', () => {
    const [first, others] = ['first', 'others'] as const
    /** What the first owner of `orbit` answers with, and what the others. */
    const answered = (client: ClientPeer, answers: { [K in 'first' | 'others']?: (hits: WireHit[]) => WireHit[] }) => {
      const asked: NodeId[] = []
      const owners = client.map.ownersOf('orbit')
      for (const [place, owner] of owners.entries()) {
        const peer = network.at(owner)
        const serve = handlerOf(peer, INDEX_METHODS.search)
        const change = answers[place === 0 ? first : others] ?? ((hits) => hits)
        peer.node.overlay.serve(INDEX_METHODS.search, async (from, body) => {
          asked.push(owner)
          const reply = decodeSearchReply(await serve(from, body))
          return encodeSearchReply({ ...reply, hits: change(reply.hits) })
        })
      }
      return { asked, owners }
    }
    const publishedTwo = async () => {
      const client = await started(3)
      await client.publish('quiet orbit')
      await client.publish('loud orbit')
      return client
    }
    const [description] = [1]
    const forgeries: [what: string, forge: (hit: WireHit, others: readonly SignedEvent[]) => WireHit][] = [
      ['has no proof', (hit) => ({ ...hit, proof: [] })],
      ['is signed by nobody', ({ proof: [event], ...hit }) => ({ ...hit, proof: [changed(event)] })],
      ['is about another torrent', (hit) => ({ ...hit, infoHash: hash('another') })],
      ['shows no description', (hit, [claim]) => ({ ...hit, proof: claim === undefined ? [] : [claim] })],
      ['has a forged seeder', (hit, [claim]) => ({ ...hit, proof: [...hit.proof, changed(claim)] })],
      ['is no event', (hit) => ({ ...hit, proof: [{ body: new Uint8Array([1, 2, 3]), signature: new Uint8Array(64) }] })],
    ]
    for (const [what, forge] of forgeries) {
      it(`drops an answer with a hit that ${what}, asks another owner, and that one last from then on`, async () => {
        const client = await publishedTwo()
        const claims = await new Author(5).verifies('quiet orbit')
        const { asked, owners } = answered(client, {
          first: (hits) => hits.map((hit, at) => (at === description ? forge(hit, claims) : hit)),
        })
        const found = await client.search('orbit')
        assert.deepEqual(titles(found.hits), ['loud orbit', 'quiet orbit'])
        assert.deepEqual(
          found.failed.map(({ node, reason }) => [node, reason]),
          [[owners[0], '1 of its 2 hits are signed by nobody']],
        )
        assert.deepEqual(
          client.evidence.map(({ owner, fault, keyword, author }) => [owner, fault, keyword, author]),
          [[owners[0], 'forged', 'orbit', null]],
        )
        asked.length = 0
        const again = await client.search('orbit')
        assert.deepEqual([titles(again.hits), again.failed], [['loud orbit', 'quiet orbit'], []])
        assert.equal(asked.includes(owners[0] as NodeId), false)
      })
    }

    it('drops hits without the words that were asked for', async () => {
      const client = await publishedTwo()
      await client.publish('cheap pills')
      const pills = decodeSearchReply(
        await client.request(
          network.index(0).id,
          INDEX_METHODS.search,
          encodeSearch({ text: 'pills', limit: 5, cursor: '', hops: 0 }),
        ),
      ).hits
      assert.equal(pills.length, 1)
      answered(client, { first: (hits) => [...pills, ...hits], others: (hits) => [...pills, ...hits] })
      assert.deepEqual(titles((await client.search('orbit')).hits), ['loud orbit', 'quiet orbit'])
    })

    it('finds what the first owner keeps silent about', async () => {
      const client = await publishedTwo()
      answered(client, { first: () => [] })
      assert.deepEqual(titles((await client.search('orbit')).hits), ['loud orbit', 'quiet orbit'])
      answered(client, { first: (hits) => hits.slice(1) })
      assert.deepEqual(titles((await client.search('orbit')).hits), ['loud orbit', 'quiet orbit'])
    })

    it('charges an owner that says it has nothing where another proves what was published long ago, and asks it last', async () => {
      const client = await publishedTwo()
      const { asked, owners } = answered(client, { first: () => [] })
      client.aheadMs = 5 * 60_000 - 60_000
      assert.deepEqual((await client.search('orbit')).charged, [], 'it may not have come there yet')
      client.aheadMs = 6 * 60_000
      const found = await client.search('orbit')
      assert.deepEqual(titles(found.hits), ['loud orbit', 'quiet orbit'])
      assert.deepEqual(found.charged, [
        {
          node: owners[0],
          reason:
            'it said that it has nothing, where another owner proved 2 hits, and says so still, though it has what it was handed',
        },
      ])
      const row = found.parts[0]?.asked.find(({ node }) => node === owners[0])
      assert.deepEqual([row?.hits, row?.lacks], [0, 2])
      const [evidence, ...more] = client.evidence
      assert.ok(evidence)
      const { infoHash, authorSeq, ...rest } = evidence
      assert.deepEqual(rest, { owner: owners[0], fault: 'omitted', keyword: 'orbit', author: client.node.id })
      assert.equal(authorSeq, infoHash === hash('quiet orbit') ? 1 : 2)
      assert.deepEqual(more, [])
      asked.length = 0
      const again = await client.search('orbit')
      assert.deepEqual([titles(again.hits), again.charged], [['loud orbit', 'quiet orbit'], []])
      assert.equal(asked.includes(owners[0] as NodeId), false)
    })

    it('charges one that says it has nothing so far, and more behind that', async () => {
      const client = await publishedTwo()
      client.aheadMs = 6 * 60_000
      const [first] = client.map.ownersOf('orbit') as [NodeId]
      watched(network.at(first), (reply) => ({ ...reply, hits: [], truncated: true, cursor: '5' }))
      const found = await client.search('orbit')
      assert.deepEqual(titles(found.hits), ['loud orbit', 'quiet orbit'])
      assert.deepEqual(
        found.charged.map(({ node }) => node),
        [first],
      )
    })

    it('names what an owner lacks that answers with some of it, and charges nobody for that', async () => {
      const client = await publishedTwo()
      client.aheadMs = 6 * 60_000
      const { owners } = answered(client, { first: (hits) => hits.slice(1) })
      const found = await client.search('orbit')
      assert.deepEqual([titles(found.hits), found.charged], [['loud orbit', 'quiet orbit'], []])
      assert.deepEqual(
        found.parts[0]?.asked.map(({ node, lacks }) => [node, lacks]),
        [
          [owners[0], 1],
          [owners[1], 0],
        ],
      )
    })

    it('charges nobody whose answer is empty and right', async () => {
      const client = await publishedTwo()
      client.aheadMs = 6 * 60_000
      const found = await client.search('comet')
      assert.deepEqual([found.hits, found.charged, found.complete], [[], [], true])
    })

    it('waits for no slow owner once another has found something', async () => {
      const client = await publishedTwo()
      const [, second] = client.map.ownersOf('orbit')
      assert.ok(second)
      network.at(second).node.overlay.serve(INDEX_METHODS.search, () => new Promise(() => {}))
      const before = network.sim.time.now()
      assert.equal((await client.search('orbit')).hits.length, 2)
      assert.ok(network.sim.time.now() - before < 200)
    })

    it('asks an owner that was silent after the others for 15 s', async () => {
      const client = await publishedTwo()
      const { asked, owners } = answered(client, {})
      const [first, second] = owners as [NodeId, NodeId]
      const serve = handlerOf(network.at(first), INDEX_METHODS.search)
      network.at(first).node.overlay.serve(INDEX_METHODS.search, () => {
        asked.push(first)
        return new Promise(() => {})
      })
      const search = async () => {
        asked.length = 0
        const before = network.sim.time.now()
        const { hits, complete } = await client.search('orbit')
        assert.deepEqual([hits.length, complete], [2, true])
        return network.sim.time.now() - before
      }
      const slowMs = await search()
      assert.ok(slowMs >= 150 && slowMs < 200 && asked.includes(first), `${slowMs} ms`)
      network.at(first).node.overlay.serve(INDEX_METHODS.search, serve)
      const quickMs = await search()
      assert.ok(quickMs < 50, `${quickMs} ms`)
      assert.deepEqual(asked.toSorted(), owners.filter((owner) => owner !== first).toSorted())
      await network.sim.time.advance(15_000)
      await search()
      assert.deepEqual(asked, [second])
      assert.equal(client.heldOff.isHeldOff(first), false)
    })

    it('waits for owners that say nothing, where one finds nothing, as long as for any; a second time only a moment', async () => {
      const client = await publishedTwo()
      const [first, second] = client.map.ownersOf('comet') as [NodeId, NodeId]
      for (const id of [first, second]) network.at(id).node.overlay.serve(INDEX_METHODS.search, () => new Promise(() => {}))
      const search = async () => {
        const before = network.sim.time.now()
        const { hits, parts, complete } = await client.search('comet')
        assert.deepEqual([hits, complete], [[], true])
        const silent = parts[0]?.asked.filter(({ outcome }) => outcome === 'silent').length
        return { ms: network.sim.time.now() - before, silent }
      }
      const { ms: firstMs, ...asFirst } = await search()
      assert.deepEqual(asFirst, { silent: 2 })
      assert.ok(firstMs >= 5_000, `${firstMs} ms`)
      client.map.ownersOf('comet').forEach((owner, place) => {
        assert.equal(client.slow.isHeldOff(owner), place < 2)
      })
      const { ms: secondMs, ...asSecond } = await search()
      assert.deepEqual(asSecond, { silent: 1 })
      assert.ok(secondMs >= 150 && secondMs < 500, `${secondMs} ms`)
    })

    it('says how many seeders are proven, and takes the fewest that any owner says', async () => {
      const client = await publishedTwo()
      const claims = await Promise.all([5, 6, 7, 8, 9].map((seed) => new Author(seed).verifies('quiet orbit')))
      for (const peer of network.indexNodes) await peer.node.log.ingest(claims.flat())
      const seeders = async () => {
        const hit = (await client.search('quiet')).hits[0]
        return [hit?.seeders, hit?.seedersProven]
      }
      assert.deepEqual(await seeders(), [6, 1 + SEEDERS_PROVEN_MAX])
      for (const peer of network.indexNodes) {
        const serve = handlerOf(peer, INDEX_METHODS.search)
        const more = peer.id === client.map.ownersOf('quiet')[0] ? 99_999 : 0
        peer.node.overlay.serve(INDEX_METHODS.search, async (from, body) => {
          const reply = decodeSearchReply(await serve(from, body))
          return encodeSearchReply({ ...reply, hits: reply.hits.map((hit) => ({ ...hit, seeders: hit.seeders + more })) })
        })
      }
      assert.deepEqual(await seeders(), [6, 1 + SEEDERS_PROVEN_MAX])
    })

    it('shows nothing of authors that are not admitted, waits for those that may come, and blames nobody for them', async () => {
      const client = await publishedTwo()
      const rulings = new Map<string, Ruling>()
      client.rules = { judge: ({ author }) => rulings.get(author) ?? 'take' }
      const [other] = [new Author(5)]
      for (const peer of network.indexNodes) await peer.node.log.ingest(await other.publishes('other orbit'))
      rulings.set(client.node.id, 'refuse')
      const found = await client.search('orbit')
      assert.deepEqual([titles(found.hits), found.failed], [['other orbit'], []])
      rulings.set(other.id, 'defer')
      const first = client.map.ownersOf('orbit')[0] as NodeId
      assert.equal(client.heldOff.isHeldOff(first), false)
      assert.deepEqual(titles((await client.search('orbit')).hits), [])
      assert.equal(client.heldOff.isHeldOff(first), true, 'not waited for first each time')
      client.patience.untilAdmitted = async () => {
        rulings.delete(other.id)
      }
      assert.deepEqual(titles((await client.search('orbit')).hits), ['other orbit'])
    })
  })
})

/** One bit of it is another. */
function changed(event: SignedEvent | undefined): SignedEvent {
  assert.ok(event)
  const signature = new Uint8Array(event.signature)
  signature[0] = (signature[0] ?? 0) ^ 1
  return { body: event.body, signature }
}

describe('answers of several owners', () => {
  const [ada, bob] = [node('ada'), node('bob')]
  const hit = (title: string, seeders: number, proven: readonly NodeId[] = [ada]): ProvenHit => ({
    ...{ infoHash: hash(title) as InfoHash, title, sizeBytes: 1, fileCount: 1, tags: [] },
    ...{ seeders, provenSeeders: new Set(proven), publisher: ada, party: 'guests', publishedAt: 1, authorSeq: 1 },
    lastSeenAt: 0,
    description: { body: new Uint8Array(), signature: new Uint8Array() },
  })

  it('are joined by the best place of each hit, then by seeders, with the fewest that any says and all that are proven', () => {
    const one = [hit('a', 5), hit('b', 4), hit('c', 1)]
    const two = [hit('x', 9), hit('c', 7, [bob]), hit('b', 1)]
    assert.deepEqual(
      joinedHits([one, two]).map(({ title, seeders }) => [title, seeders]),
      [
        ['x', 9],
        ['a', 5],
        ['c', 2],
        ['b', 1],
      ],
    )
    assert.deepEqual(joinedHits([one]), one)
    assert.deepEqual(joinedHits([]), [])
  })

  it('leave others their places where each owner has other titles of one party that floods them', () => {
    const few = (name: string, count: number, party: string): ProvenHit[] =>
      Array.from({ length: count }, (_, at) => ({ ...hit(`${name} ${at}`, 1), publisher: node(`${name} ${at % 3}`), party }))
    const honest = few('honest', 10, 'friends')
    const page = (spam: readonly ProvenHit[]) => [
      ...spam.slice(0, 5),
      ...honest.slice(0, 5),
      ...spam.slice(5),
      ...honest.slice(5),
    ]
    const joined = joinedHits([page(few('one', 10, 'spammers')), page(few('two', 10, 'spammers'))])
    assert.equal(joined.length, 30)
    for (const count of [10, 20]) {
      assert.equal(joined.slice(0, count).filter(({ party }) => party === 'friends').length, count / 2)
    }
  })
})
