import assert from 'node:assert/strict'
import { encodeBlockMessages, encodeHave, MESSAGE } from '../../../src/torrent/wire/messages.ts'
import { RequestWatch } from './request-watch.ts'
import { play, type SwarmOutcome, type SwarmStory, storyOf } from './simulated-swarm.ts'
import { MemoryLink, madeUp, PIECE_BYTES, SwarmLab } from './swarm-lab.ts'

// Whole swarms on the virtual clock. A story that fails is played again by its seed: P2PT_SWARM_SEED=N, of which the next ones follow.

const FIRST_SEED = Number(process.env.P2PT_SWARM_SEED ?? 1)
const STORIES = 30

const plain: SwarmStory = {
  ...{ seed: 1, pieceCount: 40, seeders: [200_000], rare: [], leechers: [{ rate: 100_000, at: 0 }] },
  ...{ corrupter: undefined, cutEveryMs: 0 },
}

describe('swarms on the virtual clock', function () {
  this.timeout(60_000)

  const holds = (story: SwarmStory, outcome: SwarmOutcome) => {
    const { tookMs, idealMs, starvedMs, waste, twice, blamed } = outcome
    const said = `seed ${story.seed}: ${JSON.stringify({ ...outcome, twice: twice.length })}`
    assert.deepEqual(twice.slice(0, 3), [], `${said}: asked twice before the endgame`)
    assert.deepEqual(blamed, story.corrupter === undefined ? [] : ['liar'], said)
    assert.ok(waste <= 0.15, said)
    assert.ok(tookMs <= 3 * idealMs + 5_000, said)
    assert.ok(starvedMs <= 35_000, said)
  }

  for (let seed = FIRST_SEED; seed < FIRST_SEED + STORIES; seed++) {
    it(`come to their end in a small multiple of the least time, with no block asked twice before the endgame: story ${seed}`, async () => {
      const story = storyOf(seed)
      holds(story, await play(story))
    })
  }

  it('are the same again by the same seed', async () => {
    const story = storyOf(FIRST_SEED + 3)
    assert.deepEqual(await play(story), await play(story))
    assert.notDeepEqual(await play(story), await play({ ...storyOf(FIRST_SEED + 3), seed: 1_000_000 }))
  })

  it('are not held up at their end by a peer that is slow', async () => {
    const story = { ...plain, seeders: [300_000, 4_000] }
    const outcome = await play(story)
    holds(story, outcome)
    assert.ok(outcome.endgame > 0)
    assert.ok(outcome.tookMs <= 1.2 * outcome.idealMs + 1_000, JSON.stringify(outcome))
  })

  it('spread rare pieces before common ones: who has them sends each of them a few times, not to everybody', async () => {
    const leechers = Array.from({ length: 6 }, () => ({ rate: 200_000, at: 0 }))
    const story = { ...plain, rare: [{ rate: 20_000, pieces: 4 }], leechers }
    const outcome = await play(story)
    holds(story, outcome)
    // To everybody it would be six times as long.
    assert.ok(outcome.tookMs <= 3 * outcome.idealMs, JSON.stringify(outcome))
  })

  it('are ended by those that stay, however often connections are cut', async () => {
    const leechers = Array.from({ length: 4 }, (_, at) => ({ rate: 150_000, at: at * 1_000 }))
    const story = { ...plain, leechers, cutEveryMs: 300 }
    const outcome = await play(story)
    holds(story, outcome)
    assert.ok(outcome.cuts > 30)
  })

  it('convict a corrupter that is the fastest of all, and take the rest from others', async () => {
    const leechers = Array.from({ length: 3 }, () => ({ rate: 100_000, at: 0 }))
    for (const share of [0.05, 0.5, 1]) {
      const story = { ...plain, leechers, corrupter: { rate: 1_000_000, share } }
      holds(story, await play(story))
    }
  })
})

describe('the book of what was asked', () => {
  const { metainfo } = madeUp(2)
  const request = (id: number, index: number, offset = 0) =>
    encodeBlockMessages(id, [{ index, offset, length: 16_384 }]).subarray(4)
  const blocks = [0, 16_384, 32_768, 49_152]

  it('has a block that is asked of two while another is asked of nobody, and calls it the endgame when none is', async () => {
    const lab = new SwarmLab()
    const peer = lab.peer('peer', metainfo)
    const [one, two, theirs] = [1, 2, 3].map((port) => new MemoryLink(lab.time, port, true)) as [
      MemoryLink,
      MemoryLink,
      MemoryLink,
    ]
    const watch = new RequestWatch(peer, metainfo.sizeBytes, PIECE_BYTES, (end) => end !== theirs)
    for (const offset of blocks) watch.sent(one, request(MESSAGE.request, 0, offset))
    watch.sent(theirs, request(MESSAGE.request, 0))
    watch.sent(two, encodeHave(0).subarray(4))
    assert.deepEqual([watch.twice, watch.endgame], [[], 0])
    watch.sent(two, request(MESSAGE.request, 0))
    assert.deepEqual([watch.twice, watch.endgame], [['0:0 while 1:0 is asked of nobody'], 0])
    for (const offset of blocks) watch.sent(two, request(MESSAGE.request, 1, offset))
    assert.equal(watch.twice.length, 1)
    watch.sent(one, request(MESSAGE.request, 1))
    assert.deepEqual([watch.twice.length, watch.endgame], [1, 1])

    // What came, was taken back or was refused is owed no more; nor is anything by who is gone.
    watch.came(one, request(MESSAGE.piece, 0, 16_384))
    watch.sent(one, request(MESSAGE.cancel, 0, 32_768))
    watch.sent(two, request(MESSAGE.request, 0, 32_768))
    watch.came(two, request(MESSAGE.reject, 0, 32_768))
    watch.sent(two, request(MESSAGE.request, 0, 49_152))
    assert.equal(watch.twice.at(-1), '0:49152 while 0:32768 is asked of nobody')
    watch.closed(one)
    watch.sent(two, request(MESSAGE.request, 0, 32_768))
    assert.deepEqual([watch.twice.length, watch.endgame], [2, 1])
    // A piece that was wrong is open again, but for one that stands on the disk.
    peer.onBad(0)
    watch.sent(one, request(MESSAGE.request, 1, 16_384))
    assert.equal(watch.twice.at(-1), '1:16384 while 0:16384 is asked of nobody')
    peer.written.add(0)
    watch.sent(one, request(MESSAGE.request, 1, 32_768))
    assert.deepEqual([watch.twice.length, watch.endgame], [3, 2])
    await peer.swarm.close()
  })
})
