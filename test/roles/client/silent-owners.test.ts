import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { NodeId, SignedEvent } from '../../../src/events/index.ts'
import { HeldOffOwners } from '../../../src/roles/client/held-off-owners.ts'
import {
  decodePublish,
  decodeSearch,
  decodeSearchReply,
  encodePublishReply,
  encodeSearchReply,
  INDEX_METHODS,
  type PublishOutcome,
  type WireHit,
} from '../../../src/roles/index-node/index-messages.ts'
import { hash } from '../../projections/envelopes.ts'
import { Author, type ClientPeer, described, IndexNetwork, type IndexPeer } from '../index-network.ts'

const OLD_MS = 6 * 60_000

describe('an owner that says it has nothing, where another proves what was published long ago', () => {
  let network: IndexNetwork
  let client: ClientPeer
  /** Who is asked for `orbit` first, and who has it. */
  let silent: IndexPeer
  let holder: IndexPeer
  let author: Author
  beforeEach(async () => {
    network = await IndexNetwork.start({ indexNodes: 3, clients: 1 })
    client = network.client()
    client.aheadMs = OLD_MS
    author = new Author(1)
    const [first, second] = client.map.ownersOf('orbit') as [NodeId, NodeId]
    silent = network.at(first)
    holder = network.at(second)
  })
  afterEach(() => network[Symbol.asyncDispose]())

  const search = async (text = 'orbit') => {
    const found = await client.search(text)
    const row = found.parts[0]?.asked.find(({ node }) => node === silent.id)
    return { titles: found.hits.map(({ title }) => title), charged: found.charged, row, reason: row?.reason ?? '' }
  }
  const handlerOf = (peer: IndexPeer, method: string) => {
    const handler = peer.handlers.get(method)
    ok(handler)
    return handler
  }
  /** It finds nothing, ever; publications it answers as it would. */
  const hides = (peer: IndexPeer) => {
    const { overlay } = peer.node
    overlay.serve(INDEX_METHODS.search, async () =>
      encodeSearchReply({ hits: [], truncated: false, cursor: '', answeredBy: peer.id }),
    )
  }
  const answersPublications = (peer: IndexPeer, outcome: PublishOutcome, instead: readonly SignedEvent[] = []) => {
    peer.node.overlay.serve(INDEX_METHODS.publish, async (_from, body) =>
      encodePublishReply(
        decodePublish(body).map(() => outcome),
        instead,
      ),
    )
  }
  /** What is charged is recorded, and asked last. */
  const isCharged = () => {
    equal(client.heldOff.isHeldOff(silent.id), client.evidence.length > 0)
    return client.evidence.length > 0
  }

  describe('is not charged', () => {
    it('where it was never told: it is handed the publication, and has it afterwards', async () => {
      await holder.node.log.ingest(await author.publishes('quiet orbit'))
      const framed = await search()
      deepEqual([framed.titles, framed.charged, framed.row?.lacks], [['quiet orbit'], [], 1])
      match(framed.reason, /was handed what it lacked, and has it now/)
      deepEqual([silent.titles(), isCharged()], [['quiet orbit'], false])
      const after = await search()
      deepEqual([after.titles, after.row?.hits, after.row?.lacks, after.reason], [['quiet orbit'], 1, 0, ''])
    })

    it('where the author has told it alone that the torrent is taken back', async () => {
      const events = await author.publishes('quiet orbit')
      const { infoHash } = described('quiet orbit')
      for (const peer of [silent, holder]) await peer.node.log.ingest(events)
      const withdrawn = author.signs({ stream: 'index', event: { kind: 'torrent.withdrawn', infoHash, title: 'quiet orbit' } })
      await silent.node.log.ingest([withdrawn])
      const back = await search()
      deepEqual([back.titles, back.charged, back.row?.lacks, isCharged()], [['quiet orbit'], [], 1, false])
      match(back.reason, /does not count any more/)
    })

    it('where the author has told it alone that it has other words now', async () => {
      const events = await author.publishes('quiet orbit')
      for (const peer of [silent, holder]) await peer.node.log.ingest(events)
      const renamed = { ...described('quiet orbit'), title: 'loud planet' }
      await silent.node.log.ingest([author.signs({ stream: 'index', event: { kind: 'torrent.published', ...renamed } })])
      const { titles, charged, reason } = await search()
      deepEqual([titles, charged, isCharged()], [['quiet orbit'], [], false])
      match(reason, /does not count any more/)
    })

    it("where it shows the torrent in another's words, which came there first", async () => {
      const { infoHash, ...more } = described('quiet orbit')
      const other = new Author(2).signs({
        stream: 'index',
        event: { kind: 'torrent.published', ...more, infoHash, title: 'loud planet' },
      })
      await silent.node.log.ingest([other])
      await holder.node.log.ingest(await author.publishes('quiet orbit'))
      const { titles, charged, reason } = await search()
      deepEqual([titles, charged, isCharged()], [['quiet orbit'], [], false])
      match(reason, /does not count any more/)
      equal(silent.node.log.has({ author: author.id, stream: 'index', authorSeq: 1 }), true)
    })

    for (const outcome of ['over-budget', 'deferred', 'clock-jump', 'refused', 'below-rank'] as const) {
      it(`where it does not take the publication as ${outcome}, which nobody else can see: it is named`, async () => {
        await holder.node.log.ingest(await author.publishes('quiet orbit'))
        answersPublications(silent, outcome)
        const { titles, charged, row, reason } = await search()
        deepEqual([titles, charged, row?.lacks, isCharged()], [['quiet orbit'], [], 1, false])
        match(reason, new RegExp(`does not take what it lacks: ${outcome}`))
      })
    }

    it('where it says that the author is not admitted, and a revocation comes here as well', async () => {
      await holder.node.log.ingest(await author.publishes('quiet orbit'))
      answersPublications(silent, 'not-admitted')
      const judged = { judge: () => 'take' as 'take' | 'refuse' }
      client.rules = judged
      network.sim.time.after(1_500, () => {
        judged.judge = () => 'refuse'
      })
      deepEqual([(await search()).charged, isCharged()], [[], false])
    })

    it('where it gives no answer to what it is handed, and is asked last without a record', async () => {
      await holder.node.log.ingest(await author.publishes('quiet orbit'))
      silent.node.overlay.serve(INDEX_METHODS.publish, () => new Promise(() => {}))
      const before = network.sim.time.now()
      const { titles, charged, reason } = await search()
      ok(network.sim.time.now() - before <= 3_100)
      deepEqual([titles, charged, client.evidence], [['quiet orbit'], [], []])
      match(reason, /gave no answer/)
      equal(client.heldOff.isHeldOff(silent.id), true)
    })

    it('where it was asked for more than the titles tell, or where it may have stopped before it came to that', async () => {
      await holder.node.log.ingest(await author.publishes('quiet orbit'))
      const noted: string[] = []
      silent.node.overlay.serve(INDEX_METHODS.publish, async (from, body) => {
        noted.push('handed')
        return handlerOf(silent, INDEX_METHODS.publish)(from, body)
      })
      hides(silent)
      for (const text of ['orbit seeders:<9', 'orbit size:>1', 'orbit -loud']) {
        const { titles, charged, row } = await search(text)
        deepEqual([titles, charged, row?.lacks], [['quiet orbit'], [], 1], text)
      }
      silent.node.overlay.serve(INDEX_METHODS.search, async () =>
        encodeSearchReply({ hits: [], truncated: true, cursor: '', answeredBy: silent.id }),
      )
      client.frequencies.note('quiet', 1_000)
      deepEqual((await search('quiet orbit')).charged, [])
      deepEqual([noted, isCharged()], [[], false])
    })
  })

  describe('is charged', () => {
    it('where it acknowledges what it is handed, and is silent about it still', async () => {
      await holder.node.log.ingest(await author.publishes('quiet orbit'))
      hides(silent)
      answersPublications(silent, 'stored')
      const { titles, charged, row } = await search()
      deepEqual([titles, row?.lacks, isCharged()], [['quiet orbit'], 1, true])
      match(charged[0]?.reason ?? '', /a hit, and says so still, though it took what it was handed/)
      deepEqual(client.evidence, [
        {
          ...{ owner: silent.id, fault: 'omitted', keyword: 'orbit', infoHash: hash('quiet orbit') },
          ...{ author: author.id, authorSeq: 1 },
        },
      ])
    })

    for (const outcome of ['forged', 'malformed'] as const) {
      it(`where it refuses what it is handed as ${outcome}, which was checked here`, async () => {
        await holder.node.log.ingest(await author.publishes('quiet orbit'))
        answersPublications(silent, outcome)
        const { charged } = await search()
        equal(isCharged(), true)
        match(charged[0]?.reason ?? '', new RegExp(`refuses what it was handed as ${outcome}`))
      })
    }

    it('where it says that the author is not admitted, and no revocation comes', async () => {
      await holder.node.log.ingest(await author.publishes('quiet orbit'))
      answersPublications(silent, 'not-admitted')
      await search()
      equal(isCharged(), true)
    })

    it('where what it says counts instead does not: of nobody, of before, of another torrent, or with the same words', async () => {
      const [quiet] = (await author.publishes('quiet orbit')) as [SignedEvent]
      await holder.node.log.ingest([quiet])
      hides(silent)
      const { infoHash } = described('quiet orbit')
      const withdrawn = (by: Author) =>
        by.signs({ stream: 'index', event: { kind: 'torrent.withdrawn', infoHash, title: 'quiet orbit' } })
      const [elsewhere] = (await new Author(2).publishes('loud planet')) as [SignedEvent]
      const same = new Author(2).signs({ stream: 'index', event: { kind: 'torrent.published', ...described('quiet orbit') } })
      const signature = new Uint8Array(withdrawn(author).signature).fill(7, 0, 8)
      for (const instead of [quiet, { ...withdrawn(author), signature }, withdrawn(new Author(2)), elsewhere, same]) {
        client.heldOff = new HeldOffOwners(() => network.sim.time.now())
        client.evidence.length = 0
        answersPublications(silent, 'duplicate', [instead])
        await search()
        equal(isCharged(), true)
      }
    })

    it('where it forges hits when it is asked again', async () => {
      const [quiet] = (await author.publishes('quiet orbit')) as [SignedEvent]
      await holder.node.log.ingest([quiet])
      const forged: WireHit = {
        ...{ infoHash: hash('quiet orbit'), seeders: 9 },
        proof: [{ body: quiet.body, signature: new Uint8Array(64) }],
      }
      let asked = 0
      silent.node.overlay.serve(INDEX_METHODS.search, async () => {
        asked += 1
        return encodeSearchReply({ hits: asked > 1 ? [forged] : [], truncated: false, cursor: '', answeredBy: silent.id })
      })
      const { titles } = await search()
      deepEqual([titles, client.evidence.map(({ fault }) => fault)], [['quiet orbit'], ['forged']])
    })
  })
})

