import { Flags } from '@oclif/core'
import type { LogPlace, LogQueries } from '../../roles/index.ts'
import { time } from '../render/units.ts'

/** `--at`: how things stood at a moment of the past. */
export const atFlag = {
  at: Flags.string({
    summary: 'As it stood at this moment: after an event, at a Lamport stamp, or at a time.',
    description:
      'A sequence of this log (120), a Lamport stamp (lamport:88), or a time (2026-11-23T09:00:00Z, or ms since 1970). What counts is what had been learnt by then, in the order in which it arrived here.',
    helpValue: 'SEQ|lamport:N|TIME',
  }),
}

/** The place that is meant, undefined for now. */
export async function placeAt(log: LogQueries, at: string | undefined): Promise<LogPlace | undefined> {
  return at === undefined ? undefined : log.place(at)
}

export const asOf = (place: LogPlace | undefined): { at?: number } => (place === undefined ? {} : { at: place.seq })

/** Stands above what is shown. */
export function placeLine(place: LogPlace): string {
  if (place.seq === 0) return 'before the first event'
  // Whatever was there by then has been pruned.
  if (place.at === null) return `as of event ${place.seq}`
  return `as of event ${place.seq} (lamport ${place.lamport}, ${time(place.at)})`
}
