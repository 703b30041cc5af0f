import assert from 'node:assert/strict'
import { flipped } from '../../../src/torrent/corruption.ts'
import { bitfieldOf } from '../../../src/torrent/piece-ranges.ts'
import { randomFrom } from '../../sim/random.ts'
import { RequestWatch } from './request-watch.ts'
import { type LabPeer, type MemoryLink, madeUp, PIECE_BYTES, SwarmLab } from './swarm-lab.ts'

// A whole swarm on the virtual clock: real swarms, pickers, chokers, judges and messages, joined by streams in memory. All that
// happens follows from the options, and these from a seed.

export type SwarmStory = {
  seed: number
  pieceCount: number
  /** Who has all of it: bytes that each sends in a second. */
  seeders: readonly number[]
  /** The only seeder at first of some pieces: its bytes a second, and how many pieces. */
  rare: readonly { rate: number; pieces: number }[]
  /** Who wants it: bytes a second, and when each comes, ms. */
  leechers: readonly { rate: number; at: number }[]
  /** Sends this share of blocks spoilt, at so many bytes a second; undefined: nobody does. */
  corrupter: { rate: number; share: number } | undefined
  /** Interval at which a connection between two of them is cut, ms; it is made again later. 0: never. */
  cutEveryMs: number
}

export type SwarmOutcome = {
  /** Until all had everything, ms. */
  tookMs: number
  /** In which no order of requests could have done it faster, ms. */
  idealMs: number
  /** The longest that a downloader was without a piece more, ms. */
  starvedMs: number
  /** Bytes that came of the torrent, of what was needed. */
  waste: number
  twice: readonly string[]
  endgame: number
  cuts: number
  blamed: readonly string[]
}

type Member = { peer: LabPeer; isHere: boolean; links: Set<Member> }

const WITHIN_MS = 3_600_000

/** A story drawn from a seed: few or many, fast and slow ones, with or without a corrupter and cut connections. */
export function storyOf(seed: number): SwarmStory {
  const random = randomFrom(seed)
  const between = (least: number, most: number) => Math.round(least + random() * (most - least))
  const rate = () => (random() < 0.25 ? between(5_000, 15_000) : between(60_000, 300_000))
  const many = (least: number, most: number) => Array.from({ length: between(least, most) })
  return {
    seed,
    pieceCount: between(20, 60),
    seeders: many(1, 2).map(() => between(60_000, 300_000)),
    rare: random() < 0.5 ? [{ rate: between(15_000, 50_000), pieces: between(1, 4) }] : [],
    leechers: many(2, 6).map((_, at) => ({ rate: rate(), at: at === 0 ? 0 : between(0, 10_000) })),
    corrupter: random() < 0.5 ? { rate: between(60_000, 200_000), share: 0.05 + random() * 0.9 } : undefined,
    cutEveryMs: random() < 0.5 ? between(1_000, 4_000) : 0,
  }
}

