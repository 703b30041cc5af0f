import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { type ContentRules, type Millis, type NodeId, type SignedEvent, signRevocation } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import type { Overlay, RequestHandler } from '../../../src/network/overlay.ts'
import { hashKeyword, OWNER_COUNT, PARTITION_COUNT, partitionOf } from '../../../src/projections/keyword-index/index.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { newTurns } from '../../../src/projections/turns.system.ts'
import {
  decodeCompare,
  decodePublishReply,
  encodeCompareReply,
  encodeFetchReply,
  encodePublish,
  INDEX_METHODS,
  type SectionDigest,
} from '../../../src/roles/index-node/index-messages.ts'
import { createIndexNode, type IndexNode, type IndexNodeParts } from '../../../src/roles/index-node/index-node.ts'
import { liveIndexMap } from '../../../src/roles/index-node/live-index-map.ts'
import { magnetOf } from '../../../src/roles/magnet.ts'
import type { IndexService } from '../../../src/roles/services.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'
import { TEST_OWNER, verifySignature } from '../../events/test-network.ts'
import { Author, described, IndexNetwork, type IndexPeer } from '../index-network.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

describe('what an index node can be asked', () => {
  let network: IndexNetwork
  let index: IndexPeer
  let service: IndexService
  const started = async (indexNodes: number) => {
    network = await IndexNetwork.start({ indexNodes, clients: 1 })
    index = network.index(0)
    service = index.index?.service as IndexService
  }
  afterEach(() => network[Symbol.asyncDispose]())
  const here = (text: string, more: { limit?: number; cursor?: string } = {}) => service.searchHere({ text, ...more })

  it('finds what it holds itself, with the seeders that it has heard of, all of them proven', async () => {
    await started(2)
    await index.node.log.ingest(await new Author(1).publishes('quiet orbit'))
    await index.node.log.ingest(await new Author(2).verifies('quiet orbit'))
    const startedAt = performance.now()
    const found = await here('orbit')
    const tookMs = performance.now() - startedAt
    const { infoHash, title, sizeBytes, fileCount, tags } = described('quiet orbit')
    const [hit] = found.hits
    deepEqual(hit, {
      ...{ infoHash, title, sizeBytes, fileCount, tags: [...tags], seeders: 2, seedersProven: 2 },
      ...{ publisher: new Author(1).id, publishedAt: 1_800_000_000_000, magnet: magnetOf(infoHash, title) },
    })
    deepEqual(
      [found.query, found.truncated, found.cursor, found.keyword, found.partition, found.answeredBy, found.failed],
      ['orbit', false, null, 'orbit', partitionOf('orbit'), index.id, []],
    )
    ok(Number.isInteger(found.elapsedMs) && found.elapsedMs >= 0 && found.elapsedMs <= Math.ceil(tookMs))
    deepEqual((await network.index(1).index?.service.searchHere({ text: 'orbit' }))?.hits, [])
  })

  it('finds what was meant where a word is one slip away from words of titles, and says so', async () => {
    await started(2)
    await index.node.log.ingest(await new Author(1).publishes('quiet orbit', 'loud orbit'))
    const found = await here('Loud orbti')
    deepEqual(
      [found.hits.map(({ title }) => title), found.query, found.corrected],
      [['loud orbit'], 'Loud orbti', 'Loud orbit'],
    )
    // With the letter that lacks it would be longer than a query may be.
    const longest = await here(`${' '.repeat(1024 - 4)}orbt`)
    deepEqual([longest.hits, longest.corrected], [[], null])
    const none = await here('zebra orbti')
    deepEqual([none.hits, none.corrected], [[], null])
  })

  it('says what is wrong with a query, and names no partition for one of filters alone', async () => {
    await started(1)
    for (const [text, why] of [
      ['', /at least one word/],
      ['orbit seeders:many', /is no number of seeders/],
      ['x'.repeat(1_025), /at most 1024 bytes/],
    ] as const)
      await rejects(
        here(text),
        (error: { code?: string; message: string }) => error.code === 'usage' && why.test(error.message),
      )
    const { hits, keyword, partition } = await here('size:>1')
    deepEqual([hits, keyword, partition], [[], null, null])
    await rejects(here('orbit', { limit: 0 }), { code: 'usage' })
  })

  it('gives a page, and the rest from its cursor on', async () => {
    await started(1)
    await index.node.log.ingest(await new Author(1).publishes('orbit 1', 'orbit 2', 'orbit 3'))
    const page = await here('orbit', { limit: 2 })
    deepEqual([page.hits.length, page.truncated], [2, true])
    const rest = await here('orbit', { limit: 2, cursor: page.cursor ?? '' })
    deepEqual([rest.hits.length, rest.truncated, rest.cursor], [1, false, null])
    equal(new Set([...page.hits, ...rest.hits].map(({ infoHash }) => infoHash)).size, 3)
  })

  it('says what it holds and owns, and of each partition only when asked', async () => {
    await started(4)
    const owned = (peer: IndexPeer) => peer.map.partitionsOf(peer.id)
    const [word] = ['orbit', 'quiet', 'loud', 'comet'].filter((each) => index.map.ownersOf(each).includes(index.id))
    ok(word)
    const titles = [`${word} ${word}`, word]
    await index.node.log.ingest(await new Author(1).publishes(...titles))
    const status = await service.indexStatus({ partitions: false })
    deepEqual([status.documents, status.keywords, status.indexNodesAlive, status.partitions], [2, 1, 4, []])
    equal(status.postings, index.states.state('keyword-index').counters.postings)
    const ranks = [1, 2, 3].map((rank) => owned(index).filter((row) => row.rank === rank).length)
    deepEqual([status.owned.rank1, status.owned.rank2, status.owned.rank3], ranks)
    const all = await Promise.all(
      network.indexNodes.map(async (peer) => {
        const { rank1, rank2, rank3 } = (await peer.index?.service.indexStatus({ partitions: false }))?.owned ?? assertNever()
        return [rank1, rank2, rank3] as const
      }),
    )
    for (const rank of [0, 1, 2] as const)
      equal(
        all.reduce((sum, ranks) => sum + ranks[rank], 0),
        PARTITION_COUNT,
      )
    equal(OWNER_COUNT, 3)
    const { partitions } = await service.indexStatus({ partitions: true })
    deepEqual(
      partitions.map(({ partition, rank, owners }) => ({ partition, rank, owners })),
      owned(index),
    )
    deepEqual(
      partitions.filter(({ torrents }) => torrents > 0).map(({ partition, torrents }) => [partition, torrents]),
      owned(index).flatMap(({ partition }) => {
        const isHere = (title: string) => [word, hashKeyword(described(title).infoHash)].map(partitionOf).includes(partition)
        const count = titles.filter(isHere).length
        return count > 0 ? [[partition, count]] : []
      }),
    )
  })

  it('says its totals without a look at any partition, and looks at eight in one turn', async () => {
    await started(4)
    let turns = 0
    let owned = 0
    network.yieldToEventLoop = async () => {
      turns += 1
    }
    for (const partitions of [false, true]) {
      turns = 0
      const status = await service.indexStatus({ partitions })
      owned = status.owned.rank1 + status.owned.rank2 + status.owned.rank3
      equal(turns, PARTITION_COUNT / 8 - 1)
      equal(status.partitions.length, partitions ? owned : 0)
    }
    ok(owned > 500 && owned < PARTITION_COUNT)
  })

  it('repairs once it is told to, says how it stands, and ends with it', async () => {
    await started(2)
    deepEqual(index.index?.repair, { lastAt: null, fetched: 0, inSync: false })
    index.startRepair()
    await network.until('it is in sync', () => index.index?.repair.inSync === true, 20_000)
    deepEqual((await service.indexStatus({ partitions: false })).repair, index.index?.repair)
    const { lastAt } = index.index?.repair ?? assertNever()
    ok(lastAt !== null && lastAt <= network.sim.time.now() && lastAt > network.sim.time.now() - 20_000)
    index.index?.[Symbol.dispose]()
    await network.sim.time.advance(30_000)
    equal(index.index?.repair.lastAt, lastAt)
  })

  it('asks for nothing of authors that the owner has put out', async () => {
    await started(2)
    const author = new Author(1)
    const word = signRevocation({ key: author.id as NodeId, at: 1 as Millis, reason: '' }, TEST_OWNER)
    await index.node.log.append([{ event: { kind: 'access.revoked', ...word } }])
    await network.index(1).node.log.ingest(await author.publishes('loud orbit'))
    let fetches = 0
    const serve = network.index(1).handlers.get(INDEX_METHODS.fetch) ?? assertNever()
    network.index(1).node.overlay.serve(INDEX_METHODS.fetch, (...request) => {
      fetches += 1
      return serve(...request)
    })
    index.startRepair()
    await network.sim.time.advance(15_000)
    equal(fetches, 0)
  })
})

