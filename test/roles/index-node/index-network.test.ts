import assert from 'node:assert/strict'
import { type Millis, type NodeId, type SignedEvent, signRevocation } from '../../../src/events/index.ts'
import { RequestError } from '../../../src/network/index.ts'
import { hashKeyword, partitionOf } from '../../../src/projections/keyword-index/index.ts'
import {
  decodePublishReply,
  decodeSearchReply,
  EVENT_NAMES_MAX,
  encodeCompareReply,
  encodeFetch,
  encodeFetchReply,
  encodePublish,
  encodeSearch,
  INDEX_METHODS,
  QUERY_BYTES_MAX,
} from '../../../src/roles/index-node/index-messages.ts'
import { TEST_OWNER } from '../../events/test-network.ts'
import { hash } from '../../projections/envelopes.ts'
import { Author, described, IndexNetwork, type IndexPeer } from '../index-network.ts'

describe('index nodes', () => {
  let network: IndexNetwork
  const started = async (indexNodes: number, clients = 0) => {
    network = await IndexNetwork.start({ indexNodes, clients })
  }
  afterEach(async () => {
    assert.deepEqual(network.sim.notices, [])
    await network[Symbol.asyncDispose]()
  })

  describe('requests', () => {
    it('take a publication at each owner of each keyword, and nowhere else', async () => {
      await started(8, 1)
      const client = network.client()
      const published = await client.publish('quiet orbit')
      const keywords = ['quiet', 'orbit', hashKeyword(described('quiet orbit').infoHash)]
      const owners = new Set(keywords.flatMap((word) => client.map.ownersOf(word)))
      assert.deepEqual(new Set(published.acknowledgedBy), owners)
      assert.deepEqual([published.partitions, published.pending], [3, 0])
      for (const peer of network.indexNodes) {
        assert.deepEqual(peer.titles(), owners.has(peer.id) ? ['quiet orbit'] : [], `index node ${peer.node.index}`)
      }
    })

    it('are answered by an owner; another node forwards them once and not twice', async () => {
      await started(8, 1)
      const client = network.client()
      await client.publish('orbit')
      const owners = client.map.ownersOf('orbit')
      const found = await client.search('orbit')
      assert.deepEqual(
        found.hits.map(({ title }) => title),
        ['orbit'],
      )
      assert.ok(found.answeredBy !== null && owners.includes(found.answeredBy))
      assert.deepEqual([found.keyword, found.partition, found.failed], ['orbit', partitionOf('orbit'), []])

      const stranger = network.indexNodes.find(({ id }) => !owners.includes(id))
      assert.ok(stranger)
      const ask = async (hops: number) => {
        const body = encodeSearch({ text: 'orbit', limit: 20, cursor: '', hops })
        return decodeSearchReply(await client.request(stranger.id, INDEX_METHODS.search, body))
      }
      const forwarded = await ask(0)
      assert.ok(owners.includes(forwarded.answeredBy))
      assert.equal(forwarded.hits.length, 1)
      const own = await ask(1)
      assert.deepEqual([own.answeredBy, own.hits], [stranger.id, []])
    })

    it('refuse what is forged, of another stream or kind, or no event, and store the rest of the message', async () => {
      await started(1, 1)
      const [index, client, author] = [network.index(0), network.client(), new Author(1)]
      const [good, forged] = (await author.publishes('good orbit', 'forged orbit')) as [SignedEvent, SignedEvent]
      const wrongStream = author.signs({
        stream: 'local',
        event: { kind: 'torrent.withdrawn', infoHash: hash('x'), title: 'x' },
      })
      const wrongKind = author.signs({
        stream: 'index',
        event: { kind: 'operator.banned', subject: index.id, reason: 'because' },
      })
      const before = index.node.log.head
      const events = [
        { ...forged, signature: good.signature },
        wrongStream,
        wrongKind,
        { body: new Uint8Array(40).fill(255), signature: new Uint8Array(64) },
        good,
        good,
      ]
      const send = async () => decodePublishReply(await client.request(index.id, INDEX_METHODS.publish, encodePublish(events)))
      assert.deepEqual(await send(), ['forged', 'malformed', 'malformed', 'malformed', 'stored', 'duplicate'])
      assert.deepEqual(index.titles(), ['good orbit'])
      assert.equal(index.node.log.head, before + 1)
      assert.deepEqual((await send()).slice(4), ['duplicate', 'duplicate'])
    })

    it('refuse messages that are none or go beyond a bound, and stay up', async () => {
      await started(1, 1)
      const [index, client] = [network.index(0), network.client()]
      const before = index.node.log.head
      const name = { author: index.id, authorSeq: 1 }
      const cases: [string, Uint8Array, RegExp][] = [
        [INDEX_METHODS.publish, new Uint8Array([255, 255, 255]), /cannot be read/],
        [
          INDEX_METHODS.publish,
          encodePublish([{ body: new Uint8Array(9), signature: new Uint8Array(3) }]),
          /must have 64 bytes/,
        ],
        [INDEX_METHODS.fetch, encodeFetch(Array.from({ length: EVENT_NAMES_MAX + 1 }, () => name)), /more than 950 events/],
        [
          INDEX_METHODS.search,
          encodeSearch({ text: 'x'.repeat(QUERY_BYTES_MAX + 1), limit: 1, cursor: '', hops: 0 }),
          /a query has more than 1024 bytes/,
        ],
        [INDEX_METHODS.search, encodeSearch({ text: 'x', limit: 1e9, cursor: '', hops: 0 }), /out of range/],
        [
          INDEX_METHODS.search,
          encodeSearch({ text: 'x size:big', limit: 1, cursor: '', hops: 0 }),
          /asks for nothing.*is no size/,
        ],
        [INDEX_METHODS.search, encodeSearch({ text: '|-"*', limit: 1, cursor: '', hops: 0 }), /at least one word/],
        // Section 64 of a partition's 64.
        [INDEX_METHODS.compare, new Uint8Array([10, 4, 24, 1, 32, 64]), /out of range/],
      ]
      for (const [method, body, reason] of cases) {
        await assert.rejects(client.request(index.id, method, body), (error: unknown) => {
          assert.ok(error instanceof RequestError && error.code === 'refused', `${method}: ${error}`)
          assert.match(error.message, reason)
          return true
        })
      }
      assert.equal(index.node.log.head, before)
      assert.deepEqual((await client.search('anything')).hits, [])
    })

    it('answer with as many hits as one message takes, however long titles and tags are, and the cursor reaches the rest', async () => {
      await started(1, 1)
      const client = network.client()
      const tags = Array.from({ length: 32 }, (_, tag) => `${'水'.repeat(60)}${tag}`)
      const titles = Array.from({ length: 20 }, (_, place) => `orbit ${place} ${'水'.repeat(400)}`)
      for (const title of titles) await client.publish(title, { tags })
      const found: string[] = []
      let cursor: string | null = ''
      for (let pages = 0; cursor !== null && pages < 20; pages++) {
        const page: Awaited<ReturnType<typeof client.search>> = await client.search({ text: 'orbit', cursor })
        assert.ok(page.hits.length > 0)
        found.push(...page.hits.map(({ title }) => title))
        cursor = page.cursor
      }
      assert.deepEqual(found.sort(), titles.sort())
    })
  })

  describe('repair', () => {
    const level = () => network.indexNodes.every((peer) => peer.index !== undefined && digestsEqual(peer))
    const digestsEqual = (peer: IndexPeer): boolean =>
      ['orbit', 'quiet', 'loud', 'ubuntu'].every(
        (word) => peer.digest(partitionOf(word)) === network.index(0).digest(partitionOf(word)),
      )

    it('brings what one owner was told to the others, and says when all are level', async () => {
      await started(3)
      const [a, b, c] = [network.index(0), network.index(1), network.index(2)]
      await a.node.log.ingest(await new Author(1).publishes('quiet orbit'))
      await b.node.log.ingest(await new Author(2).publishes('loud orbit', 'loud orbit two'))
      assert.equal(level(), false)
      for (const peer of [a, b, c]) peer.startRepair()
      await network.until('the owners are level', level, 60_000)
      for (const peer of [a, b, c]) assert.deepEqual(peer.titles(), ['loud orbit', 'loud orbit two', 'quiet orbit'])
      await network.until('each says so', () => [a, b, c].every((peer) => peer.index?.repair.inSync === true), 60_000)
      const status = await c.index?.service.indexStatus({ partitions: false })
      assert.deepEqual(status?.repair.fetched, 3)
    })

    it('comes level in a partition with more events than a message has room for', async () => {
      await started(2)
      const [a, b] = [network.index(0), network.index(1)]
      const titles = (from: number, count: number) => Array.from({ length: count }, (_, place) => `ubuntu ${from + place}`)
      const common = await new Author(1).publishes(...titles(0, 1_500))
      for (const peer of [a, b]) await peer.node.log.ingest(common)
      await a.node.log.ingest(await new Author(2).publishes(...titles(2_000, 700)))
      await b.node.log.ingest(await new Author(3).publishes(...titles(3_000, 20)))
      const ubuntu = partitionOf('ubuntu')
      assert.notEqual(a.digest(ubuntu), b.digest(ubuntu))
      for (const peer of [a, b]) peer.startRepair()
      await network.until('both are level', () => a.digest(ubuntu) === b.digest(ubuntu), 60_000)
      assert.equal(a.titles().length, 1_500 + 700 + 20)
      assert.deepEqual(a.titles(), b.titles())
    })

    it('finds a few missing events among thousands for some tens of kilobytes', async () => {
      await started(2)
      const [a, b] = [network.index(0), network.index(1)]
      const events = await new Author(1).publishes(...Array.from({ length: 1_500 }, (_, place) => `ubuntu ${place}`))
      await a.node.log.ingest(events)
      await b.node.log.ingest(events.slice(10))
      const before = network.sim.traffic.bytes
      b.startRepair()
      await network.until('it is level', () => a.titles().length === b.titles().length, 5_000)
      // Digests of 1,024 partitions are 41 KB of it; listing the partition would be 60 KB more.
      assert.ok(network.sim.traffic.bytes - before < 120_000, `${network.sim.traffic.bytes - before} bytes`)
    })

    it('ends its round with an answerer that lies, stalls or sends nonsense', async () => {
      await started(2)
      const [a, b] = [network.index(0), network.index(1)]
      b.startRepair()
      const { overlay } = a.node
      let asked = 0
      const counted = (answer: () => Uint8Array | Promise<Uint8Array>) => async () => {
        asked += 1
        return answer()
      }
      const section = { partition: 3, depth: 0, prefix: 0 }
      const nobody = { author: 'ab'.repeat(32) as NodeId, authorSeq: 7 }
      const answers: (() => Uint8Array | Promise<Uint8Array>)[] = [
        () => new Promise(() => {}),
        () => new Uint8Array([1, 2, 3]),
        () => encodeCompareReply({ differing: [], compared: 0 }),
        () => encodeCompareReply({ differing: [{ ...section, events: [], split: true }], compared: 1 }),
        () => encodeCompareReply({ differing: [{ ...section, events: [nobody], split: false }], compared: 1 }),
      ]
      overlay.serve(
        INDEX_METHODS.fetch,
        counted(() => encodeFetchReply([])),
      )
      for (const answer of answers) {
        asked = 0
        overlay.serve(INDEX_METHODS.compare, counted(answer))
        await network.sim.time.advance(30_000)
        assert.ok(asked > 0, 'it is asked')
        assert.ok(asked <= 3 * (256 + 64), `asked ${asked} times in three rounds at most`)
      }
      assert.equal(b.index?.repair.inSync, false)
    })

    it('asks nobody for what a revoked author said', async () => {
      await started(2)
      const [a, b] = [network.index(0), network.index(1)]
      const revoked = new Author(1)
      await a.node.log.ingest(await revoked.publishes('quiet orbit'))
      await a.node.log.ingest(await new Author(2).publishes('loud orbit'))
      const word = signRevocation({ key: revoked.id, at: 1 as Millis, reason: '' }, TEST_OWNER)
      await b.node.log.append([{ event: { kind: 'access.revoked', ...word } }])
      b.startRepair()
      await network.until('the rest has come', () => b.titles().length > 0, 60_000)
      await network.sim.time.advance(30_000)
      assert.deepEqual(b.titles(), ['loud orbit'])
    })

    it('is level though one owner has let go of what a revoked author said, another not yet, and a third never had it', async () => {
      await started(3)
      const [a, b, c] = [network.index(0), network.index(1), network.index(2)]
      const revoked = new Author(1)
      // More than is compared without being split.
      const said = await revoked.publishes(...Array.from({ length: 200 }, (_, place) => `loud orbit ${place}`))
      for (const peer of [a, b]) await peer.node.log.ingest(said)
      for (const peer of [a, b, c]) await peer.node.log.ingest(await new Author(2).publishes('quiet orbit'))
      const word = signRevocation({ key: revoked.id, at: 1 as Millis, reason: '' }, TEST_OWNER)
      for (const peer of [a, b, c]) await peer.node.log.append([{ event: { kind: 'access.revoked', ...word } }])
      await a.states.forget('keyword-index', new Set([revoked.id]))
      assert.deepEqual(
        [a, b].map(({ states }) => [...states.state('keyword-index').documents.all()].length),
        [1, 201],
      )
      for (const peer of [a, b, c]) peer.startRepair()
      const isLevel = () => [a, b, c].every(({ index }) => index?.repair.inSync === true && index.repair.fetched === 0)
      await network.until('each has compared with the others', isLevel, 60_000)
      for (let round = 0; round < 6; round++) {
        await network.sim.time.advance(10_000)
        assert.equal(isLevel(), true)
      }
    })

    it('stops at once, and asks nobody any more', async () => {
      await started(2)
      const [a, b] = [network.index(0), network.index(1)]
      await a.node.log.ingest(await new Author(1).publishes('quiet orbit'))
      b.startRepair()
      b.index?.[Symbol.dispose]()
      await network.sim.time.advance(30_000)
      assert.deepEqual(b.titles(), [])
    })
  })
})