/** Plays a story to its end. @throws AssertionError if it does not come to one, or somebody says what nobody should */
export async function play(story: SwarmStory): Promise<SwarmOutcome> {
  const { seed, pieceCount, leechers, corrupter, cutEveryMs } = story
  const lab = new SwarmLab(seed)
  const random = randomFrom(seed ^ 0x5eed)
  const { metainfo, bytes } = madeUp(pieceCount, 20_000)
  const rareCount = story.rare.reduce((sum, { pieces }) => sum + pieces, 0)
  const member = (name: string, uploadBytesPerSecond: number, pieces?: readonly { first: number; count: number }[]): Member => {
    const limits = { rates: { downloadBytesPerSecond: 0, uploadBytesPerSecond } }
    const verified = pieces ?? []
    const isAll = verified.length === 1 && verified[0]?.count === pieceCount
    const found = bitfieldOf(verified, pieceCount)
    const peer = lab.peer(name, metainfo, {
      ...(pieces === undefined ? {} : { has: bytes }),
      swarm: { ...limits, ...(pieces === undefined || isAll ? {} : { verified }) },
      ...(pieces === undefined || isAll ? {} : { found }),
    })
    for (const { first, count } of verified) for (let at = 0; at < count; at++) peer.written.add(first + at)
    return { peer, isHere: false, links: new Set() }
  }
  // The last pieces are rare: seeders without them, and each with its holder.
  let at = pieceCount - rareCount
  const common = [{ first: 0, count: at }]
  const sources = story.seeders.map((rate, index) => member(`seeder ${index}`, rate, common))
  for (const [index, { rate, pieces }] of story.rare.entries()) {
    sources.push(member(`rare ${index}`, rate, [{ first: at, count: pieces }]))
    at += pieces
  }
  const liar = corrupter && member('liar', corrupter.rate, common)
  if (corrupter !== undefined && liar !== undefined) {
    liar.peer.spoil = (_index, _offset, block) => (random() < corrupter.share ? flipped(block) : block)
    sources.push(liar)
  }
  const downloaders = leechers.map(({ rate }, index) => member(`leecher ${index}`, rate))
  const members = [...sources, ...downloaders]
  await lab.until('all are ready', () => members.every(({ peer }) => peer.swarm.status.isReady))

  const watches = new Map<Member, RequestWatch>()
  const ends = new Map<MemoryLink, Member>()
  const startedAt = lab.time.now()
  const lastCome = new Map<Member, { count: number; at: number }>()
  let starvedMs = 0
  let cuts = 0
  const connected: { a: Member; b: Member; cut(): void }[] = []
  const join = (a: Member, b: Member) => {
    if (a.links.has(b) || sources.includes(a)) return
    a.links.add(b)
    b.links.add(a)
    const own = [watches.get(a), watches.get(b)].filter((watch) => watch !== undefined)
    const entry = {
      a,
      b,
      ...lab.join(a.peer, b.peer, {
        watch: {
          sent: (by, message) => {
            ends.set(by, by.outbound ? a : b)
            for (const watch of own) watch.sent(by, message)
          },
          came: (to, message) => {
            ends.set(to, to.outbound ? a : b)
            for (const watch of own) watch.came(to, message)
          },
          closed: (end) => {
            for (const watch of own) watch.closed(end)
            a.links.delete(b)
            b.links.delete(a)
            const place = connected.indexOf(entry)
            if (place >= 0) connected.splice(place, 1)
          },
        },
      }),
    }
    connected.push(entry)
  }
  const come = (one: Member) => {
    one.isHere = true
    for (const other of members) {
      if (other === one || !other.isHere) continue
      if (sources.includes(one)) join(other, one)
      else join(one, other)
    }
  }
  for (const one of downloaders) {
    watches.set(one, new RequestWatch(one.peer, metainfo.sizeBytes, PIECE_BYTES, (end) => ends.get(end) === one))
    // What a client does once reputation says so.
    const { onBad } = one.peer
    one.peer.onBad = (index) => {
      onBad(index)
      for (const { subject, bad } of one.peer.judged) if (bad.length > 0) one.peer.bans.ban(subject)
      lab.time.after(0, () => one.peer.swarm.enforceBans())
    }
  }
  for (const source of sources) come(source)
  for (const [index, { at }] of leechers.entries()) {
    const one = downloaders[index]
    if (one !== undefined) lab.time.after(at, () => come(one))
  }
  const cutOne = () => {
    const chosen = connected[Math.floor(random() * connected.length)]
    if (chosen !== undefined) {
      cuts++
      chosen.cut()
      lab.time.after(200 + random() * 3_000, () => join(chosen.a, chosen.b))
    }
    lab.time.after(cutEveryMs, cutOne)
  }
  if (cutEveryMs > 0) lab.time.after(cutEveryMs, cutOne)

  const isDone = () => downloaders.every(({ peer }) => peer.completed > 0)
  while (!isDone() && lab.time.now() - startedAt < WITHIN_MS) {
    await lab.time.advance(100)
    const now = lab.time.now()
    for (const one of downloaders) {
      if (!one.isHere || one.peer.completed > 0) continue
      const count = one.peer.written.size
      const last = lastCome.get(one)
      if (last === undefined || last.count !== count) lastCome.set(one, { count, at: now })
      else starvedMs = Math.max(starvedMs, now - last.at)
    }
  }
  const tookMs = lab.time.now() - startedAt
  assert.ok(isDone(), `seed ${seed}: not complete after an hour`)
  for (const { peer } of downloaders)
    assert.equal(Buffer.compare(peer.bytes, bytes), 0, `seed ${seed}: ${peer.name} has other bytes`)
  for (const { peer } of members) {
    assert.deepEqual(peer.failed, [], `seed ${seed}: ${peer.name}`)
    assert.equal(peer.rejected, 0, `seed ${seed}: ${peer.name} was sent what nobody should send`)
  }
  const all = [...watches.values()]
  const received = downloaders.reduce((sum, { peer }) => sum + peer.swarm.status.downloadedBytes, 0)
  const names = new Map(members.map(({ peer }) => [peer.id, peer.name]))
  const blamed = new Set(
    downloaders.flatMap(({ peer }) => peer.judged.filter(({ bad }) => bad.length > 0).map(({ subject }) => subject)),
  )
  await Promise.all(members.map(({ peer }) => peer.swarm.close()))
  return {
    tookMs,
    idealMs: idealOf(story, metainfo.sizeBytes),
    starvedMs,
    waste: received / (metainfo.sizeBytes * downloaders.length) - 1,
    twice: all.flatMap(({ twice }) => twice),
    endgame: all.reduce((sum, { endgame }) => sum + endgame, 0),
    cuts,
    blamed: [...blamed].map((id) => names.get(id) ?? id),
  }
}

/**
 * Every byte leaves those who had it at first once; all that is needed leaves somebody; and who comes late has all of it from the
 * others from then on. The corrupter counts for nothing, though its good blocks help.
 */
function idealOf({ pieceCount, seeders, rare, leechers }: SwarmStory, sizeBytes: number): number {
  const sum = (rates: readonly number[]) => rates.reduce((total, rate) => total + rate, 0)
  const rarePieces = sum(rare.map(({ pieces }) => pieces))
  const first = ((pieceCount - rarePieces) * PIECE_BYTES) / sum(seeders)
  const rarest = rare.map(({ rate, pieces }) => (pieces * PIECE_BYTES) / rate)
  const everybody = sum(seeders) + sum(rare.map(({ rate }) => rate)) + sum(leechers.map(({ rate }) => rate))
  const late = leechers.map(({ rate, at }) => at / 1_000 + sizeBytes / (everybody - rate))
  return Math.max(first, ...rarest, ...late, (sizeBytes * leechers.length) / everybody) * 1_000
}
