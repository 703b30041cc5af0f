import type { ClientSettings, InfoHash, SeedGoals } from '../../events/index.ts'

// Which torrents are at work and which wait, and why: decided from what is known of all of them, at once.

export type QueueTorrent = {
  readonly infoHash: InfoHash
  readonly name: string
  /** By a person. */
  readonly isPaused: boolean
  /** It cannot go on before somebody does something. */
  readonly problem: string | undefined
  readonly isComplete: boolean
  readonly isRunning: boolean
  /** It runs, and nothing has come for a while: it keeps nobody waiting. */
  readonly isIdle: boolean
  readonly addedAt: number
  readonly completedAt: number | null
  readonly sizeBytes: number
  /** Ever. */
  readonly uploadedBytes: number
  /** Of this torrent; 0: the client's. */
  readonly goals: SeedGoals
}

export type Place = { readonly runs: boolean; readonly why: string }

export const PAUSED = 'paused: `p2pt client resume` goes on with it'
export const unlimited = (what: 'download' | 'seed'): string => `${what}s: there is no limit on how many do`

type QueueSettings = Pick<ClientSettings, 'downloadsMax' | 'seedsMax'> & SeedGoals

/** Seeds that have given so much less than another, of their size, come first; a smaller difference moves nothing. */
const RATIO_STEP = 0.25
const NAMES_SHOWN = 3

/** @param now ms since 1970 */
export function planQueue(
  torrents: readonly QueueTorrent[],
  settings: QueueSettings,
  now: number,
): ReadonlyMap<InfoHash, Place> {
  const places = new Map<InfoHash, Place>()
  const downloads: QueueTorrent[] = []
  const seeds: QueueTorrent[] = []
  for (const torrent of torrents) {
    const { infoHash, isPaused, problem, isComplete } = torrent
    const reached = isComplete ? goalReached(torrent, settings, now) : undefined
    if (isPaused) places.set(infoHash, { runs: false, why: PAUSED })
    else if (problem !== undefined) places.set(infoHash, { runs: true, why: problem })
    else if (reached !== undefined) places.set(infoHash, { runs: false, why: reached })
    else (isComplete ? seeds : downloads).push(torrent)
  }
  downloads.sort((a, b) => a.addedAt - b.addedAt || (a.infoHash < b.infoHash ? -1 : 1))
  seeds.sort(
    (a, b) => ratioStep(a) - ratioStep(b) || Number(b.isRunning) - Number(a.isRunning) || (a.infoHash < b.infoHash ? -1 : 1),
  )
  take(downloads, settings.downloadsMax, 'download', places)
  take(seeds, settings.seedsMax, 'seed', places)
  return places
}

/** The first of them run, as many as may; idle ones run besides. */
function take(torrents: readonly QueueTorrent[], most: number, what: 'download' | 'seed', places: Map<InfoHash, Place>): void {
  const working: QueueTorrent[] = []
  for (const torrent of torrents) {
    const { infoHash, isIdle } = torrent
    if (most === 0) places.set(infoHash, { runs: true, why: unlimited(what) })
    else if (isIdle && what === 'download')
      places.set(infoHash, { runs: true, why: 'downloads: nothing came for a while, so it keeps no other waiting' })
    else if (working.length < most) {
      working.push(torrent)
      places.set(infoHash, { runs: true, why: `${what}s: one of at most ${most}` })
    } else
      places.set(infoHash, { runs: false, why: `waits: ${most} ${most === 1 ? `${what}s` : what} now (${namesOf(working)})` })
  }
}

function namesOf(torrents: readonly QueueTorrent[]): string {
  const names = torrents.slice(0, NAMES_SHOWN).map(({ name }) => `"${name}"`)
  const more = torrents.length - names.length
  return more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
}

function goalReached(
  { goals, sizeBytes, uploadedBytes, completedAt }: QueueTorrent,
  settings: QueueSettings,
  now: number,
): string | undefined {
  const ratio = goals.ratioGoalPercent || settings.ratioGoalPercent
  const time = goals.seedGoalMs || settings.seedGoalMs
  if (ratio > 0 && sizeBytes > 0 && uploadedBytes * 100 >= ratio * sizeBytes)
    return `has given ${(uploadedBytes / sizeBytes).toFixed(2)} of its size, and its goal is ${ratio / 100}: \`p2pt client limit INFOHASH --ratio\` sets another`
  if (time > 0 && completedAt !== null && now - completedAt >= time)
    return 'has been shared for as long as it should be: `p2pt client limit INFOHASH --seed-time` sets another goal'
  return undefined
}

const ratioStep = ({ uploadedBytes, sizeBytes }: QueueTorrent): number =>
  Math.floor(uploadedBytes / Math.max(1, sizeBytes) / RATIO_STEP)
