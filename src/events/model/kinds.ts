import type { Draft, Stream } from './envelope.ts'
import type { EventKind } from './event.ts'
import { isNodeId } from './ids.ts'

/**
 * What a kind is stored as, where it travels, and who may say it to others. A number is never given to another kind;
 * `version` rises when the payload's shape changes. An event of a travelling kind that is nobody else's business, such as a
 * verdict about a mere address, may stand in its author's `local` stream instead; no other stream takes it. `streamOf` decides for own events.
 */
export type KindRow = {
  readonly number: number
  readonly version: number
  readonly stream: Stream
  readonly by: 'member' | 'anyone'
}

export const KINDS = {
  'node.started': { number: 1, version: 1, stream: 'local', by: 'anyone' },
  'node.stopped': { number: 2, version: 1, stream: 'local', by: 'anyone' },
  'policy.adopted': { number: 3, version: 1, stream: 'local', by: 'anyone' },
  'operator.banned': { number: 4, version: 1, stream: 'local', by: 'anyone' },
  'operator.unbanned': { number: 5, version: 1, stream: 'local', by: 'anyone' },
  'network.joined': { number: 6, version: 1, stream: 'local', by: 'anyone' },
  'node.admitted': { number: 7, version: 1, stream: 'gossip', by: 'anyone' },
  'member.alive': { number: 8, version: 1, stream: 'gossip', by: 'member' },
  'member.suspect': { number: 9, version: 1, stream: 'gossip', by: 'member' },
  'member.dead': { number: 10, version: 1, stream: 'gossip', by: 'member' },
  'member.refuted': { number: 11, version: 1, stream: 'gossip', by: 'member' },
  'member.left': { number: 12, version: 1, stream: 'gossip', by: 'member' },
  'heartbeat.rolled-up': { number: 13, version: 1, stream: 'local', by: 'anyone' },
  'piece.judged': { number: 16, version: 1, stream: 'gossip', by: 'anyone' },
  'piece.suspected': { number: 17, version: 1, stream: 'local', by: 'anyone' },
  'torrent.published': { number: 20, version: 1, stream: 'index', by: 'anyone' },
  'torrent.withdrawn': { number: 21, version: 1, stream: 'index', by: 'anyone' },
  'torrent.verified': { number: 22, version: 1, stream: 'index', by: 'anyone' },
  'owner.charged': { number: 23, version: 1, stream: 'local', by: 'anyone' },
  'download.added': { number: 24, version: 1, stream: 'local', by: 'anyone' },
  'download.described': { number: 25, version: 1, stream: 'local', by: 'anyone' },
  'download.verified': { number: 26, version: 1, stream: 'local', by: 'anyone' },
  'download.completed': { number: 27, version: 1, stream: 'local', by: 'anyone' },
  'download.paused': { number: 28, version: 1, stream: 'local', by: 'anyone' },
  'download.resumed': { number: 29, version: 1, stream: 'local', by: 'anyone' },
  'download.removed': { number: 30, version: 1, stream: 'local', by: 'anyone' },
  'event.quarantined': { number: 31, version: 1, stream: 'local', by: 'anyone' },
  'download.checked': { number: 32, version: 1, stream: 'local', by: 'anyone' },
  'download.stamped': { number: 33, version: 1, stream: 'local', by: 'anyone' },
  'download.changed': { number: 34, version: 1, stream: 'local', by: 'anyone' },
  'access.revoked': { number: 35, version: 1, stream: 'gossip', by: 'anyone' },
  'download.selected': { number: 36, version: 1, stream: 'local', by: 'anyone' },
  'download.limited': { number: 37, version: 1, stream: 'local', by: 'anyone' },
  'download.sourced': { number: 38, version: 1, stream: 'local', by: 'anyone' },
  'client.configured': { number: 39, version: 1, stream: 'local', by: 'anyone' },
  'download.transferred': { number: 40, version: 1, stream: 'local', by: 'anyone' },
  'download.moving': { number: 41, version: 1, stream: 'local', by: 'anyone' },
  'download.moved': { number: 42, version: 1, stream: 'local', by: 'anyone' },
  'download.tidied': { number: 43, version: 1, stream: 'local', by: 'anyone' },
  'offers.renewed': { number: 44, version: 1, stream: 'index', by: 'anyone' },
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

/** The stream in which an own event is appended. */
export function streamOf({ event, isPrivate = false }: Draft): Stream {
  if (isPrivate || event.kind === 'unknown') return 'local'
  // An address says nothing to others: only verdicts about proven keys travel.
  if (event.kind === 'piece.judged' && !isNodeId(event.subject)) return 'local'
  return KINDS[event.kind].stream
}

/** True if events of this kind may stand in this stream of somebody's; of a kind this version does not know, in any. */
export function belongsIn(kind: EventKind | 'unknown', stream: Stream): boolean {
  return kind === 'unknown' || stream === 'local' || KINDS[kind].stream === stream
}
