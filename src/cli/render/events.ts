import type { EventRow, LogStats, RepairResult, VerifyResult } from '../../roles/index.ts'
import { printable } from './printable.ts'
import { fields, table } from './table.ts'
import { bytes, count, counted, shortPeer, time } from './units.ts'

/** Longest value of one field in an event's line; the whole is in `--json`. */
const VALUE_LENGTH_MAX = 64

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const whole = printable(text ?? '')
  return whole.length > VALUE_LENGTH_MAX ? `${whole.slice(0, VALUE_LENGTH_MAX - 1)}…` : whole
}

/** An event in one line: place, stamp, time, author, kind, and its fields. */
export function eventLine(row: EventRow): string {
  const facts = Object.entries(row.event)
    .filter(([name]) => name !== 'kind')
    .map(([name, value]) => `${printable(name)}=${shown(value)}`)
  const head = `${String(row.seq).padStart(6)}  ${String(row.lamport).padStart(6)}  ${time(row.at)}  ${shortPeer(row.author)}`
  return `${head}  ${printable(row.kind)}${facts.length === 0 ? '' : `  ${facts.join(' ')}`}`
}

/** Places that hold no event any more, in a line among those of events. */
export function goneLine({ from, to }: { readonly from: number; readonly to: number }): string {
  const [places, are] = from === to ? [`event ${from}`, 'is'] : [`events ${from} to ${to}`, 'are']
  return `        ${places} ${are} not there any more (\`p2pt log verify\` tells pruned from lost)`
}

export function logStatsText(stats: LogStats): string {
  const { growthPerDay: growth, read } = stats
  const grown = growth === null || growth.bytes === null ? '' : ` (${bytes(growth.bytes)})`
  const head = fields([
    ['events', count(stats.events)],
    ['size', `${read === null ? '' : `${bytes(read.bytes)}, `}${bytes(stats.bytesOnDisk)} on the disk`],
    ...(stats.gone > 0 ? [['let go', counted(stats.gone, 'event')] as const] : []),
    ...(growth === null ? [] : [['growth', `${counted(growth.events, 'event')}${grown} a day`] as const]),
    ['lamport', count(stats.lamport)],
    ['authors', count(stats.authors)],
    ...(stats.sinceAt === null ? [] : [['since', time(stats.sinceAt)] as const]),
    ...(read === null
      ? []
      : [
          ['first', read.firstAt === null ? 'none' : time(read.firstAt)] as const,
          ['last', read.lastAt === null ? 'none' : time(read.lastAt)] as const,
        ]),
  ])
  if (read === null || read.byKind.length === 0) return head
  const kinds = table(read.byKind, [
    { title: 'KIND', value: (row) => row.kind },
    { title: 'EVENTS', value: (row) => count(row.events), align: 'right' },
    { title: 'SIZE', value: (row) => bytes(row.bytes), align: 'right' },
  ])
  return `${head}\n\n${kinds}`
}

const placesText = (from: number, to: number): string => (from === to ? `event ${from}` : `events ${from} to ${to}`)

/** Lines about whose events are gone, at most. */
const LOST_SHOWN_MAX = 20

export function repairText(result: RepairResult): string {
  if (!result.repaired) return `nothing to repair: the log is intact, with ${counted(result.events, 'event')}`
  const lost = result.lost.flatMap(({ from, to, known, unknown }) => [
    `  ${placesText(from, to)} gone${unknown === 0 ? '' : `, of ${count(unknown)} of them nothing is known`}`,
    ...known
      .slice(0, LOST_SHOWN_MAX)
      .map((span) => `    ${shortPeer(span.author)} ${span.stream} ${span.from}${span.to > span.from ? ` to ${span.to}` : ''}`),
    ...(known.length > LOST_SHOWN_MAX
      ? [`    and ${counted(known.length - LOST_SHOWN_MAX, 'more run')} (--json has all)`]
      : []),
  ])
  const floors = Object.entries(result.floors).map(([stream, next]) => `${stream} from ${count(next)}`)
  return [
    `repaired: the log is usable, with ${counted(result.events, 'event')}`,
    ...(lost.length === 0 ? ['  no event is gone'] : lost),
    ...(floors.length === 0 ? [] : [`own events go on in ${floors.join(', ')}: lower numbers may have been used`]),
    `the damaged files are in ${result.keptIn}`,
    ...(lost.length === 0 ? [] : ['start the node: what it gossiped or published, and what others did, it asks its peers for']),
    ...(mayHoldPrivate(result) ? [LOST_PRIVATE] : []),
  ].join('\n')
}

/** What a node keeps to itself nobody can give back. */
const LOST_PRIVATE =
  'what it kept to itself (`local`) nobody has: its list of torrents may be shorter now; add or publish again what `client status` does not show'

const mayHoldPrivate = ({ lost }: RepairResult): boolean =>
  lost.some(({ known, unknown }) => unknown > 0 || known.some(({ stream }) => stream === 'local'))

export function verifyText(result: VerifyResult): string {
  const checked = result.signaturesChecked
  const signatures = checked > 0 ? `${counted(checked, 'signature')} checked` : 'signatures not checked (--signatures does)'
  if (result.intact) {
    // A running node is read through its own handle: it has events, and no view of the segments under them.
    const segments = result.segments > 0 ? ` in ${counted(result.segments, 'segment')}` : ''
    const digest = result.headDigest === '' ? '' : `\nhead digest ${result.headDigest}`
    const holes = result.holes.map(({ from, to, what }) => `\n  ${placesText(from, to)} ${what}, as the log knows`)
    const pruned = result.pruned > 0 ? `, ${counted(result.pruned, 'event')} pruned` : ''
    return `intact: ${counted(result.events, 'event')}${segments}${pruned}, ${signatures}${digest}${holes.join('')}`
  }
  const ranges = result.ranges.map(({ from, to, what }) => `${placesText(from, to)} ${what}`)
  const problems = result.problems.map(printable)
  const advice = 'stop the node and run `p2pt log repair`: it keeps the damaged files and saves every event that is still whole'
  const lines = [...ranges, ...problems].map((line) => `  ${line}`)
  // What is wrong beside the log no repair of it mends.
  return ranges.length > 0 ? ['damaged:', ...lines, advice].join('\n') : ['not to be used as it is:', ...lines].join('\n')
}
