import type { PublishProgress, RebuildProgress, TorrentRow } from '../../roles/index.ts'
import { printable } from './printable.ts'
import { clip } from './text-width.ts'
import { bytes, count, counted, duration, percent, rate } from './units.ts'

/** `[########............]`, `width` characters with the brackets; full only when `done` is `total`. */
export function bar(done: number, total: number, width: number): string {
  const inner = Math.max(1, width - 2)
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0
  const filled = Math.floor(inner * share)
  return `[${'#'.repeat(filled)}${'.'.repeat(inner - filled)}]`
}

/** A download in one line of at most `columns`: name, bar, pieces, rate, peers, time left. */
export function downloadLine(row: TorrentRow, columns: number): string {
  const facts = [
    `${count(row.piecesWantedVerified)}/${count(row.piecesWanted)} pieces`,
    percent(row.piecesWantedVerified, row.piecesWanted),
    rate(row.downloadBytesPerSecond),
    counted(row.peers, 'peer'),
    row.timeLeftMs === null || row.timeLeftMs <= 0 ? row.state : `${duration(row.timeLeftMs)} left`,
  ].join('  ')
  const room = columns - facts.length - 4
  const barWidth = Math.min(30, Math.max(10, Math.floor(room / 2)))
  const name = clip(printable(row.name), Math.max(8, Math.min(40, room - barWidth)))
  return clip(`${name}  ${bar(row.piecesWantedVerified, row.piecesWanted, barWidth)}  ${facts}`, columns)
}

/** A rebuild in one line: which projection, bar, events, rate, time left. */
export function rebuildLine(progress: RebuildProgress, columns: number): string {
  const { projection, done, total, eventsPerSecond, timeLeftMs } = progress
  const left = timeLeftMs === null ? '' : `  ${duration(timeLeftMs)} left`
  const facts = `${count(done)}/${count(total)} events  ${count(Math.round(eventsPerSecond))} events/s${left}`
  return clip(`${printable(projection)}  ${bar(done, total, 22)}  ${facts}`, columns)
}

/** A publication in one line: files found, bytes hashed, or what is announced. */
export function publishLine(name: string, { phase, done, total }: PublishProgress, columns: number): string {
  const what = `${phase} ${name}`
  if (total === null) return clip(`${printable(what)}  ${counted(done, 'file')}`, columns)
  return stepLine(what, done, total, columns, phase === 'hashing' ? bytes : count)
}

/** A count of steps in one line; `shown` writes a number of them. */
export function stepLine(what: string, done: number, total: number, columns: number, shown = count): string {
  return clip(`${printable(what)}  ${bar(done, total, 22)}  ${shown(done)}/${shown(total)}`, columns)
}
