import type {
  ClientStatus,
  DhtStatus,
  PublishResult,
  Skipped,
  TorrentFileRow,
  TorrentPeerRow,
  TorrentRow,
} from '../../roles/index.ts'
import { printable } from './printable.ts'
import { fields, table } from './table.ts'
import { bytes, count, counted, duration, percent, rate, shortPeer } from './units.ts'

const endpoint = (at: { host: string; port: number } | null): string => (at === null ? 'none yet' : `${at.host}:${at.port}`)

export function torrentTable(rows: readonly TorrentRow[]): string {
  if (rows.length === 0) return 'no torrents'
  const problems = rows.filter((row) => row.problem !== null)
  return [
    table(rows, [
      { title: 'INFO HASH', value: (row) => row.infoHash },
      { title: 'NAME', value: (row) => row.name, widthMax: 40 },
      {
        title: 'STATE',
        value: (row) => (row.corruptPercent > 0 ? `${row.state}, corrupts ${row.corruptPercent} %` : row.state),
      },
      { title: 'DONE', value: doneText, align: 'right' },
      { title: 'SIZE', value: (row) => bytes(row.sizeBytes), align: 'right' },
      { title: 'DOWN', value: (row) => rate(row.downloadBytesPerSecond), align: 'right' },
      { title: 'UP', value: (row) => rate(row.uploadBytesPerSecond), align: 'right' },
      { title: 'PEERS', value: (row) => String(row.peers), align: 'right' },
      {
        title: 'LEFT',
        value: (row) => (row.timeLeftMs === null || row.timeLeftMs <= 0 ? '' : duration(row.timeLeftMs)),
        align: 'right',
      },
    ]),
    ...rows.filter((row) => row.unreached > 0).map((row) => `${row.infoHash}: ${unreachedText(row.unreached)}`),
    ...problems.map((row) => `${row.infoHash}: ${printable(row.problem ?? '')}`),
    ...rows.flatMap(({ infoHash, note }) => (note === undefined ? [] : `${infoHash}: ${printable(note)}`)),
  ].join('\n')
}

/** The plan of the queue. */
export function whyTable(rows: readonly TorrentRow[]): string {
  if (rows.length === 0) return 'no torrents'
  return table(rows, [
    { title: 'INFO HASH', value: (row) => row.infoHash.slice(0, 16) },
    { title: 'NAME', value: (row) => row.name, widthMax: 40 },
    { title: 'STATE', value: (row) => row.state },
    { title: 'WHY', value: (row) => row.why },
  ])
}

/** Of what is wanted. */
const doneText = ({ piecesWanted, piecesWantedVerified, pieceCount }: TorrentRow): string => {
  if (piecesWanted === 0) return pieceCount === 0 ? '0 %' : 'nothing wanted'
  return `${percent(piecesWantedVerified, piecesWanted)}${piecesWanted < pieceCount ? ' of a part' : ''}`
}

export function fileTable(rows: readonly TorrentFileRow[]): string {
  if (rows.length === 0) return 'its files are not known yet: no peer has sent the metainfo'
  return table(rows, [
    { title: 'NO', value: (row) => String(row.number), align: 'right' },
    { title: 'WANTED', value: (row) => (row.priority === 'skip' ? 'no' : row.priority === 'normal' ? 'yes' : row.priority) },
    { title: 'DONE', value: (row) => (row.sizeBytes === 0 ? '' : percent(row.verifiedBytes, row.sizeBytes)), align: 'right' },
    { title: 'SIZE', value: (row) => bytes(row.sizeBytes), align: 'right' },
    { title: 'PATH', value: (row) => row.path },
  ])
}

const unreachedText = (count: number): string =>
  `${counted(count, 'peer')} offer${count === 1 ? 's' : ''} it and cannot be reached, as both sides are behind routers; forward the TCP port of a client started with --port`

export function torrentPeerTable(rows: readonly TorrentPeerRow[]): string {
  if (rows.length === 0) return 'no torrent peers'
  return table(rows, [
    { title: 'PEER', value: (row) => shortPeer(row.peer) },
    { title: 'ADDRESS', value: (row) => `${row.host}:${row.port}` },
    { title: 'TORRENT', value: (row) => row.infoHash.slice(0, 16) },
    { title: 'HAS', value: (row) => percent(row.completion, 1), align: 'right' },
    { title: 'DOWN', value: (row) => rate(row.downloadBytesPerSecond), align: 'right' },
    { title: 'UP', value: (row) => rate(row.uploadBytesPerSecond), align: 'right' },
    { title: 'SCORE', value: (row) => String(row.score), align: 'right' },
    { title: 'STANDING', value: (row) => (row.onParole ? `${row.standing}, on parole` : row.standing) },
    { title: 'CLIENT', value: (row) => row.client, widthMax: 24 },
  ])
}

