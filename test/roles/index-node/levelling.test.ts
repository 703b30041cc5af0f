import { deepEqual, equal, ok } from 'node:assert/strict'
import type { NodeId, SignedEvent } from '../../../src/events/index.ts'
import { encodeCompareReply, INDEX_METHODS } from '../../../src/roles/index-node/index-messages.ts'
import { LEVEL_BYTES } from '../../../src/roles/index-node/partition-levels.ts'
import { Author, type ClientPeer, IndexNetwork, type IndexPeer } from '../index-network.ts'

/** As in a network that had so many when a sixth index node joined it, and every fifteenth search found nothing. */
const TITLES = 4_929

describe('an index node that is not level', () => {
  let network: IndexNetwork
  afterEach(() => network[Symbol.asyncDispose]())
  const isLevel = async (peer: IndexPeer) => {
    const { owned } = (await peer.index?.service.indexStatus({ partitions: false })) ?? {}
    return owned !== undefined && owned.level === owned.rank1 + owned.rank2 + owned.rank3
  }
  const allLevel = async (peers: readonly IndexPeer[], withinMs = 60_000) => {
    for (let waitedMs = 0; ; waitedMs += 500) {
      if ((await Promise.all(peers.map(isLevel))).every(Boolean)) return waitedMs
      ok(waitedMs < withinMs, `not level in ${withinMs} ms`)
      await network.sim.time.advance(500)
    }
  }
  const started = async (indexNodes: number, later = 0) => {
    network = await IndexNetwork.start({ indexNodes, clients: 1, later, isLevelling: true })
    for (const peer of network.indexNodes) peer.startRepair()
    return network.client()
  }
  /** Titles of two words each, at the owners of their words, as if they had been published. */
  const published = async (client: ClientPeer, count: number) => {
    const words = Array.from({ length: count }, (_, at) => [`alone${at}`, `shared${at % 50}`])
    const events = await new Author(1).publishes(...words.map((pair) => pair.join(' ')))
    for (const peer of network.indexNodes) {
      const owned = events.filter((_, at) => words[at]?.some((word) => client.map.ownersOf(word).includes(peer.id)))
      await peer.node.log.ingest(owned as SignedEvent[])
    }
    return words.map(([word]) => word as string)
  }

  it('finds nothing too few while it joins five with thousands of titles: 0 misses', async () => {
    const client = await started(5, 1)
    await allLevel(network.indexNodes)
    const words = await published(client, TITLES)
    const sixth = await network.join()
    sixth.startRepair()
    let [misses, searches, notLevel, after] = [0, 0, 0, 0]
    for (let at = 0; after < 50; at += 37) {
      const found = await client.search(words[at % words.length] ?? '')
      searches += 1
      if (found.hits.length !== 1 || !found.complete) misses += 1
      const own = found.parts.flatMap(({ asked }) => asked).find(({ node }) => node === sixth.id)
      if (own?.outcome === 'not-level') notLevel += 1
      if (own?.outcome === 'answered') after += 1
      ok(searches < 3_000, `it is level in ${searches} searches`)
    }
    equal(misses, 0)
    ok(notLevel >= 5, `it was asked and not level ${notLevel} times`)
    equal(await isLevel(sixth), true)
    // What it owns by now it has.
    const owned = words.filter((word) => client.map.ownersOf(word).includes(sixth.id))
    ok(sixth.titles().length >= owned.length && owned.length > TITLES / 4)
  })

  it('finds nothing too few while three join three, and own some partitions with nobody who was there before', async () => {
    const client = await started(3, 3)
    await allLevel(network.indexNodes)
    const words = await published(client, 300)
    const old = new Set(network.indexNodes.map(({ id }) => id))
    const joined = [await network.join(), await network.join(), await network.join()]
    for (const peer of joined) peer.startRepair()
    await network.until('all are known', () => client.map.indexNodes().length === 6)
    const alone = words.filter((word) => client.map.ownersOf(word).every((owner) => !old.has(owner)))
    ok(alone.length >= 5, `${alone.length} words have new owners alone`)
    let [searches, incomplete] = [0, 0]
    for (let isReady = false; !isReady; isReady = (await Promise.all(network.indexNodes.map(isLevel))).every(Boolean)) {
      for (const word of searches === 0 ? words : alone) {
        const { hits, complete } = await client.search(word)
        searches += 1
        equal(hits.length, 1, word)
        if (!complete) incomplete += 1
      }
      ok(searches < 5_000)
    }
    ok(incomplete > 0, 'those who had it were asked, as its owners had not')
    for (const word of words) equal((await client.search(word)).hits.length, 1, word)
  })

  it('is told of what is published at once', async () => {
    const client = await started(5, 1)
    await allLevel(network.indexNodes)
    const sixth = await network.join()
    await network.until('it is known', () => client.map.indexNodes().length === 6)
    const owned = Array.from({ length: 40 }, (_, at) => `word${at}`).filter((word) =>
      client.map.ownersOf(word).includes(sixth.id),
    )
    const { acknowledgedBy } = await client.publish(owned.join(' '))
    ok(acknowledgedBy.includes(sixth.id))
    deepEqual(sixth.titles(), [owned.join(' ')])
  })

  it('answers with what it has in a network that has just begun, and says so; all are level soon', async () => {
    const client = await started(3)
    await client.publish('quiet orbit')
    const early = await client.search('orbit')
    deepEqual([early.hits.length, early.complete], [1, false])
    deepEqual(
      early.parts.flatMap(({ asked }) => asked.map(({ outcome }) => outcome)),
      ['not-level', 'not-level', 'not-level'],
    )
    const waitedMs = await allLevel(network.indexNodes)
    ok(waitedMs <= 20_000, `${waitedMs} ms`)
    const late = await client.search('orbit')
    deepEqual([late.hits.length, late.complete, late.failed], [1, true, []])
  })

  it('does not keep a search that has a hit of it waiting for an owner that died unseen', async () => {
    const client = await started(3)
    await client.publish('quiet orbit')
    const [dead] = client.map.ownersOf('orbit')
    ok(dead)
    network.at(dead).crash()
    const before = network.sim.time.now()
    const { hits, complete } = await client.search('orbit')
    deepEqual([hits.length, complete], [1, false])
    ok(network.sim.time.now() - before <= 2_000, `${network.sim.time.now() - before} ms`)
  })

  it('is level again after a restart when it has compared, and has by then what was published meanwhile', async () => {
    const client = await started(4)
    await allLevel(network.indexNodes)
    const [away] = client.map.ownersOf('orbit')
    ok(away)
    const peer = network.at(away)
    peer.crash()
    await network.until('its death is known', () => client.map.indexNodes().length === 3, 120_000)
    await client.publish('quiet orbit')
    await peer.restart()
    peer.startRepair()
    await network.until('it is back', () => client.map.ownersOf('orbit')[0] === away, 60_000)
    for (let count = 0; count < 200; count++) {
      // It was silent while it had no links yet, and is asked last for 15 s.
      await network.sim.time.advance(100)
      const { hits, parts } = await client.search('orbit')
      equal(hits.length, 1)
      const own = parts.flatMap(({ asked }) => asked).find(({ node }) => node === away)
      if (own?.outcome === 'answered') {
        deepEqual(peer.titles(), ['quiet orbit'])
        return
      }
    }
    ok(false, 'it never was level')
  })

  it('is not kept busy by an owner that says it is level and always has more, and does not believe it alone', async () => {
    await started(2)
    const [liar, peer] = network.indexNodes as [IndexPeer, IndexPeer]
    liar.index?.[Symbol.dispose]()
    let asked = 0
    const nobody = { author: 'ab'.repeat(32) as NodeId, authorSeq: 7 }
    const section = { partition: 3, depth: 0, prefix: 0 }
    const level = new Uint8Array(LEVEL_BYTES).fill(255)
    liar.node.overlay.serve(INDEX_METHODS.compare, async () => {
      asked += 1
      return encodeCompareReply({ differing: [{ ...section, events: [nobody], split: false }], compared: 1, level })
    })
    liar.node.overlay.serve(INDEX_METHODS.fetch, async () => {
      throw new Error('no')
    })
    await network.sim.time.advance(60_000)
    ok(asked > 0 && asked <= 20, `asked ${asked} times in a minute`)
    const { owned } = (await peer.index?.service.indexStatus({ partitions: false })) ?? {}
    equal(owned?.level, 0)
  })

  it('is level without owners that died for good, and what they alone had is not waited for', async () => {
    const client = await started(5)
    await allLevel(network.indexNodes)
    await client.publish('quiet orbit')
    const [first, second] = client.map.ownersOf('orbit')
    for (const id of [first, second]) network.at(id ?? client.node.id).crash()
    const left = network.indexNodes.filter(({ id }) => id !== first && id !== second)
    await network.until('their death is known', () => left.every(({ map }) => map.indexNodes().length === 3), 120_000)
    await allLevel(left)
    const { hits, complete } = await client.search('orbit')
    deepEqual([hits.length, complete], [1, true])
  })
})
