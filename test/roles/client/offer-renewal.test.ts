import assert, { deepEqual, equal } from 'node:assert/strict'
import type { Event, InfoHash, Millis, NodeId, SignedEvent } from '../../../src/events/index.ts'
import { OFFER_COUNTS_MS, presenceOf, RENEWAL_MS, Renewals } from '../../../src/projections/keyword-index/renewals.ts'
import { OfferRenewal } from '../../../src/roles/client/offer-renewal.ts'
import { OwnClaims } from '../../../src/roles/client/own-claims.ts'
import { Publications } from '../../../src/roles/client/publications.ts'
import { Publisher } from '../../../src/roles/client/publisher.ts'
import { decodePublishReply, encodePublish, INDEX_METHODS } from '../../../src/roles/index-node/index-messages.ts'
import { liveIndexMap } from '../../../src/roles/index-node/live-index-map.ts'
import { hash } from '../../projections/envelopes.ts'
import { Author, described, IndexNetwork } from '../index-network.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

const HOUR = 3_600_000
const LOOK_MS = 10 * 60_000

describe('the renewal of offers', () => {
  describe('of a client', () => {
    let own: SmallLog
    let claims: OwnClaims
    let renewal: OfferRenewal
    let problems: string[]
    beforeEach(async () => {
      own = await openSmallLog()
      problems = []
      claims = newClaims()
      own.log.onAppended((envelopes) => claims.apply(envelopes))
      renewal = newRenewal()
    })
    afterEach(async () => {
      renewal.stop()
      await own[Symbol.asyncDispose]()
    })
    const newClaims = () => new OwnClaims(own.id, liveIndexMap(own.states))
    const newRenewal = () => {
      const map = liveIndexMap(own.states)
      const publications = new Publications({
        ...{ log: own.log, timers: own.time, ownersOf: map.ownersOf, current: () => claims.publications() },
        overlay: { request: () => Promise.reject(new Error('there is nobody')) },
        onProblem: (text) => problems.push(text),
      })
      const publisher = new Publisher({ appender: own.log, map, publications, claims })
      return new OfferRenewal({
        ...{ clock: own.time, timers: own.time, claims, publisher },
        onProblem: (text) => problems.push(text),
      })
    }
    const says = (...events: Event[]) => own.log.append(events.map((event) => ({ event })))
    const offers = (name: string) => says({ kind: 'torrent.published', ...described(name) })
    const withdraws = (name: string) => says({ kind: 'torrent.withdrawn', infoHash: hash(name) as InfoHash, title: name })
    const renewals = async (): Promise<number[]> => {
      const times: number[] = []
      for await (const { event, at } of own.log.read()) if (event.kind === 'offers.renewed') times.push(at)
      return times
    }

    it('comes every six hours, however many offers there are', async () => {
      const from = own.time.now()
      for (let count = 0; count < 50; count++) await offers(`orbit ${count}`)
      renewal.start()
      await own.time.advance(RENEWAL_MS - 1)
      deepEqual(await renewals(), [])
      await own.time.advance(1)
      deepEqual(await renewals(), [from + RENEWAL_MS])
      await own.time.advance(RENEWAL_MS)
      deepEqual(await renewals(), [from + RENEWAL_MS, from + 2 * RENEWAL_MS])
    })

    it('comes while anything is offered, and not before or after', async () => {
      renewal.start()
      await own.time.advance(RENEWAL_MS + LOOK_MS)
      deepEqual(await renewals(), [])
      await offers('orbit')
      await withdraws('orbit')
      await own.time.advance(RENEWAL_MS + LOOK_MS)
      deepEqual(await renewals(), [])
    })

    it('comes at a start where the last one is old, and only then', async () => {
      await offers('orbit')
      await says({ kind: 'offers.renewed' })
      const restart = async () => {
        renewal.stop()
        claims = newClaims()
        await claims.read(own.log)
        renewal = newRenewal()
        renewal.start()
        await own.time.advance(0)
      }
      await own.time.advance(RENEWAL_MS - 1)
      await restart()
      equal((await renewals()).length, 1)
      await own.time.advance(1)
      await restart()
      equal((await renewals()).length, 2)
    })

    it('comes at once where the last one is of a clock that was set back since', async () => {
      await offers('orbit')
      const { at } = (await says({ kind: 'offers.renewed' }))[0] ?? { at: 0 }
      const clock = { now: () => (at - 90 * HOUR) as Millis }
      let asked = 0
      const renew = async () => {
        asked += 1
      }
      renewal = new OfferRenewal({ clock, timers: own.time, claims, publisher: { renew }, onProblem: () => {} })
      renewal.start()
      equal(asked, 1)
    })

    it('that the log does not take is told, and tried again soon', async () => {
      await offers('orbit')
      own.disk.isFull = true
      renewal.start()
      await own.time.advance(RENEWAL_MS)
      deepEqual(problems, [
        'the offers of this node were not renewed: the event log could not be written: no space left on device',
      ])
      own.disk.isFull = false
      await own.time.advance(LOOK_MS)
      equal((await renewals()).length, 1)
    })

    it('ends with the client', async () => {
      await offers('orbit')
      renewal.start()
      renewal.stop()
      await own.time.advance(2 * RENEWAL_MS)
      deepEqual(await renewals(), [])
    })
  })

  describe('in a network', () => {
    let network: IndexNetwork
    let holders: NodeId[]
    const started = async (indexNodes: number) => {
      network = await IndexNetwork.start({ indexNodes, clients: 1 })
      holders = []
      for (const { id, node } of network.indexNodes)
        node.log.onAppended((envelopes) => {
          for (const { event, author } of envelopes)
            if (event.kind === 'offers.renewed' && author === network.client().node.id) holders.push(id)
        })
      return network.client()
    }
    afterEach(() => network[Symbol.asyncDispose]())

    it('goes to whoever owns a word of anything that is offered, once, and to nobody else', async () => {
      const client = await started(12)
      await client.publish('orbit')
      await client.publish('quiet')
      const words = client.claims.publications().flatMap(({ keywords }) => keywords)
      const owners = new Set(words.flatMap((word) => client.map.ownersOf(word)))
      equal(owners.size < 12, true, 'some own neither')
      await client.publisher.renew()
      await network.until('they have it', () => holders.length >= owners.size, 5_000)
      deepEqual([...holders].sort(), [...owners].sort())
      equal(client.claims.publications().length, 3)
      await client.publisher.renew()
      equal(client.claims.publications().length, 3)
    })

    it('reaches an owner that comes later', async () => {
      const client = await started(3)
      const late = network.index(2)
      late.crash()
      await network.until('it is known to be dead', () => client.map.indexNodes().length === 2, 60_000)
      await client.publish('orbit')
      await client.publisher.renew()
      await network.sim.time.advance(1_000)
      equal(holders.length, 2)
      await late.restart()
      await network.until('it has it', () => holders.length === 3, 10_000)
    })

    it('is taken of its author alone, once, and another spelling of it is none', async () => {
      const client = await started(1)
      const index = network.index(0)
      const [one, other] = [new Author(1), new Author(2)]
      const [first, second] = await one.renews(2)
      const [forged] = await other.renews(1)
      assert.ok(first && second && forged)
      const outcomes = async (...events: SignedEvent[]) =>
        decodePublishReply(await client.request(index.id, INDEX_METHODS.publish, encodePublish(events)))
      const inOtherStream = one.signs({ stream: 'gossip', event: { kind: 'offers.renewed' } })
      deepEqual(await outcomes(second, { ...forged, signature: second.signature }, inOtherStream), [
        ...['stored', 'forged', 'malformed'],
      ])
      // An earlier one that comes later is stored, and changes nothing; a second copy is not even stored.
      deepEqual(await outcomes(first, second), ['stored', 'duplicate'])
      const renewals = new Renewals()
      for await (const { event, author, authorSeq, at } of index.node.log.read())
        if (event.kind === 'offers.renewed') renewals.add(author, { authorSeq, at })
      deepEqual([renewals.size, renewals.get(one.id)?.authorSeq], [1, 2])
    })

    it('lets everybody tell a seeder that was killed for good from one that is there', async () => {
      const client = await started(1)
      await client.publish('walrus')
      await client.publisher.renew()
      await network.until('it has it', () => holders.length === 1, 5_000)
      const renewals = new Renewals()
      let offeredAt = 0
      for await (const { event, author, authorSeq, at } of network.index(0).node.log.read()) {
        if (event.kind === 'torrent.published') offeredAt = at
        if (event.kind === 'offers.renewed') renewals.add(author, { authorSeq, at })
      }
      const renewedAt = renewals.get(client.node.id)?.at ?? 0
      const seen = (now: number) => presenceOf(offeredAt, renewedAt, now)
      deepEqual(seen(renewedAt + OFFER_COUNTS_MS - 1), { counts: true, lastSeenAt: renewedAt })
      deepEqual(seen(renewedAt + OFFER_COUNTS_MS), { counts: false, lastSeenAt: renewedAt })
    })
  })
})
