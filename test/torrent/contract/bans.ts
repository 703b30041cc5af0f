import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { PeerId } from '../../../src/events/index.ts'
import type { TorrentEngine } from '../../../src/torrent/engine.ts'
import type { Judgement } from '../engine-fixture.ts'
import {
  countOf,
  dial,
  dialUntil,
  digestOf,
  download,
  type EngineName,
  eventually,
  Lab,
  seed,
  sha256,
} from '../engine-fixture.ts'

/** The rule reputation starts from: 100 points, +1 a good piece, -5 a bad one, banned below 0. */
function banBelowZero() {
  const scores = new Map<PeerId, number>()
  return ({ subject, good, bad }: Judgement, engine: TorrentEngine) => {
    const score = (scores.get(subject) ?? 100) + countOf(good) - 5 * bad.length
    scores.set(subject, score)
    if (score < 0) engine.ban(subject)
  }
}

const badOf = (judged: readonly Judgement[], subject: PeerId): number =>
  judged.filter((each) => each.subject === subject).reduce((sum, each) => sum + each.bad.length, 0)

export function bansContract(engine: EngineName): void {
  describe('bad pieces and bans', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    it('bans a peer that corrupts everything within 30 bad pieces, and finishes with the honest one', async () => {
      const honest = await lab.seeder('honest', { 'a.bin': 8_000_000 }, { uploadBytesPerSecondMax: 5_000_000 })
      const { metainfo } = honest
      const corrupter = await lab.node('corrupter')
      await seed(corrupter, metainfo, metainfo.directory)
      corrupter.engine.corrupt(metainfo.infoHash, 100)
      const leecher = await lab.node('leecher', { onJudged: banBelowZero() })
      await download(leecher, metainfo, [corrupter])
      // Late enough that the honest seeder cannot finish the download before there was time for a ban.
      await leecher.until((said) => badOf(said.judged, corrupter.id) >= 12)
      await dial(leecher, metainfo.infoHash, [honest])
      await leecher.until((said) => said.completed.length === 1)

      const bad = badOf(leecher.recorded.judged, corrupter.id)
      assert.ok(bad >= 21 && bad <= 30, `${bad} bad pieces`)
      assert.equal(badOf(leecher.recorded.judged, honest.id), 0)
      assert.equal(await digestOf(join(leecher.directory, 'a.bin')), sha256(honest.files.get('a.bin') ?? new Uint8Array()))
      assert.deepEqual(
        leecher.engine.status(metainfo.infoHash)?.peers.map((peer) => peer.id),
        [honest.id],
      )
    })

    it('asks nothing of a convicted peer while its ban is being decided', async () => {
      const corrupter = await lab.seeder('corrupter', { 'a.bin': 2_000_000 })
      corrupter.engine.corrupt(corrupter.metainfo.infoHash, 100)
      // The decision is a slow append: it takes 15 turns of the event loop.
      const decide = banBelowZero()
      const onJudged = async (judgement: Judgement, engine: TorrentEngine) => {
        for (let turn = 0; turn < 15; turn++) await new Promise((resolve) => setImmediate(resolve))
        decide(judgement, engine)
      }
      const leecher = await lab.node('leecher', { onJudged })
      await download(leecher, corrupter.metainfo, [corrupter])
      await leecher.until((said) => said.peers.some(({ change }) => change === 'left'))
      assert.equal(badOf(leecher.recorded.judged, corrupter.id), 21)
    })

    it('finds the liar among the sources of shared pieces, and blames no other', async function () {
      this.timeout(30_000)
      const limit = { uploadBytesPerSecondMax: 6_000_000 }
      const honest = [await lab.node('honest', limit), await lab.node('helpful', limit)]
      const corrupter = await lab.node('corrupter', limit)
      const { metainfo, bytes } = await lab.shared([...honest, corrupter], 16_000_000, 8 * 1024 * 1024)
      // Fewer pieces than peers: several send blocks of one.
      corrupter.engine.corrupt(metainfo.infoHash, 100)
      const leecher = await lab.node('leecher')
      await download(leecher, metainfo, [...honest, corrupter])
      await leecher.until((said) => said.completed.length === 1, 25_000)
      assert.equal(await digestOf(join(leecher.directory, 'shared.bin')), sha256(bytes))
      assert.ok(leecher.recorded.suspected.length > 0, 'pieces failed that several peers had sent')
      assert.ok(badOf(leecher.recorded.judged, corrupter.id) > 0)
      const evidence = new Set(leecher.recorded.judged.flatMap((each) => each.bad.map((piece) => piece.evidence)))
      assert.ok(evidence.has('block-differs'))
      for (const { id } of honest) assert.equal(badOf(leecher.recorded.judged, id), 0)
    })

    it('never blames the honest seeder beside one that corrupts a fifth', async () => {
      const honest = await lab.seeder('honest', { 'a.bin': 8_000_000 })
      const { metainfo } = honest
      const corrupter = await lab.node('corrupter')
      await seed(corrupter, metainfo, metainfo.directory)
      corrupter.engine.corrupt(metainfo.infoHash, 20)
      const leecher = await lab.node('leecher', { onJudged: banBelowZero() })
      await download(leecher, metainfo, [corrupter, honest])
      await leecher.until((said) => said.completed.length === 1)
      assert.equal(badOf(leecher.recorded.judged, honest.id), 0)
      assert.equal(await digestOf(join(leecher.directory, 'a.bin')), sha256(honest.files.get('a.bin') ?? new Uint8Array()))
    })

    it('keeps a banned key out both ways until it is pardoned, and its neighbours in', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 500_000 })
      const { infoHash } = seeder.metainfo
      const banned = await lab.node('banned')
      const neighbour = await lab.node('neighbour')
      await download(banned, seeder.metainfo, [seeder])
      await banned.until((said) => said.completed.length === 1)
      seeder.engine.ban(banned.id)
      await eventually(() => seeder.engine.status(infoHash)?.peers.length === 0)
      assert.deepEqual(seeder.recorded.peers.at(-1), { change: 'left', peer: banned.id })

      const joins = () => seeder.recorded.peers.filter(({ change }) => change === 'joined').length
      const before = joins()
      seeder.engine.connect(infoHash, '127.0.0.1', banned.engine.port)
      await dial(banned, infoHash, [seeder])
      await download(neighbour, seeder.metainfo, [seeder])
      await neighbour.until((said) => said.completed.length === 1)
      assert.equal(joins(), before + 1)
      assert.deepEqual(
        seeder.engine.status(infoHash)?.peers.map((peer) => peer.id),
        [neighbour.id],
      )

      seeder.engine.unban(banned.id)
      await dialUntil(banned, infoHash, seeder, () => joins() === before + 2)
    })
  })
}
