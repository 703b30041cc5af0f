import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { type Millis, type NodeId, signRevocation } from '../../../src/events/index.ts'
import { OWNER_COUNT, PARTITION_COUNT, partitionOf } from '../../../src/projections/keyword-index/index.ts'
import { INDEX_METHODS } from '../../../src/roles/index-node/index-messages.ts'
import { magnetOf } from '../../../src/roles/magnet.ts'
import type { IndexService } from '../../../src/roles/services.ts'
import { TEST_OWNER } from '../../events/test-network.ts'
import { Author, described, IndexNetwork, type IndexPeer } from '../index-network.ts'

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
    const found = await here('orbit')
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
    ok(Number.isInteger(found.elapsedMs) && found.elapsedMs >= 0 && found.elapsedMs < 60_000)
    deepEqual((await network.index(1).index?.service.searchHere({ text: 'orbit' }))?.hits, [])
  })

  it('finds nothing without a word, and names no partition for it', async () => {
    await started(1)
    const { hits, keyword, partition } = await here('')
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
    await index.node.log.ingest(await new Author(1).publishes(`${word} ${word}`, word))
    const status = await service.indexStatus({ partitions: false })
    deepEqual([status.documents, status.keywords, status.indexNodesAlive, status.partitions], [2, 1, 4, []])
    equal(status.postings, index.states.state('keyword-index').postingCount)
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
      partitions.filter(({ documents }) => documents > 0).map(({ partition, documents }) => [partition, documents]),
      [[partitionOf(word), 2]],
    )
  })

  it('repairs once it is told to, says how it stands, and ends with it', async () => {
    await started(2)
    deepEqual(index.index?.repair, { lastAt: null, fetched: 0, inSync: false })
    index.startRepair()
    await network.until('it is in sync', () => index.index?.repair.inSync === true, 20_000)
    deepEqual((await service.indexStatus({ partitions: false })).repair, index.index?.repair)
    const { lastAt } = index.index?.repair ?? assertNever()
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

function assertNever(): never {
  throw new Error('it is not there')
}