export function dhtText(dht: DhtStatus): string {
  return fields([
    ['overlay', `${endpoint(dht.hyperdht.endpoint)}, ${counted(dht.hyperdht.links, 'link')}`],
    ['bootstrap', dht.hyperdht.bootstrap.join(', ') || 'none'],
    ['torrent DHT', `UDP port ${dht.mainline.port}, ${counted(dht.mainline.nodes, 'node')} known`],
  ])
}

/** What a recheck found, and what can be done where pieces are missing. */
export function recheckText(row: TorrentRow): string {
  const missing = row.piecesWanted - row.piecesWantedVerified
  if (missing === 0) return torrentTable([row])
  return `${torrentTable([row])}\n${count(missing)} of ${counted(row.piecesWanted, 'piece')} are missing, and it is paused: \`p2pt client resume ${row.infoHash}\` downloads them over what stands there`
}

export const movedText = (row: TorrentRow): string => `${torrentTable([row])}\nits files are in ${printable(row.directory)}`

/** One line for each kind of entry that was left out. */
function skippedLines({ skipped: { hidden, links, special } }: PublishResult): [string, string][] {
  const line = (what: string, { count: all, first }: Skipped): [string, string][] => {
    const more = all > first.length ? ` and ${count(all - first.length)} more` : ''
    return all === 0 ? [] : [['left out', `${what}: ${first.map(printable).join(', ')}${more}`]]
  }
  return [
    ...line(`${counted(hidden.count, 'hidden entry', 'hidden entries')} (--hidden takes them)`, hidden),
    ...line(counted(links.count, 'symbolic link'), links),
    ...line(counted(special.count, 'pipe, socket or device', 'pipes, sockets or devices'), special),
  ]
}

export function publishText(result: PublishResult): string {
  return fields([
    ['published', `${result.title} (${bytes(result.sizeBytes)})`],
    ...(result.replaces === null ? [] : [['instead of', result.replaces] as const]),
    ...skippedLines(result),
    ['info hash', result.infoHash],
    ['magnet', result.magnet],
    ['index', heldText(result)],
    ...refusalLines(result.refused.map((row) => ({ ...row, publications: 1 }))),
  ])
}

/** A line for each reason: by how many index nodes, of so many publications at most, and what to do about it. */
function refusalLines(refused: ClientStatus['refused']): (readonly [string, string])[] {
  const reasons = new Map<string, ClientStatus['refused']>()
  for (const row of refused) reasons.set(row.reason, [...(reasons.get(row.reason) ?? []), row])
  return [...reasons].map(([reason, rows]) => {
    const most = Math.max(...rows.map(({ publications }) => publications))
    const what = most > 1 ? `up to ${count(most)} publications` : 'one publication'
    return [
      rows.every(({ code }) => code === 'below-rank') ? 'not kept' : 'refused',
      `${counted(rows.length, 'index node')} (${rows.map(({ node }) => shortPeer(node)).join(', ')}): ${what}; ${printable(reason)}`,
    ]
  })
}

/** What of this client's publications is not taken; empty where all is. */
export const refusalText = (refused: ClientStatus['refused']): string =>
  refused.length === 0 ? '' : `${fields(refusalLines(refused))}\n\n`

/** One index node may say anything: what only one of several says is not done yet. */
function heldText({ acknowledgedBy, acknowledged, partitions, partitionsHeld, pending }: PublishResult): string {
  const holders = acknowledgedBy.length
  const kept = `${counted(holders, 'index node')} hold${holders === 1 ? 's' : ''} the entry`
  if (holders === 0 && pending === 0) return 'nobody holds the entry'
  const held = acknowledged
    ? kept
    : `pending: ${kept}, and two owners do for ${partitionsHeld} of ${counted(partitions, 'keyword')}`
  return pending > 0 ? `${held}; ${counted(pending, 'index node')} to go, tried again in the background` : held
}
