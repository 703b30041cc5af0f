import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogError, type NodeId, type SignedEvent } from '../../../src/events/index.ts'
import { signerFromSeed } from '../../../src/events/keys/signer.sodium.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { type Announcement, Publications } from '../../../src/roles/client/publications.ts'
import { REFUSAL_SENTENCES } from '../../../src/roles/client/refusals.ts'
import {
  decodePublish,
  encodePublishReply,
  INDEX_METHODS,
  type PublishOutcome,
} from '../../../src/roles/index-node/index-messages.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'
import { TEST_NETWORK } from '../../events/test-network.ts'
import { hash, node } from '../../projections/envelopes.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'
import { described, IndexNetwork, type IndexPeer } from '../index-network.ts'

describe('publications', () => {
  let network: IndexNetwork
  const started = async (indexNodes: number) => {
    network = await IndexNetwork.start({ indexNodes, clients: 1 })
  }
  afterEach(async () => {
    await network[Symbol.asyncDispose]()
  })
  const titlesEverywhere = () => network.indexNodes.map((peer) => peer.titles())
  const indexKinds = async (): Promise<string[]> => {
    const kinds: string[] = []
    for await (const { event } of network.client().node.log.read())
      if (event.kind.startsWith('torrent.')) kinds.push(event.kind)
    return kinds
  }

  it('reach an owner that was away once it is back, and say meanwhile that one is missing', async () => {
    await started(3)
    const [client, away] = [network.client(), network.index(1)]
    away.crash()
    const published = await client.publish('quiet orbit')
    assert.equal(published.acknowledgedBy.length, 2)
    assert.equal(published.pending, 1)
    await away.restart()
    await network.until('it has it', () => away.titles().length === 1, 120_000)
  })

  it('are acknowledged when two of three owners of each keyword say so, or all there are', async () => {
    const said = async (indexNodes: number, silent: number) => {
      await started(indexNodes)
      const client = network.client()
      for (const owner of client.map.ownersOf('orbit').slice(0, silent)) {
        network.at(owner).node.overlay.serve(INDEX_METHODS.publish, async () => encodePublishReply(['refused']))
      }
      const { acknowledged, partitions, partitionsHeld } = await client.publish('orbit')
      const result = [acknowledged, partitions, partitionsHeld]
      await network[Symbol.asyncDispose]()
      return result
    }
    assert.deepEqual(await said(3, 0), [true, 2, 2])
    assert.deepEqual(await said(3, 1), [true, 2, 2])
    assert.deepEqual(await said(3, 2), [false, 2, 0])
    assert.deepEqual(await said(2, 1), [false, 2, 0])
    assert.deepEqual(await said(1, 0), [true, 2, 2])
    assert.deepEqual(await said(1, 1), [false, 2, 0])
    await started(1)
  })

  it('wait for the first index node when none is known', async () => {
    await started(1)
    const [client, index] = [network.client(), network.index(0)]
    index.crash()
    await network.until('it is known to be dead', () => client.map.indexNodes().length === 0, 60_000)
    const published = await client.publish('quiet orbit')
    assert.deepEqual([published.acknowledgedBy, published.pending], [[], 1])
    await index.restart()
    await network.until('it has it', () => index.titles().length === 1, 120_000)
  })

  it('go to an index node that comes later, as soon as it is known and its words are its own', async () => {
    await started(3)
    const [client, late] = [network.client(), network.index(2)]
    late.crash()
    await network.until('it is known to be dead', () => client.map.indexNodes().length === 2, 60_000)
    assert.equal((await client.publish('quiet orbit')).pending, 0)
    await network.sim.time.advance(60_000)
    await late.restart()
    await network.until('it is known', () => client.map.indexNodes().length === 3, 10_000)
    await network.until('it has it', () => late.titles().length === 1, 1_000)
  })

  it('that an index node could not write are tried again', async () => {
    await started(2)
    const [client, full] = [network.client(), network.index(0)]
    full.node.overlay.serve(INDEX_METHODS.publish, async () => {
      throw new LogError({ code: 'LOG_WRITE_FAILED', reason: 'no space left on device' })
    })
    const published = await client.publish('quiet orbit')
    assert.deepEqual([published.acknowledgedBy, published.pending], [[network.index(1).id], 1])
    let asked = 0
    full.node.overlay.serve(INDEX_METHODS.publish, async () => {
      asked += 1
      return encodePublishReply(['stored'])
    })
    await network.until('it is asked again', () => asked === 1, 5_000)
  })

  it('go to nobody again that is known to have them, and to all after a restart', async () => {
    await started(3)
    const client = network.client()
    await client.publish('quiet orbit')
    const asked: NodeId[] = []
    for (const peer of network.indexNodes) {
      peer.node.overlay.serve(INDEX_METHODS.publish, async () => {
        asked.push(peer.id)
        return encodePublishReply(['stored'])
      })
    }
    client.publications.reconsider()
    await network.sim.time.advance(1_000)
    assert.deepEqual(asked, [], 'all hold it already')
    client.publications.stop()

    client.forget()
    client.publications.start()
    await network.sim.time.advance(1_000)
    // After a restart nothing is known of who holds what: everyone is told again.
    assert.deepEqual([...asked].sort(), network.indexNodes.map(({ id }) => id).sort())
  })

  it('are announced again from time to time, and an owner that has them appends nothing', async () => {
    await started(3)
    const client = network.client()
    await client.publish('quiet orbit')
    client.publications.start()
    await network.sim.time.advance(1_000)
    let asked = 0
    network.index(0).node.overlay.serve(INDEX_METHODS.publish, async () => {
      asked += 1
      return encodePublishReply(['duplicate'])
    })
    await network.sim.time.advance(9 * 60_000)
    assert.equal(asked, 0)
    await network.sim.time.advance(2 * 60_000)
    assert.equal(asked, 1)
    for (const peer of network.indexNodes) assert.equal(peer.states.state('keyword-index').counters.visible, 1)
  })

  it('that are refused are told once and not asked again until the next announcement', async () => {
    await started(1)
    const client = network.client()
    let asked = 0
    network.index(0).node.overlay.serve(INDEX_METHODS.publish, async () => {
      asked += 1
      return encodePublishReply(['refused'])
    })
    const published = await client.publish('quiet orbit')
    assert.deepEqual(published.acknowledgedBy, [])
    await network.sim.time.advance(120_000)
    assert.equal(asked, 1)
    assert.match(client.problems.join(), /does not take 1 of 1 publications: it refused the entry/)
  })

  it('that are over a budget are told to be so, and offered again with the next announcement', async () => {
    await started(1)
    const client = network.client()
    client.publications.start()
    let asked = 0
    network.index(0).node.overlay.serve(INDEX_METHODS.publish, async () => {
      asked += 1
      return encodePublishReply([asked === 1 ? 'over-budget' : 'stored'])
    })
    const published = await client.publish('quiet orbit')
    assert.deepEqual(published.acknowledgedBy, [])
    await network.sim.time.advance(120_000)
    assert.equal(asked, 1)
    assert.match(client.problems.join(), /does not take 1 of 1 publications: the budget .* is used up/)
    await network.sim.time.advance(10 * 60_000)
    assert.equal(asked, 2)
  })

  it('of an author whose admission has not come there yet are offered again soon, and nobody is told', async () => {
    await started(1)
    const client = network.client()
    let asked = 0
    network.index(0).node.overlay.serve(INDEX_METHODS.publish, async () => {
      asked += 1
      return encodePublishReply([asked < 3 ? 'deferred' : 'stored'])
    })
    assert.equal((await client.publish('quiet orbit')).pending, 1)
    await network.until('it is told again', () => asked === 3, 10_000)
    assert.deepEqual(client.problems, [])
    await network.sim.time.advance(120_000)
    assert.equal(asked, 3)
  })

  it('take an answer that says nothing of them as none', async () => {
    await started(1)
    const client = network.client()
    let asked = 0
    network.index(0).node.overlay.serve(INDEX_METHODS.publish, async () => {
      asked += 1
      return asked < 3 ? encodePublishReply([]) : encodePublishReply(['stored'])
    })
    assert.equal((await client.publish('quiet orbit')).pending, 1)
    await network.until('it is told again', () => asked === 3, 60_000)
  })

  it('that are many go in messages that fit, each event to each owner once', async () => {
    await started(1)
    const [client, index] = [network.client(), network.index(0)]
    const titles = Array.from({ length: 300 }, (_, place) => `orbit ${place} ${'long '.repeat(60)}`)
    await client.node.log.append(
      titles.map((title) => ({
        event: { kind: 'torrent.published', infoHash: hash(title), title, sizeBytes: 1, fileCount: 1, tags: [] },
      })),
    )
    const before = index.node.log.head
    client.publications.start()
    await network.until('all are there', () => index.titles().length === 300)
    const torrents: SignedEvent[] = []
    for await (const event of index.node.log.readSigned(client.node.id, 'index', 1, 1_000)) torrents.push(event)
    assert.equal(torrents.length, 300)
    assert.ok(index.node.log.head >= before + 300)
  })

  it('are withdrawn where they were announced, also under an earlier title, and stay so after a restart', async () => {
    await started(8)
    const client = network.client()
    const infoHash = hash('one torrent')
    await client.publish('quiet orbit', { infoHash })
    await client.publish('loud comet', { infoHash })
    assert.ok(titlesEverywhere().flat().includes('loud comet'))
    // Who has only the first title learns that there is another: nobody shows the old one.
    assert.ok(!titlesEverywhere().flat().includes('quiet orbit'))
    await network.sim.time.wait(client.publisher.withdraw(infoHash))
    await network.sim.time.advance(1_000)
    for (const word of ['quiet', 'orbit', 'loud', 'comet']) assert.deepEqual((await client.search(word)).hits, [], word)

    client.forget()
    client.publications.start()
    await network.sim.time.advance(5_000)
    assert.deepEqual((await client.search('comet')).hits, [])
    assert.deepEqual(await indexKinds(), ['torrent.published', 'torrent.published', 'torrent.withdrawn'])
    await network.sim.time.wait(client.publisher.withdraw(infoHash))
    assert.equal((await indexKinds()).length, 3, 'nothing to take back twice')
  })

  it('end quietly when the log is closed in the middle of a round', async () => {
    await started(1)
    const directory = await mkdtemp(join(tmpdir(), 'p2pt-publications-'))
    try {
      const signer = signerFromSeed(new Uint8Array(32).fill(9), TEST_NETWORK)
      const { time } = network.sim
      const log = await openLevelLog({ directory, signer, clock: time, upcast: noUpcast, create: true })
      await log.append([{ event: { kind: 'torrent.published', ...described('orbit') } }])
      const publications = new Publications({
        log,
        overlay: network.client().node.overlay,
        timers: time,
        ownersOf: network.client().map.ownersOf,
        current: () => [{ author: signer.id, authorSeq: 1, keywords: ['orbit'] }],
        onProblem: (text) => assert.fail(text),
      })
      await log[Symbol.asyncDispose]()
      publications.start()
      await time.advance(1_000)
      publications.stop()
      await publications.settled()
      assert.deepEqual(network.index(0).titles(), [])
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })

  /** Titles that this client has published before, of which nobody was told yet. */
  const backlog = async (count: number) => {
    const titles = Array.from({ length: count }, (_, place) => `older ${place} ${'long '.repeat(80)}`)
    const drafts = titles.map((title) => ({
      event: { kind: 'torrent.published' as const, ...described(title) },
    }))
    await network.client().node.log.append(drafts)
    return titles
  }
  /** Lets an index node take its time over each publication, ms; what it does besides stays as it is. */
  const slow = (peer: IndexPeer, delayMs: number) => {
    const received: SignedEvent[][] = []
    peer.node.overlay.serve(INDEX_METHODS.publish, async (_from, body) => {
      const events = decodePublish(body)
      received.push(events)
      await new Promise<void>((resolve) => network.sim.time.after(delayMs, resolve))
      await peer.node.log.ingest(events)
      return encodePublishReply(events.map(() => 'stored'))
    })
    return received
  }
  const took = async (work: Promise<unknown>): Promise<number> => {
    const from = network.sim.time.now()
    await network.sim.time.wait(work)
    return network.sim.time.now() - from
  }

  it('that are new are told at once, ahead of a backlog, whoever else publishes meanwhile', async () => {
    await started(1)
    const [client, index] = [network.client(), network.index(0)]
    const older = await backlog(600)
    const received = slow(index, 400)
    client.publications.start()
    await network.sim.time.advance(600)
    const publish = (title: string) => client.publisher.publish(described(title))
    // Two links of 5 ms and the owner's 400 ms, whatever waits behind them.
    const first = publish('quiet orbit')
    const firstMs = took(first)
    await network.sim.time.advance(200)
    const second = took(publish('loud comet'))
    assert.ok((await firstMs) <= 420, `the first waited ${await firstMs} ms`)
    assert.ok((await second) <= 420, `the second waited ${await second} ms`)
    assert.deepEqual([(await first).acknowledgedBy, (await first).pending], [[index.id], 0])
    assert.ok(index.titles().length < older.length, 'the backlog is still on its way')
    await network.until('the backlog arrives too', () => index.titles().length === older.length + 2, 30_000)
    assert.equal(received.flat().length, older.length + 2, 'each event once')
  })

  it('of the backlog reach the other owners while one is silent, and so do new ones', async () => {
    await started(3)
    const [client, silent] = [network.client(), network.index(1)]
    const older = await backlog(600)
    silent.node.overlay.serve(INDEX_METHODS.publish, () => new Promise(() => {}))
    client.publications.start()
    const others = [network.index(0), network.index(2)]
    await network.until('the others have it all', () => others.every((peer) => peer.titles().length === older.length), 2_000)
    const publishing = client.publisher.publish(described('quiet orbit'))
    await network.sim.time.advance(50)
    for (const peer of others) assert.ok(peer.titles().includes('quiet orbit'))
    // The caller is told of the silent one when its request has timed out, once.
    const waitedMs = 50 + (await took(publishing))
    assert.ok(waitedMs > 4_900 && waitedMs < 5_100, `${waitedMs} ms`)
    assert.deepEqual([(await publishing).acknowledgedBy.length, (await publishing).pending], [2, 1])
  })

  it('are sent to one that answers again though another never does', async () => {
    await started(2)
    const [client, dead, back] = [network.client(), network.index(0), network.index(1)]
    for (const peer of [dead, back]) {
      peer.node.overlay.serve(INDEX_METHODS.publish, async () => {
        throw new LogError({ code: 'LOG_WRITE_FAILED', reason: 'no space left on device' })
      })
    }
    await client.publish('quiet orbit')
    await network.sim.time.advance(20_000)
    let asked = 0
    back.node.overlay.serve(INDEX_METHODS.publish, async () => {
      asked += 1
      return encodePublishReply(['stored'])
    })
    await network.until('it is asked', () => asked === 1, 60_000)
    // Its pause begins anew, though the other one's goes on: 1 s again.
    back.node.overlay.serve(INDEX_METHODS.publish, async () => {
      throw new LogError({ code: 'LOG_WRITE_FAILED', reason: 'no space left on device' })
    })
    await client.publish('loud comet')
    back.node.overlay.serve(INDEX_METHODS.publish, async () => {
      asked += 1
      return encodePublishReply(['stored'])
    })
    await network.until('it is asked again', () => asked === 2, 1_200)
  })

  it('are tried again ever more rarely with an owner that fails, and once a minute at last', async () => {
    await started(1)
    const client = network.client()
    const asked: number[] = []
    network.index(0).node.overlay.serve(INDEX_METHODS.publish, async () => {
      asked.push(network.sim.time.now())
      throw new LogError({ code: 'LOG_WRITE_FAILED', reason: 'no space left on device' })
    })
    await client.publish('quiet orbit')
    await network.sim.time.advance(300_000)
    const pauses = asked.slice(1).map((at, place) => Math.round((at - (asked[place] ?? 0)) / 1_000))
    assert.deepEqual(pauses.slice(0, 9), [1, 2, 4, 8, 16, 32, 60, 60, 60])
  })

  it('leave nothing behind when they are replaced or withdrawn', async () => {
    await started(2)
    const client = network.client()
    const infoHash = hash('one torrent')
    for (let round = 0; round < 20; round++) {
      await client.publish(`orbit ${round}`, { infoHash })
      await network.sim.time.wait(client.publisher.withdraw(infoHash))
    }
    await network.sim.time.advance(1_000)
    // The withdrawal stays, so that owners that were away hear of it.
    assert.equal(client.publications.size, 1)
    // A verification of what we published is told, and kept no longer than that.
    await client.publish('orbit', { infoHash })
    for (let round = 0; round < 20; round++) await network.sim.time.wait(client.publisher.verified(infoHash, 'orbit'))
    await network.sim.time.advance(1_000)
    client.publications.reconsider()
    assert.equal(client.publications.size, 1)
  })

  it('stop at once while an owner is silent', async () => {
    await started(1)
    const client = network.client()
    network.index(0).node.overlay.serve(INDEX_METHODS.publish, () => new Promise(() => {}))
    const publishing = client.publisher.publish(described('orbit'))
    await network.sim.time.advance(1_000)
    client.publications.stop()
    await client.publications.settled()
    assert.equal((await publishing).pending, 1)
  })
})

describe('publications to owners that answer when they are told to', () => {
  const [one, two] = [node('one'), node('two')]
  type Asked = {
    readonly owner: NodeId
    readonly titles: readonly string[]
    readonly signal: AbortSignal | undefined
    answer(outcome: PublishOutcome): void
    fail(): void
  }

  /** A client with so many torrents `orbit 0`, `orbit 1`, of which nobody was told yet. */
  async function clientWith(count: number) {
    const time = new VirtualTime()
    const log = openMemoryLog({ signer: signerOf(1), clock: time, upcast: noUpcast })
    await log.append(
      Array.from({ length: count }, (_, place) => ({
        event: { kind: 'torrent.published' as const, ...described(`orbit ${place}`) },
      })),
    )
    const all = Array.from({ length: count }, (_, place) => ({
      ...{ author: log.author, authorSeq: place + 1, keywords: [`${place}`] },
    }))
    const asked: Asked[] = []
    const state = { owners: [one] as NodeId[], current: all, problems: [] as string[] }
    const publications = new Publications({
      ...{ log, timers: time, ownersOf: () => state.owners, current: () => state.current },
      onProblem: (text) => state.problems.push(text),
      overlay: {
        request: (owner, method, body, { signal } = {}) => {
          assert.equal(method, INDEX_METHODS.publish)
          const events = decodePublish(body)
          return new Promise((resolve, reject) => {
            asked.push({
              ...{
                owner,
                signal,
                titles: events.map(({ body }) => /orbit \d+/.exec(Buffer.from(body).toString('latin1'))?.[0] ?? ''),
              },
              answer: (outcome) => resolve(encodePublishReply(events.map(() => outcome))),
              fail: () => reject(new Error('nobody is there')),
            })
          })
        },
      },
    })
    const each = (place: number) => all[place] ?? assert.fail()
    const turn = () => time.advance(1)
    const told = () => asked.map(({ owner, titles }) => [owner === one ? 'one' : 'two', ...titles])
    return { publications, state, asked, told, each, turn, time }
  }

  it('are not asked for again by a round that begins while others of the same are still asked', async () => {
    const { publications, state, asked, told, turn } = await clientWith(1)
    state.owners = [one, two]
    publications.start()
    await turn()
    asked[0]?.answer('stored')
    await turn()
    publications.start()
    await turn()
    assert.deepEqual(told(), [
      ['one', 'orbit 0'],
      ['two', 'orbit 0'],
    ])
    publications.stop()
  })

  it('are told anew by a round once all have answered, and are held by those who say so then', async () => {
    const { publications, asked, told, each, turn } = await clientWith(1)
    publications.start()
    await turn()
    asked[0]?.answer('stored')
    await turn()
    assert.deepEqual((await publications.announce(each(0))).heldBy, [one])
    publications.start()
    await turn()
    assert.equal(told().length, 2)
    asked[1]?.answer('refused')
    await turn()
    assert.deepEqual((await publications.announce(each(0))).heldBy, [])
    publications.stop()
  })

  it('are remembered until they hold no longer, and while somebody is asked or lacks them', async () => {
    const { publications, state, asked, turn } = await clientWith(1)
    publications.start()
    await turn()
    state.current = []
    publications.reconsider()
    assert.equal(publications.size, 1, 'asked')
    state.owners = []
    publications.reconsider()
    assert.equal(publications.size, 1, 'asked, though nobody owns it any more')
    state.owners = [one]
    asked[0]?.fail()
    await turn()
    publications.reconsider()
    assert.equal(publications.size, 1, 'lacking')
    state.owners = []
    publications.reconsider()
    assert.equal(publications.size, 0)
    publications.stop()
  })

  it('are looked at a thousand in a turn, and what is replaced meanwhile is told to nobody', async () => {
    const { publications, state, asked, each, turn } = await clientWith(2_500)
    publications.reconsider()
    assert.equal(publications.size, 0, 'the first thousand were read')
    // The last is looked at in a later turn.
    void publications.announce(each(0), each(2_499))
    // A second look waits for the first, and is not lost.
    state.current = state.current.slice(0, 2_000)
    publications.reconsider()
    const titles = new Set<string>()
    for (let turns = 0; turns < 40; turns++) {
      await turn()
      for (const one of asked.splice(0)) {
        for (const title of one.titles) titles.add(title)
        one.answer('stored')
      }
    }
    assert.equal(titles.has('orbit 2499'), false)
    assert.equal(titles.has('orbit 1999'), true)
    publications.reconsider()
    for (let turns = 0; turns < 10; turns++) await turn()
    assert.equal(publications.size, 2_000)
    publications.stop()
    await publications.settled()
  })

  it('are told to nobody once they are stopped', async () => {
    const { publications, asked, each, turn, time } = await clientWith(2)
    publications.start()
    await turn()
    assert.equal(asked.length, 1)
    assert.equal(asked[0]?.signal?.aborted, false)
    publications.stop()
    assert.equal(asked[0]?.signal?.aborted, true)
    let isSettled = false
    const settled = publications.settled().then(() => {
      isSettled = true
    })
    await turn()
    assert.equal(isSettled, false, 'one is under way')
    asked[0]?.fail()
    await settled
    publications.reconsider()
    publications.start()
    assert.deepEqual(await publications.announce(each(1)), { heldBy: [], lackedBy: [one], refusedBy: [] })
    await time.advance(20 * 60_000)
    assert.equal(asked.length, 1)
  })

  it('that wait for their turn end with the stop', async () => {
    const { publications, asked, each, turn } = await clientWith(10)
    const announced: Promise<Announcement>[] = []
    for (let place = 0; place < 10; place++) {
      announced.push(publications.announce(each(place)))
      await turn()
    }
    assert.equal(asked.length, 8, 'eight at a time to one owner')
    publications.stop()
    for (const { fail } of asked) fail()
    assert.deepEqual(
      (await Promise.all(announced)).map(({ lackedBy }) => lackedBy),
      Array.from({ length: 10 }, () => [one]),
    )
  })

  it('that were replaced while they waited are told to nobody, nor those that the log does not have', async () => {
    const { publications, asked, told, each, turn } = await clientWith(10)
    const announced: Promise<Announcement>[] = []
    for (let place = 0; place < 9; place++) {
      announced.push(publications.announce(each(place)))
      await turn()
    }
    announced.push(publications.announce(each(9), each(8)))
    for (const { answer } of [...asked]) answer('stored')
    await turn()
    for (const { answer } of asked.slice(8)) answer('stored')
    await Promise.all(announced)
    assert.deepEqual(told().slice(8), [['one', 'orbit 9']])
    const gone = await publications.announce({ ...each(0), authorSeq: 99 })
    assert.deepEqual([gone, asked.length], [{ heldBy: [], lackedBy: [one], refusedBy: [] }, 9])
    publications.stop()
  })

  it('that are refused or have no room are told of in words', async () => {
    const { publications, state, asked, each, turn } = await clientWith(2)
    for (const [place, outcome] of (['refused', 'over-budget'] as const).entries()) {
      const announced = publications.announce(each(place))
      await turn()
      asked[place]?.answer(outcome)
      await announced
    }
    const who = `index node ${one.slice(0, 8)} does not take 1 of 1 publications`
    assert.deepEqual(state.problems, [`${who}: ${REFUSAL_SENTENCES.refused}`, `${who}: ${REFUSAL_SENTENCES['over-budget']}`])
    assert.deepEqual(publications.refusals(), [
      { node: one, code: 'refused', publications: 1 },
      { node: one, code: 'over-budget', publications: 1 },
    ])
    const again = publications.announce(each(0))
    assert.deepEqual((await again).refusedBy, [{ node: one, code: 'refused' }])
    // Who owns none of its words any more is asked no more, and its refusal is of no interest.
    state.owners = []
    assert.deepEqual(publications.refusals(), [])
    state.owners = [one]
    // The next round offers them again.
    publications.start()
    await turn()
    asked[2]?.answer('stored')
    await turn()
    assert.equal(asked.length, 3)
    assert.deepEqual(publications.refusals(), [])
    publications.stop()
  })

  it('that are below the rank of an owner are offered again after one round, two, four, up to 32, and no sooner', async () => {
    const { publications, state, asked, each, turn } = await clientWith(1)
    const announced = publications.announce(each(0))
    await turn()
    asked[0]?.answer('below-rank')
    assert.deepEqual((await announced).refusedBy, [{ node: one, code: 'below-rank' }])
    assert.deepEqual(state.problems, [])
    const rounds: number[] = []
    for (let round = 1; round <= 1 + 2 + 4 + 8 + 16 + 32 + 32; round++) {
      publications.start()
      await turn()
      if (asked.length === rounds.length + 1) continue
      rounds.push(round)
      asked.at(-1)?.answer('below-rank')
      await turn()
    }
    assert.deepEqual(rounds, [1, 3, 7, 15, 31, 63, 95])
    // It waits anew for nobody who takes it.
    for (let round = 0; round < 32; round++) publications.start()
    await turn()
    asked.at(-1)?.answer('stored')
    await turn()
    assert.deepEqual((await publications.announce(each(0))).heldBy, [one])
    publications.stop()
  })

  it('go to one that failed after its pause and not before, only what it lacks by then', async () => {
    const { publications, asked, told, each, time, turn } = await clientWith(2)
    const first = publications.announce(each(0))
    await turn()
    const second = publications.announce(each(1))
    await turn()
    asked[0]?.fail()
    asked[1]?.answer('stored')
    assert.deepEqual([(await first).lackedBy, (await second).heldBy], [[one], [one]])
    await time.advance(990)
    assert.equal(asked.length, 2)
    await time.advance(10)
    assert.deepEqual(told().slice(2), [['one', 'orbit 0']])
    publications.stop()
  })
})
