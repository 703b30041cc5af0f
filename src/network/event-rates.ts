/** Counts are kept so often, and so long: long enough to be steady, short enough to show what goes on now. */
export const SAMPLE_EVERY_MS = 2_000
const SAMPLES_MAX = 6

type Sample = { readonly at: number; readonly eventsIn: number; readonly eventsOut: number }

/** Events a second over the last moments, from counters that only rise. */
export class EventRates {
  readonly #samples: Sample[] = []

  sample(at: number, eventsIn: number, eventsOut: number): void {
    this.#samples.push({ at, eventsIn, eventsOut })
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift()
  }

  /** From the oldest sample to now; 0 before there is one. */
  perSecond(at: number, eventsIn: number, eventsOut: number): { in: number; out: number } {
    const from = this.#samples[0]
    if (from === undefined || at <= from.at) return { in: 0, out: 0 }
    const seconds = (at - from.at) / 1_000
    return { in: (eventsIn - from.eventsIn) / seconds, out: (eventsOut - from.eventsOut) / seconds }
  }
}
