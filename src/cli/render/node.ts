import type { LinkRow, MemberRow, NodeStatus, Notice } from '../../roles/index.ts'
import { printable } from './printable.ts'
import { fields, table } from './table.ts'
import { bytes, count, counted, duration, shortPeer, time } from './units.ts'

const endpoint = (at: { host: string; port: number } | null): string => (at === null ? 'none yet' : `${at.host}:${at.port}`)

/** What a person reads of a reason; a code that is new says itself. */
const heldOffWord = (why: string): string =>
  why === 'over-budget' ? 'has used up what is kept of its invitation' : `is not let in: ${why}`

/** Events a second, one decimal. */
const rate = (perSecond: number): string => perSecond.toFixed(1)

/** @param now ms since 1970, for the time it has been up */
export function nodeStatusText(status: NodeStatus, now: number): string {
  const { gossip, members, log } = status
  return fields([
    ['node', status.id],
    ['role', status.role],
    ['state', status.ready ? 'ready' : `not ready: ${status.waitingFor ?? 'starting'}`],
    ['network', networkText(status.network)],
    ['version', status.version],
    ['up for', `${duration(now - status.startedAt)}, process ${status.pid}, incarnation ${status.incarnation}`],
    ['data', status.dataDirectory],
    ['endpoint', endpoint(status.endpoint)],
    status.mainlineDht === null
      ? undefined
      : ['torrent DHT', `UDP port ${status.mainlineDht.port}, ${counted(status.mainlineDht.nodes, 'node')} known`],
    status.torrentPort === null ? undefined : ['torrents', `TCP port ${status.torrentPort}`],
    ['bootstrap', status.bootstrap.join(', ') || 'none'],
    [
      'links',
      `${status.links}: ${gossip.eager} eager, ${gossip.lazy} lazy; ${counted(gossip.backlog, 'event')} waiting to be named`,
    ],
    ['members', `${members.alive} alive, ${members.suspect} suspect, ${members.dead} dead, ${members.left} left`],
    ['log', `up to event ${count(log.head)}, lamport ${count(log.lamport)}`],
    log.damage.length === 0 ? undefined : ['damage', log.damage.join('; ')],
    [
      'gossip',
      `${count(gossip.eventsIn)} in, ${count(gossip.eventsOut)} out, ${counted(gossip.duplicates, 'duplicate')}, ` +
        `${count(gossip.rejected)} rejected, ${count(gossip.quarantined)} quarantined, ${count(gossip.heldBack)} held back`,
    ],
    ['events', `${rate(gossip.eventsInPerSecond)} in, ${rate(gossip.eventsOutPerSecond)} out a second`],
    status.heldOff.length === 0 ? undefined : ['held off', heldOffText(status.heldOff)],
    status.metrics === null ? undefined : ['metrics', `http://${status.metrics.host}:${status.metrics.port}/metrics`],
    ['projections', status.projections.map(({ name, checkpoint }) => `${name} at ${checkpoint}`).join(', ') || 'none'],
    ['memory', bytes(status.memoryBytes)],
  ])
}

/** Peers that were not let in, in one line of a status; `--json` has more. */
const HELD_OFF_SHOWN = 3
function heldOffText(rows: NodeStatus['heldOff']): string {
  const shown = rows.slice(0, HELD_OFF_SHOWN)
  const texts = shown.map(({ peer, why, times }) => `${shortPeer(peer)} ${heldOffWord(why)} (${count(times)})`)
  return [...texts, ...(rows.length > shown.length ? [`and ${rows.length - shown.length} more`] : [])].join(', ')
}

function networkText({ name, open, invitation }: NodeStatus['network']): string {
  if (invitation === null)
    return `${printable(name)}, ${open ? 'which lets clients in without an invitation' : 'without an invitation'}`
  const made = invitation.name === '' ? '' : ` made for ${printable(invitation.name)}`
  const until = invitation.expiresAt === null ? '' : `, until ${time(invitation.expiresAt)}`
  return `${printable(name)}, as a ${invitation.role} by an invitation${made}${until}`
}

export function memberTable(rows: readonly MemberRow[]): string {
  if (rows.length === 0) return 'no members known'
  return table(rows, [
    { title: 'NODE', value: (row) => (row.self ? `${shortPeer(row.id)} (self)` : shortPeer(row.id)) },
    { title: 'ROLE', value: (row) => row.role },
    { title: 'STATE', value: (row) => row.state },
    { title: 'SINCE', value: (row) => time(row.since) },
    { title: 'BY WORD OF', value: (row) => (row.byWord === row.id ? 'itself' : shortPeer(row.byWord)) },
    { title: 'ADDRESS', value: (row) => `${row.host}:${row.port}` },
    {
      title: 'ROUND TRIP',
      value: (row) => (row.roundTripMs === null ? '' : `${row.roundTripMs.toFixed(1)} ms`),
      align: 'right',
    },
  ])
}

/** One change, as `node liveness --watch` prints it. */
export const memberLine = (row: MemberRow): string =>
  `${time(row.since)}  ${shortPeer(row.id)} (${row.role}) ${row.state}, incarnation ${row.incarnation}, ` +
  `by word of ${row.byWord === row.id ? 'itself' : shortPeer(row.byWord)}`

export function linkTable(rows: readonly LinkRow[]): string {
  if (rows.length === 0) return 'no overlay links'
  return table(rows, [
    { title: 'NODE', value: (row) => shortPeer(row.peer) },
    { title: 'ROLE', value: (row) => row.role ?? '?' },
    { title: 'ADDRESS', value: (row) => `${row.host}:${row.port}` },
    { title: 'SINCE', value: (row) => time(row.since) },
    {
      title: 'ROUND TRIP',
      value: (row) => (row.roundTripMs === null ? '' : `${row.roundTripMs.toFixed(1)} ms`),
      align: 'right',
    },
    { title: 'IN', value: (row) => count(row.messagesIn), align: 'right' },
    { title: 'OUT', value: (row) => count(row.messagesOut), align: 'right' },
    { title: 'VIEW', value: (row) => row.view },
    { title: 'SCORE', value: (row) => String(row.score), align: 'right' },
    { title: 'STANDING', value: (row) => row.standing },
  ])
}

export const noticeLine = (notice: Notice): string =>
  `${time(notice.at)}  ${notice.level === 'info' ? '' : `${notice.level}: `}${printable(notice.text)}`
