import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { partitionOf } from '../../../src/projections/keyword-index/index.ts'
import { HAND_OVER_MS_MAX } from '../../../src/roles/index-node/hand-over.ts'
import { INDEX_METHODS } from '../../../src/roles/index-node/index-messages.ts'
import { Author, IndexNetwork, type IndexPeer } from '../index-network.ts'

describe('an index node that is told to stop', () => {
  let network: IndexNetwork
  const started = async (indexNodes: number) => {
    network = await IndexNetwork.start({ indexNodes })
  }
  afterEach(() => network[Symbol.asyncDispose]())
  const ranked = (word: string) =>
    network
      .index(0)
      .map.rankedOwners(partitionOf(word), 4)
      .map((id) => network.at(id)) as [IndexPeer, IndexPeer, IndexPeer, IndexPeer]
  const holds = async (peer: IndexPeer, ...titles: string[]) => {
    await peer.node.log.ingest(await new Author(titles.length).publishes(...titles))
    return titles
  }
  const leavesWithin = async (peer: IndexPeer) => {
    const before = network.sim.time.now()
    await peer.leave()
    return network.sim.time.now() - before
  }

  it('gives what it alone holds to the other owners, and to the next in line', async () => {
    await started(6)
    const [first, second, third, next] = ranked('orbit')
    const titles = await holds(first, ...Array.from({ length: 3 }, (_, at) => `orbit ${'x'.repeat(at + 1)}`))
    await first.leave()
    for (const peer of [second, third, next]) deepEqual(peer.titles(), titles)
    match(first.notices.join(), /index.handed-over: gave \d+ entries that other index nodes lacked to \d of them/)
  })

  it('gives the next in line what all three held, section by section where there is much', async () => {
    await started(4)
    const [first, second, third, next] = ranked('orbit')
    const titles = Array.from({ length: 300 }, (_, at) => `orbit ${at}`)
    const events = await new Author(1).publishes(...titles)
    for (const peer of [first, second, third]) await peer.node.log.ingest(events)
    await next.node.log.ingest(events.slice(0, 150))
    await first.leave()
    equal(next.digest(partitionOf('orbit')), second.digest(partitionOf('orbit')))
    equal(next.titles().length, 300)
  })

  it('gives nothing where the others have it, and leaves at once', async () => {
    await started(3)
    const [first, second, third] = ranked('orbit')
    const events = await new Author(1).publishes('quiet orbit', 'loud orbit')
    for (const peer of [first, second, third]) await peer.node.log.ingest(events)
    let published = 0
    for (const peer of [second, third]) {
      const serve = peer.handlers.get(INDEX_METHODS.publish)
      peer.node.overlay.serve(INDEX_METHODS.publish, async (...request) => {
        published += 1
        return (await serve?.(...request)) ?? new Uint8Array()
      })
    }
    const tookMs = await leavesWithin(first)
    deepEqual([published, first.notices], [0, []])
    ok(tookMs < 100, `${tookMs} ms`)
  })

  it('asks nobody where there is nobody else', async () => {
    await started(1)
    const [only] = network.indexNodes as [IndexPeer]
    await holds(only, 'quiet orbit')
    ok((await leavesWithin(only)) < 10)
    deepEqual(only.notices, [])
  })

  it('leaves within three seconds whatever the others do, and says who may lack something', async () => {
    await started(4)
    const [first, second, third, next] = ranked('orbit')
    await holds(first, 'quiet orbit')
    for (const peer of [second, next]) peer.node.overlay.serve(INDEX_METHODS.compare, () => new Promise(() => {}))
    const tookMs = await leavesWithin(first)
    ok(tookMs > 1_000 && tookMs <= HAND_OVER_MS_MAX + 10, `${tookMs} ms`)
    deepEqual(third.titles(), ['quiet orbit'])
    match(first.notices.join(), /index.not-handed-over: \d index nodes may lack entries/)
  })

  it('is not kept by one that makes it compare without end', async () => {
    await started(2)
    const [first, second] = network.indexNodes as [IndexPeer, IndexPeer]
    await holds(first, 'quiet orbit')
    second.node.overlay.serve(INDEX_METHODS.compare, async () => {
      await new Promise<void>((resolve) => network.sim.time.after(200, resolve))
      return new Uint8Array([16, 1])
    })
    const tookMs = await leavesWithin(first)
    ok(tookMs <= HAND_OVER_MS_MAX + 400, `${tookMs} ms`)
  })
})
