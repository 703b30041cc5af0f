import { deepEqual, equal } from 'node:assert/strict'
import type { Ruling, SignedEvent } from '../../../src/events/index.ts'
import { parseQuery } from '../../../src/projections/keyword-index/index.ts'
import { type ProofRules, provenHits } from '../../../src/roles/client/proven-hits.ts'
import type { WireHit } from '../../../src/roles/index-node/index-messages.ts'
import { noUpcast } from '../../events/samples.ts'
import { verifySignature } from '../../events/test-network.ts'
import { Author, described } from '../index-network.ts'

const CHECKED_IN_A_TURN = 64
const WAIT_MS = 2_000
/** When the authors of these tests say what they say. */
const NOW = 1_800_000_000_000

describe('the hits of an answer', () => {
  const [ada, bob] = [new Author(1), new Author(2)]
  const query = parseQuery('orbit')
  let rulings: Map<string, Ruling>
  let waits: number[]
  let checked: number
  let rules: ProofRules
  beforeEach(() => {
    rulings = new Map()
    waits = []
    checked = 0
    rules = {
      verify(...of) {
        checked += 1
        return verifySignature(...of)
      },
      ...{ upcast: noUpcast, rules: { judge: ({ author }) => rulings.get(author) ?? 'take' } },
      untilAdmitted: async (_attempt, waitMs) => void waits.push(waitMs),
      yieldToEventLoop: async () => {},
      now: () => NOW,
    }
  })
  const hitOf = (title: string, proof: readonly (SignedEvent | undefined)[], seeders = 1): WireHit => ({
    ...{ infoHash: described(title).infoHash, seeders },
    proof: proof.filter((event) => event !== undefined),
  })
  const proven = (...hits: WireHit[]) => provenHits(hits, query, rules, WAIT_MS)
  const one = async (author: Author, title: string) => (await author.publishes(title))[0] as SignedEvent

  it('are what their signed events say, in the order of the answer', async () => {
    const [quiet, loud] = [await one(ada, 'quiet orbit'), await one(bob, 'loud orbit')]
    const { hits, forged, unknown } = await proven(hitOf('loud orbit', [loud], 7), hitOf('quiet orbit', [quiet]))
    deepEqual([hits.map(({ title }) => title), forged, unknown], [['loud orbit', 'quiet orbit'], 0, 0])
    const { infoHash, sizeBytes, fileCount, tags } = described('loud orbit')
    deepEqual(hits[0], {
      ...{ infoHash, title: 'loud orbit', sizeBytes, fileCount, tags, publisher: bob.id, party: bob.id },
      ...{ publishedAt: 1_800_000_000_000, authorSeq: 1, seeders: 7, lastSeenAt: 0, provenSeeders: new Set([bob.id]) },
      description: loud,
    })
    deepEqual(waits, [])
  })

  it('prove nobody to be there who has not said so for 18 hours, and were seen at no time that is yet to come', async () => {
    const [claim] = await bob.verifies('quiet orbit')
    const proof = [await one(ada, 'quiet orbit'), claim]
    rules = { ...rules, now: () => NOW + 18 * 3_600_000 - 1 }
    deepEqual((await proven(hitOf('quiet orbit', proof, 0))).hits[0]?.provenSeeders.size, 2)
    const now = NOW + 18 * 3_600_000
    rules = { ...rules, now: () => now }
    for (const [said, lastSeenAt, shown] of [
      [0, NOW, NOW],
      [5, now + 1, now],
    ] as const) {
      const [hit] = (await proven({ ...hitOf('quiet orbit', proof, said), lastSeenAt })).hits
      deepEqual([hit?.seeders, hit?.provenSeeders.size, hit?.lastSeenAt], [said, 0, shown])
    }
  })

  it('have at least as many seeders as are proven, each author once', async () => {
    const [claim] = await bob.verifies('quiet orbit')
    const quiet = await one(ada, 'quiet orbit')
    const { hits } = await proven(hitOf('quiet orbit', [quiet, claim, claim, quiet], 0))
    deepEqual([hits[0]?.seeders, hits[0]?.provenSeeders], [2, new Set([ada.id, bob.id])])
  })

  it('name the party that answers for their publisher', async () => {
    rules = { ...rules, rules: { ...rules.rules, partyOf: () => ({ key: 'guests' }) as never } }
    equal((await proven(hitOf('quiet orbit', [await one(ada, 'quiet orbit')]))).hits[0]?.party, 'guests')
  })

  it('are forged where nobody signed them, or they show something else', async () => {
    const quiet = await one(ada, 'quiet orbit')
    const [claim] = await bob.verifies('quiet orbit')
    const withdrawal = ada.signs({
      ...{ stream: 'index', event: { kind: 'torrent.withdrawn', infoHash: described('quiet orbit').infoHash, title: 'x' } },
    })
    const gossip = ada.signs({
      stream: 'gossip',
      event: { kind: 'torrent.published', ...described('quiet orbit') },
    } as Parameters<Author['signs']>[0])
    const stolen = { body: quiet.body, signature: (await one(bob, 'quiet orbit')).signature }
    const nonsense = { body: new Uint8Array([1, 2, 3]), signature: new Uint8Array(64) }
    const forgeries: readonly (readonly (SignedEvent | undefined)[])[] = [
      ...[[], [claim], [withdrawal], [gossip], [stolen], [nonsense], [await one(ada, 'loud orbit')]],
      ...[
        [quiet, stolen],
        [quiet, nonsense],
        [quiet, withdrawal],
      ],
    ]
    for (const [at, proof] of forgeries.entries()) {
      const { hits, forged } = await proven(hitOf('quiet orbit', proof))
      deepEqual([at, hits.length, forged], [at, 0, 1])
    }
    const { hits, forged } = await proven(
      ...forgeries.map((proof) => hitOf('quiet orbit', proof)),
      hitOf('quiet orbit', [quiet]),
    )
    deepEqual([hits.length, forged], [1, forgeries.length])
  })

  it('are left out where no title of theirs was asked for, and that is no lie', async () => {
    const { hits, forged, unknown } = await proven(hitOf('cheap pills', [await one(ada, 'cheap pills')]))
    deepEqual([hits, forged, unknown], [[], 0, 0])
  })

  it('of authors that are put out are left out, and no lie; what others prove of the same torrent counts', async () => {
    const quiet = await one(ada, 'quiet orbit')
    const [claim] = await bob.verifies('quiet orbit')
    rulings.set(ada.id, 'refuse')
    const out = await proven(hitOf('quiet orbit', [quiet, claim]))
    deepEqual([out.hits, out.forged, out.unknown, waits], [[], 0, 0, []])
    rulings = new Map([[bob.id, 'refuse']])
    const { hits } = await proven(hitOf('quiet orbit', [quiet, claim]))
    deepEqual(hits[0]?.provenSeeders, new Set([ada.id]))
  })

  it('of authors that may come are waited for once, and are looked at again', async () => {
    rulings.set(ada.id, 'defer').set(bob.id, 'defer')
    rules = {
      ...rules,
      async untilAdmitted(attempt, waitMs) {
        waits.push(waitMs)
        equal(await attempt(), false)
        rulings.delete(bob.id)
        equal(await attempt(), false)
      },
    }
    const answer = [hitOf('quiet orbit', [await one(ada, 'quiet orbit')]), hitOf('loud orbit', [await one(bob, 'loud orbit')])]
    const { hits, forged, unknown } = await proven(...answer)
    deepEqual([hits.map(({ title }) => title), forged, unknown], [['loud orbit'], 0, 1])
    deepEqual(waits, [WAIT_MS])
  })

  it('of several authors that may come are waited for until all of them have', async () => {
    rulings.set(ada.id, 'defer').set(bob.id, 'defer')
    const attempts: boolean[] = []
    rules = {
      ...rules,
      async untilAdmitted(attempt) {
        for (const author of [bob.id, ada.id]) {
          rulings.delete(author)
          attempts.push(await attempt())
        }
      },
    }
    const answer = [hitOf('quiet orbit', [await one(ada, 'quiet orbit')]), hitOf('loud orbit', [await one(bob, 'loud orbit')])]
    const { hits, unknown } = await proven(...answer)
    deepEqual([hits.length, unknown, attempts], [2, 0, [false, true]])
  })

  it('are checked 64 signatures at a time, and no more before everything else had its turn', async () => {
    const turns: { checked: number; go: () => void }[] = []
    rules = {
      ...rules,
      yieldToEventLoop: () => new Promise((resolve) => void turns.push({ checked, go: resolve })),
    }
    const quiet = await one(ada, 'quiet orbit')
    const [claim] = await bob.verifies('quiet orbit')
    const hits = Array.from({ length: CHECKED_IN_A_TURN }, () => hitOf('quiet orbit', [quiet, claim]))
    const asking = proven(...hits, hitOf('quiet orbit', [quiet]))
    await new Promise((resolve) => setImmediate(resolve))
    deepEqual([turns.map((turn) => turn.checked), checked], [[CHECKED_IN_A_TURN], CHECKED_IN_A_TURN])
    turns[0]?.go()
    await new Promise((resolve) => setImmediate(resolve))
    equal(turns[1]?.checked, 2 * CHECKED_IN_A_TURN)
    turns[1]?.go()
    equal((await asking).hits.length, CHECKED_IN_A_TURN + 1)
    equal(turns.length, 2)
  })
})
