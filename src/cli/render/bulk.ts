import type { BulkProgress } from '../../roles/index.ts'
import type { BulkCounts, BulkResult } from '../services/bulk-publish.ts'
import { printable } from './printable.ts'
import { bar } from './progress-bar.ts'
import { clip } from './text-width.ts'
import { bytes, count, counted, duration } from './units.ts'

/** A rate is that of the last so many ms: what was passed over at first says nothing of what is to come. */
const PACE_MS = 10_000

/** How many a second, over the last ten seconds. */
export class Pace {
  readonly #now: () => number
  #looks: { at: number; done: number }[]

  /** @param now ms */
  constructor(now: () => number) {
    this.#now = now
    this.#looks = [{ at: now(), done: 0 }]
  }

  after(done: number): number {
    const at = this.#now()
    this.#looks.push({ at, done })
    // The last one before the time stays: the rate is over all of it.
    while ((this.#looks[1]?.at ?? at) <= at - PACE_MS) this.#looks.shift()
    const first = this.#looks[0] ?? { at, done }
    return at === first.at ? 0 : ((done - first.done) * 1_000) / (at - first.at)
  }
}

/** Many publications in one line. @param total null where it is not known */
export function bulkLine({ done, bytes: hashed }: BulkProgress, total: number | null, rate: number, columns: number): string {
  const left = total === null || rate === 0 ? [] : [`${duration(((total - done) / rate) * 1_000)} left`]
  const facts = [`${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))}/s`, ...left, `${bytes(hashed)} hashed`].join('  ')
  const how = total === null ? count(done) : `${bar(done, total, 22)}  ${count(done)}/${count(total)}`
  return clip(`publishing  ${how}  ${facts}`, columns)
}

export function failureText({ line, path, ...result }: BulkResult): string {
  const where = [...(line === undefined ? [] : [`line ${line}`]), ...(path === null ? [] : [printable(path)])].join(', ')
  return `${where}: ${result.outcome === 'failed' ? printable(result.reason) : result.outcome}`
}

export function bulkText({ published, acknowledged, refused, unchanged, failed }: BulkCounts): string {
  const pending = published - acknowledged - refused
  const held = pending === 0 ? '' : `, of which ${count(pending)} wait for index nodes and are told in the background`
  return [
    `published ${counted(published, 'torrent')}${held}`,
    ...(refused > 0 ? [`not taken by index nodes: ${count(refused)}; \`p2pt client status\` says why`] : []),
    ...(unchanged > 0
      ? [`passed over ${count(unchanged)} that ${unchanged === 1 ? 'is' : 'are'} published and unchanged`]
      : []),
    ...(failed > 0 ? [`failed: ${count(failed)}`] : []),
  ].join('\n')
}

/** What a folder holds and nobody publishes. */
export const leftOutTexts = ({ hidden, links, special }: { hidden: number; links: number; special: number }): string[] => [
  ...(hidden > 0 ? [`left out ${counted(hidden, 'hidden entry', 'hidden entries')} (--hidden takes them)`] : []),
  ...(links > 0 ? [`left out ${counted(links, 'symbolic link')}`] : []),
  ...(special > 0 ? [`left out ${counted(special, 'pipe, socket or device', 'pipes, sockets or devices')}`] : []),
]

/** It was interrupted. */
export const stoppedText = ({ published, unchanged, failed }: BulkCounts): string =>
  `stopped: ${count(published)} published, ${count(unchanged)} unchanged, ${count(failed)} failed. The same command goes on: what is published is passed over`
