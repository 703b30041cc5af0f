import { Cron } from 'croner'
import type { ClientSettings, Rates, ScheduledRates } from '../../events/index.ts'
import { ServiceError } from '../services.ts'

// Which rates hold when: those of the pattern that matched last, and those of the client before any did.

/** @param now ms since 1970 */
export function ratesAt(settings: Rates & Pick<ClientSettings, 'schedule'>, now: number): Rates {
  let latest: { since: number; rates: Rates } | undefined
  for (const { when, ...rates } of settings.schedule) {
    const since = new Cron(when, { paused: true }).previousRuns(1, new Date(endOfSecond(now)))[0]?.getTime()
    if (since !== undefined && (latest === undefined || since >= latest.since)) latest = { since, rates }
  }
  const { downloadBytesPerSecond, uploadBytesPerSecond } = latest?.rates ?? settings
  return { downloadBytesPerSecond, uploadBytesPerSecond }
}

/** A run at the very moment that is asked for is none before it. */
const endOfSecond = (now: number): number => Math.floor(now / 1_000) * 1_000 + 999

/** @throws ServiceError `usage` for a pattern that cannot be read, or names no time */
export function checkSchedule(schedule: readonly ScheduledRates[]): void {
  for (const { when } of schedule) {
    let next: Date | null
    try {
      next = new Cron(when, { paused: true }).nextRun()
    } catch (cause) {
      const hint = "give minute, hour, day, month and weekday, as in '0 8 * * 1-5'"
      throw new ServiceError('usage', `${JSON.stringify(when)} is no time pattern (${(cause as Error).message}): ${hint}`, {
        cause,
      })
    }
    if (next === null) throw new ServiceError('usage', `${JSON.stringify(when)} names no time to come`)
  }
}
