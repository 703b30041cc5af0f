import type { EventKind } from './event.ts'

/** What a kind is stored as. A number is never given to another kind; `version` rises when the payload's shape changes. */
export type KindRow = { readonly number: number; readonly version: number }

export const KINDS = {
  'node.started': { number: 1, version: 1 },
  'node.stopped': { number: 2, version: 1 },
  'policy.adopted': { number: 3, version: 1 },
  'operator.banned': { number: 4, version: 1 },
  'operator.unbanned': { number: 5, version: 1 },
  'member.alive': { number: 8, version: 1 },
  'member.suspect': { number: 9, version: 1 },
  'member.dead': { number: 10, version: 1 },
  'member.refuted': { number: 11, version: 1 },
  'member.left': { number: 12, version: 1 },
  'heartbeat.rolled-up': { number: 13, version: 1 },
  'piece.judged': { number: 16, version: 1 },
  'piece.suspected': { number: 17, version: 1 },
  'torrent.published': { number: 20, version: 1 },
  'torrent.withdrawn': { number: 21, version: 1 },
  'torrent.verified': { number: 22, version: 1 },
  'download.added': { number: 24, version: 2 },
  'download.described': { number: 25, version: 1 },
  'download.verified': { number: 26, version: 1 },
  'download.completed': { number: 27, version: 1 },
  'download.paused': { number: 28, version: 1 },
  'download.resumed': { number: 29, version: 1 },
  'download.removed': { number: 30, version: 1 },
  'event.quarantined': { number: 31, version: 1 },
  'download.checked': { number: 32, version: 1 },
  'download.stamped': { number: 33, version: 1 },
  'download.changed': { number: 34, version: 1 },
} as const satisfies Record<EventKind, KindRow>

const BY_NUMBER = new Map<number, EventKind>(
  (Object.entries(KINDS) as [EventKind, KindRow][]).map(([kind, row]) => [row.number, kind]),
)

const VERSIONS: number[] = []
for (const { number, version } of Object.values(KINDS)) VERSIONS[number] = version

/** True if events of this kind are written in this version now; false for a kind this version does not know. */
export const isPresentVersion = (number: number, version: number): boolean => VERSIONS[number] === version

/** The kind of a stored number, or undefined for one this version does not know. */
export function kindOfNumber(number: number): EventKind | undefined {
  return BY_NUMBER.get(number)
}

/** All known kinds, in the order of their numbers. */
export const ALL_KINDS: readonly EventKind[] = [...BY_NUMBER.values()]
