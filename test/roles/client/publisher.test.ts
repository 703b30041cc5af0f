import { deepEqual, equal, rejects } from 'node:assert/strict'
import type { Appender, InfoHash, NodeId } from '../../../src/events/index.ts'
import { hashKeyword, partitionOf } from '../../../src/projections/keyword-index/index.ts'
import { Publisher } from '../../../src/roles/client/publisher.ts'
import { encodePublishReply, INDEX_METHODS, type PublishOutcome } from '../../../src/roles/index-node/index-messages.ts'
import { hash } from '../../projections/envelopes.ts'
import { type ClientPeer, described, IndexNetwork } from '../index-network.ts'

describe('a publisher', () => {
  let network: IndexNetwork
  let client: ClientPeer
  const started = async (indexNodes: number) => {
    network = await IndexNetwork.start({ indexNodes, clients: 1 })
    client = network.client()
  }
  afterEach(() => network[Symbol.asyncDispose]())
  const says = (outcome: PublishOutcome, owners: readonly string[]) => {
    for (const peer of network.indexNodes)
      if (owners.includes(peer.id)) peer.node.overlay.serve(INDEX_METHODS.publish, async () => encodePublishReply([outcome]))
  }
  const claim = (infoHash: InfoHash) => {
    const { title, tags, publication } = client.publisher.claimOf(infoHash) ?? { publication: undefined }
    return [title, tags, publication?.authorSeq]
  }

  it('says who holds it, and how many of the partitions of its words', async () => {
    await started(8)
    const keywords = ['quiet', 'orbit', hashKeyword(described('quiet orbit').infoHash)]
    const partitions = new Set(keywords.map(partitionOf)).size
    const owners = new Set(keywords.flatMap((word) => client.map.ownersOf(word)))
    const { acknowledgedBy, ...rest } = await client.publish('quiet orbit')
    deepEqual(new Set(acknowledgedBy), owners)
    deepEqual(rest, { partitions, partitionsHeld: partitions, acknowledged: true, pending: 0, refused: [] })
    deepEqual(claim(described('quiet orbit').infoHash), ['quiet orbit', [], 1])
  })

  it('is acknowledged when each partition is held, and says how many are', async () => {
    await started(8)
    const [quiet, orbit] = [client.map.ownersOf('quiet'), client.map.ownersOf('orbit')]
    says('refused', quiet.filter((owner) => !orbit.includes(owner)).slice(0, 2))
    const both = quiet.filter((owner) => orbit.includes(owner)).length
    equal(both < 2, true, 'the two words have owners of their own')
    const { partitions, partitionsHeld, acknowledged, pending } = await client.publish('quiet orbit')
    const byHash = client.map.ownersOf(hashKeyword(described('quiet orbit').infoHash))
    equal(byHash.filter((owner) => !quiet.includes(owner)).length >= 2, true, 'so has the info hash')
    deepEqual([partitions, partitionsHeld, acknowledged, pending], [3, 2, false, 0])
  })

  it('is acknowledged with two of the three owners of a word, and not with one', async () => {
    await started(3)
    const [first, second] = client.map.ownersOf('orbit') as [NodeId, NodeId]
    says('refused', [first])
    const two = await client.publish('orbit')
    deepEqual([two.acknowledgedBy.length, two.partitionsHeld, two.acknowledged], [2, 2, true])
    says('refused', [second])
    const one = await client.publish('orbit', { infoHash: hash('one more') })
    deepEqual([one.acknowledgedBy.length, one.partitionsHeld, one.acknowledged], [1, 0, false])
  })

  it('says who refused and why, and that nobody is left to tell; the status has it until it is taken', async () => {
    await started(3)
    const [first, second, third] = client.map.ownersOf('orbit') as [NodeId, NodeId, NodeId]
    says('not-admitted', [first, second])
    says('over-budget', [third])
    const { acknowledgedBy, pending, acknowledged, refused } = await client.publish('orbit')
    deepEqual([acknowledgedBy, pending, acknowledged], [[], 0, false])
    const codes = refused.map(({ node, code }) => [node, code])
    deepEqual(
      new Map(codes as [NodeId, string][]),
      new Map([
        [first, 'not-admitted'],
        [second, 'not-admitted'],
        [third, 'over-budget'],
      ]),
    )
    equal(/is not admitted.*ask the owner of the network/.test(refused.find(({ node }) => node === first)?.reason ?? ''), true)
    await client.publish('orbit two')
    deepEqual(
      client.publisher.refusals().find(({ node }) => node === third),
      { node: third, code: 'over-budget', publications: 2, reason: refused.find(({ node }) => node === third)?.reason },
    )
  })

  it('is acknowledged where all owners of a word have better ones, as long as others keep it, and says who does not', async () => {
    await started(8)
    const quiet = client.map.ownersOf('quiet')
    const others = new Set(
      ['orbit', hashKeyword(described('quiet orbit').infoHash)].flatMap((word) => client.map.ownersOf(word)),
    )
    const full = quiet.filter((owner) => !others.has(owner))
    says('below-rank', full)
    equal(full.length > 0, true, 'some own nothing else of it')
    const told = await client.publish('quiet orbit')
    deepEqual([told.acknowledged, told.pending, told.refused.map(({ node }) => node).sort()], [true, 0, [...full].sort()])
    equal(/not kept, below rank/.test(told.refused[0]?.reason ?? ''), true)
    // It is found by its other words: nothing to do about it.
    deepEqual(client.publisher.refusals(), [])
  })

  it('is not acknowledged where nobody keeps it, which the status tells', async () => {
    await started(3)
    says('below-rank', client.map.ownersOf('orbit'))
    const { acknowledged, acknowledgedBy, pending, refused } = await client.publish('orbit')
    deepEqual([acknowledged, acknowledgedBy, pending, refused.length], [false, [], 0, 3])
    deepEqual(
      client.publisher.refusals().map(({ code, publications }) => [code, publications]),
      [
        ['below-rank', 1],
        ['below-rank', 1],
        ['below-rank', 1],
      ],
    )
  })

  it('has one to tell where no index node is known, and as many as said nothing where some did', async () => {
    await started(3)
    says('deferred', client.map.ownersOf('orbit'))
    const silent = await client.publish('orbit')
    deepEqual([silent.acknowledgedBy, silent.pending, silent.acknowledged], [[], 3, false])
    for (const peer of network.indexNodes) peer.crash()
    await network.until('all are known to be dead', () => client.map.indexNodes().length === 0, 60_000)
    const nobody = await client.publish('loud comet')
    deepEqual([nobody.acknowledgedBy, nobody.pending, nobody.partitionsHeld, nobody.acknowledged], [[], 1, 0, false])
  })

  it('takes back what it said, once, and only that', async () => {
    await started(1)
    const one = hash('one')
    await client.publish('quiet orbit', { infoHash: one })
    await network.sim.time.wait(client.publisher.withdraw(hash('two')))
    equal(client.node.log.has({ author: client.node.id, stream: 'index', authorSeq: 2 }), false)
    await network.sim.time.wait(client.publisher.withdraw(one))
    equal(client.publisher.claimOf(one), undefined)
    await network.sim.time.wait(client.publisher.withdraw(one))
    equal(client.node.log.has({ author: client.node.id, stream: 'index', authorSeq: 3 }), false)
    await network.until('it is gone', () => network.index(0).states.state('keyword-index').counters.visible === 0)
  })

  it('tells of what it holds whole without waiting for anybody', async () => {
    await started(1)
    network.index(0).node.overlay.serve(INDEX_METHODS.publish, () => new Promise(() => {}))
    await client.publisher.verified(hash('one'), 'quiet orbit')
    deepEqual(claim(hash('one')), ['quiet orbit', [], 1])
  })

  it('that the log does not take is refused with the reason, and nobody is told', async () => {
    await started(1)
    const failing = (append: Appender['append']) =>
      new Publisher({ appender: { append }, map: client.map, publications: client.publications, claims: client.claims })
    const full = failing(async () => {
      throw new Error('no space left on device')
    })
    await rejects(full.publish(described('orbit')), { code: 'failed', message: 'no space left on device' })
    const nothing = failing(async () => [])
    await rejects(nothing.verified(hash('one'), 'orbit'), { code: 'failed', message: 'the log took nothing' })
    await network.sim.time.advance(1_000)
    deepEqual([client.publications.size, network.index(0).titles()], [0, []])
  })

  it('writes to the disk before it tells anybody', async () => {
    await started(1)
    const asked: unknown[] = []
    const appender: Appender = {
      append(drafts, options) {
        asked.push(options)
        return client.node.log.append(drafts, options)
      },
    }
    const { map, publications, claims } = client
    const publisher = new Publisher({ appender, map, publications, claims })
    await network.sim.time.wait(publisher.publish(described('orbit')))
    deepEqual(asked, [{ durable: true }])
  })

  it('knows whether a title can be found', async () => {
    await started(1)
    deepEqual(
      ['quiet orbit', '***', ''].map((title) => client.publisher.canBeFound(title)),
      [true, false, false],
    )
  })
})
