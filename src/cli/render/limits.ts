import type { ClientLimits, TorrentRow } from '../../roles/index.ts'
import { printable } from './printable.ts'
import { fields } from './table.ts'
import { count, duration, rate } from './units.ts'

const rateText = (bytesPerSecond: number): string => (bytesPerSecond === 0 ? 'no limit' : rate(bytesPerSecond))
const countText = (value: number, none: string): string => (value === 0 ? none : count(value))
const ratioText = (percent: number, none: string): string => (percent === 0 ? none : `${percent / 100} times its size`)
const timeText = (ms: number, none: string): string => (ms === 0 ? none : duration(ms))

export function limitsText({ settings, now }: ClientLimits): string {
  const { schedule } = settings
  return fields([
    ['download', rateText(settings.downloadBytesPerSecond)],
    ['upload', rateText(settings.uploadBytesPerSecond)],
    ...schedule.map((each): [string, string] => [
      `from ${printable(each.when)}`,
      `down ${rateText(each.downloadBytesPerSecond)}, up ${rateText(each.uploadBytesPerSecond)}`,
    ]),
    ...(schedule.length === 0
      ? []
      : [['now', `down ${rateText(now.downloadBytesPerSecond)}, up ${rateText(now.uploadBytesPerSecond)}`] as const]),
    ...classLines(settings),
    ['connections', countText(settings.connectionsMax, "the engine's own limit")],
    ['upload slots', countText(settings.uploadSlots, "the engine's own limit")],
    ['downloads at a time', countText(settings.downloadsMax, 'no limit')],
    ['seeds at a time', countText(settings.seedsMax, 'no limit')],
    ['seed until', ratioText(settings.ratioGoalPercent, 'no ratio')],
    ['seed for', timeText(settings.seedGoalMs, 'no time')],
  ])
}

/** Of local peers and of all others, where they have rates of their own. */
function classLines(settings: ClientLimits['settings']): [string, string][] {
  const classes: [name: string, down: number, up: number][] = [
    ['local peers', settings.localDownloadBytesPerSecond, settings.localUploadBytesPerSecond],
    ['other peers', settings.remoteDownloadBytesPerSecond, settings.remoteUploadBytesPerSecond],
  ]
  return classes.flatMap(([name, down, up]) =>
    down + up === 0 ? [] : [[name, `down ${rateText(down)}, up ${rateText(up)}`] as [string, string]],
  )
}

/** The rates that hold now, a line each and an empty one; nothing where none does. */
export function ratesText({ settings, now }: ClientLimits): string {
  const { downloadBytesPerSecond: down, uploadBytesPerSecond: up } = now
  const all: [string, string][] = down + up === 0 ? [] : [['limits', `down ${rateText(down)}, up ${rateText(up)}`]]
  const lines = [...all, ...classLines(settings)]
  return lines.length === 0 ? '' : `${fields(lines)}\n\n`
}

export function torrentLimitsText({ name, limits }: TorrentRow): string {
  return fields([
    ['torrent', printable(name)],
    ['download', rateText(limits.downloadBytesPerSecond)],
    ['upload', rateText(limits.uploadBytesPerSecond)],
    ['seed until', ratioText(limits.ratioGoalPercent, 'as the client')],
    ['seed for', timeText(limits.seedGoalMs, 'as the client')],
  ])
}
