import type { EventRow, LogStats, VerifyResult } from '../../roles/index.ts'
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

export function logStatsText(stats: LogStats): string {
  const head = fields([
    ['events', count(stats.events)],
    ['size', bytes(stats.bytes)],
    ['lamport', count(stats.lamport)],
    ['authors', count(stats.authors)],
    ['first', stats.firstAt === null ? 'none' : time(stats.firstAt)],
    ['last', stats.lastAt === null ? 'none' : time(stats.lastAt)],
  ])
  if (stats.byKind.length === 0) return head
  const kinds = table(stats.byKind, [
    { title: 'KIND', value: (row) => row.kind },
    { title: 'EVENTS', value: (row) => count(row.events), align: 'right' },
    { title: 'SIZE', value: (row) => bytes(row.bytes), align: 'right' },
  ])
  return `${head}\n\n${kinds}`
}

export function verifyText(result: VerifyResult): string {
  const checked = result.signaturesChecked
  const signatures = checked > 0 ? `${counted(checked, 'signature')} checked` : 'signatures not checked (--signatures does)'
  if (result.intact) {
    // A running node is read through its own handle: it has events, and no view of the segments under them.
    const segments = result.segments > 0 ? ` in ${counted(result.segments, 'segment')}` : ''
    const digest = result.headDigest === '' ? '' : `\nhead digest ${result.headDigest}`
    return `intact: ${counted(result.events, 'event')}${segments}, ${signatures}${digest}`
  }
  const ranges = result.ranges.map(({ from, to, what }) =>
    from === to ? `event ${from} ${what}` : `events ${from} to ${to} ${what}`,
  )
  const problems = result.problems.map(printable)
  return ['damaged:', ...[...ranges, ...problems].map((line) => `  ${line}`)].join('\n')
}