describe('an index node', () => {
  const author = new Author(1)
  let own: SmallLog
  let handlers: Map<string, RequestHandler>
  let node: IndexNode
  const overBudget = new Set<string>()
  const shut = new Set<string>()
  let asked: string[]
  beforeEach(async () => {
    own = await openSmallLog()
    overBudget.clear()
    shut.clear()
    asked = []
    begin()
  })
  afterEach(async () => {
    node[Symbol.dispose]()
    await own[Symbol.asyncDispose]()
  })
  const begin = (log: IndexNodeParts['log'] = own.log) => {
    handlers = new Map()
    node = createIndexNode({
      ...{ log, states: own.states, map: liveIndexMap(own.states), verify: verifySignature, upcast: noUpcast },
      ...{ clock: own.time, timers: own.time, newSha256, newTurns, yieldToEventLoop: async () => {}, notices: { post() {} } },
      admittance: {
        isShut: (id, stream) => shut.has(`${id} ${stream}`),
        isOverBudget: (id, stream) => overBudget.has(`${id} ${stream}`),
      },
      overlay: {
        serve: (method: string, handler: RequestHandler) => void handlers.set(method, handler),
        async request(_to: NodeId, method: string, body: Uint8Array) {
          asked.push(method)
          if (method === INDEX_METHODS.fetch) return encodeFetchReply([])
          const sections = decodeCompare(body)
          const [{ digest: _, ...section }] = sections as [SectionDigest]
          const events = [{ author: author.id, authorSeq: 1 }]
          return encodeCompareReply({ differing: [{ ...section, events, split: false }], compared: sections.length })
        },
      } as unknown as Overlay,
    })
  }
  const publish = async (events: readonly SignedEvent[]) => {
    const handler = handlers.get(INDEX_METHODS.publish) ?? assertNever()
    return decodePublishReply(await handler(author.id, encodePublish(events)))
  }

  it('takes no publication of an author that is over its budget for them, whatever it is of its gossip', async () => {
    const events = await author.publishes('quiet orbit')
    overBudget.add(`${author.id} index`)
    deepEqual(await publish(events), ['over-budget'])
    overBudget.clear()
    overBudget.add(`${author.id} gossip`)
    deepEqual(await publish(events), ['stored'])
  })

  it('asks others for what it lacks, and not of authors whose publications it takes no more', async () => {
    const alive = (id: NodeId) => ({
      event: {
        ...({ kind: 'member.alive', subject: id, incarnation: 1, role: 'index' } as const),
        ...{ host: '127.0.0.1', port: 4_000, dhtPort: 0 },
      },
    })
    await own.log.append([alive(own.id), alive(signerOf(2).id)])
    shut.add(`${author.id} index`)
    node.start()
    await own.time.advance(1)
    equal(asked.includes(INDEX_METHODS.fetch), false)
    ok(asked.length > 0)
    shut.clear()
    shut.add(`${author.id} gossip`)
    await own.time.advance(10_000)
    equal(asked.includes(INDEX_METHODS.fetch), true)
  })

  it('keeps a publication waiting for the admission of its author for two seconds, and no longer when it closes', async () => {
    const rules: ContentRules = {
      ...{ isRevoked: () => false, isShut: () => false, lamportMax: () => 1_000, ownLamportMax: () => 1_000 },
      judge: () => 'defer',
    }
    await using log = openMemoryLog({ signer: signerOf(9), clock: own.time, upcast: noUpcast, rules })
    node[Symbol.dispose]()
    begin(log)
    const events = await author.publishes('quiet orbit')
    const answers: unknown[] = []
    const ask = async () => void answers.push(await publish(events))
    void ask()
    await own.time.advance(1_999)
    deepEqual(answers, [])
    await own.time.advance(1)
    deepEqual(answers, [['deferred']])
    void ask()
    await own.time.advance(1)
    node[Symbol.dispose]()
    await own.time.advance(0)
    deepEqual(answers, [['deferred'], ['deferred']])
  })
})

function assertNever(): never {
  throw new Error('it is not there')
}