describe('a lying and an omitting owner among five', () => {
  const TITLES = 40
  let network: IndexNetwork
  afterEach(() => network[Symbol.asyncDispose]())

  it('show nothing that is forged, hide nothing, and are named for each answer of theirs', async () => {
    network = await IndexNetwork.start({ indexNodes: 5, clients: 1 })
    const client = network.client()
    client.aheadMs = OLD_MS
    const [liar, omitting] = network.indexNodes as [IndexPeer, IndexPeer]
    const serve = liar.handlers.get(INDEX_METHODS.search)
    ok(serve)
    let lies = 0
    liar.node.overlay.serve(INDEX_METHODS.search, async (from, body) => {
      const reply = decodeSearchReply(await serve(from, body))
      const { text } = decodeSearch(body)
      const event = new Author(9).signs({
        stream: 'index',
        event: { kind: 'torrent.published', ...described(`${text} of the liar`) },
      })
      const forged = {
        ...{ infoHash: hash(`${text} of the liar`), seeders: 99_999 },
        proof: [{ ...event, signature: new Uint8Array(64).fill(1) }],
      }
      lies += 1
      return encodeSearchReply({ ...reply, hits: [forged, ...reply.hits] })
    })
    let silences = 0
    omitting.node.overlay.serve(INDEX_METHODS.search, async () => {
      silences += 1
      return encodeSearchReply({ hits: [], truncated: false, cursor: '', answeredBy: omitting.id })
    })
    const words = Array.from({ length: TITLES }, (_, at) => `word${at}`)
    for (const word of words) await client.publish(`${word} orbit`)

    let [lied, omitted] = [0, 0]
    for (const word of words) {
      // As another client would, that has not met them.
      client.heldOff = new HeldOffOwners(() => network.sim.time.now())
      client.evidence.length = 0
      const [liesBefore, silencesBefore] = [lies, silences]
      const { hits, charged, parts, complete } = await client.search(word)
      deepEqual([hits.map(({ title }) => title), complete], [[`${word} orbit`], true])
      const rows = new Map(parts.flatMap(({ asked }) => asked).map((row) => [row.node, row]))
      const expected: { owner: NodeId; fault: string }[] = []
      if (lies > liesBefore) {
        lied += 1
        expected.push({ owner: liar.id, fault: 'forged' })
        equal(rows.get(liar.id)?.outcome, 'failed')
        match(rows.get(liar.id)?.reason ?? '', /1 of its \d hits are signed by nobody/)
      }
      if (silences > silencesBefore) {
        omitted += 1
        expected.push({ owner: omitting.id, fault: 'omitted' })
        equal(rows.get(omitting.id)?.lacks, 1)
      }
      const byOwner = (a: { owner: NodeId }, b: { owner: NodeId }) => (a.owner < b.owner ? -1 : 1)
      deepEqual(client.evidence.map(({ owner, fault }) => ({ owner, fault })).sort(byOwner), expected.sort(byOwner))
      deepEqual(charged.map(({ node }) => node).sort(), expected.map(({ owner }) => owner).sort())
    }
    ok(lied >= TITLES / 5 && omitted >= TITLES / 5, `${lied} lies, ${omitted} silences`)
  })
})
