/** What is known of a peer when slots are handed out. */
export type ChokerPeer<K> = {
  readonly key: K
  readonly isInterested: boolean
  readonly isUnchoked: boolean
  /** It owes blocks and sends none. */
  readonly isSnubbed: boolean
  /** When it came, or lost its slot, ms. */
  readonly waitsSince: number
  readonly receivedPerSecond: number
  readonly sentPerSecond: number
}

export type ChokerOptions = {
  readonly slots: number
  readonly isSeeding: boolean
  /** Slots move on: chance gives its slot to another, and a seeder serves others. Not each time that somebody comes or goes. */
  readonly isTurn: boolean
  /** 0 to 1. */
  random(): number
}

/**
 * Whom to serve: tit for tat while downloading (who gives most gets a slot), and in turns while seeding; one slot more, by chance,
 * so that a newcomer can show what it gives (BEP 3). Where there are slots for all that are interested, all have one.
 */
export function planUnchoked<K>(peers: readonly ChokerPeer<K>[], options: ChokerOptions): ReadonlySet<K> {
  const { slots, isSeeding, isTurn, random } = options
  const interested = peers.filter(({ isInterested }) => isInterested)
  if (interested.length <= slots) return new Set(interested.map(({ key }) => key))
  const ranked = isSeeding ? inTurns(interested, isTurn) : byGifts(interested)
  const unchoked = ranked.slice(0, slots)
  const rest = ranked.slice(slots)
  const kept = isTurn ? undefined : rest.find(({ isUnchoked }) => isUnchoked)
  const optimistic = kept ?? rest[Math.floor(random() * rest.length)]
  return new Set([...unchoked, ...(optimistic === undefined ? [] : [optimistic])].map(({ key }) => key))
}

/** Who gives most first; who owes us something, last. */
const byGifts = <K>(peers: readonly ChokerPeer<K>[]): ChokerPeer<K>[] =>
  peers.toSorted(
    (a, b) =>
      Number(a.isSnubbed) - Number(b.isSnubbed) ||
      b.receivedPerSecond - a.receivedPerSecond ||
      Number(b.isUnchoked) - Number(a.isUnchoked) ||
      a.waitsSince - b.waitsSince,
  )

/** Those that have a slot keep it, the fastest first, until the turn changes: then those that have waited longest come first. */
const inTurns = <K>(peers: readonly ChokerPeer<K>[], isTurn: boolean): ChokerPeer<K>[] =>
  peers.toSorted(
    (a, b) =>
      (isTurn ? 1 : -1) * (Number(a.isUnchoked) - Number(b.isUnchoked)) ||
      (a.isUnchoked ? b.sentPerSecond - a.sentPerSecond : a.waitsSince - b.waitsSince),
  )
