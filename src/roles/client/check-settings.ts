import { type ClientSettings, SCHEDULE_MAX } from '../../events/index.ts'
import { ServiceError } from '../services.ts'
import { checkSchedule } from './rate-schedule.ts'

/** Of connections, slots and torrents at a time. */
export const SETTING_COUNT_MAX = 65_535

/** @throws ServiceError `usage` for what no client can hold to */
export function checkSettings(settings: ClientSettings): void {
  for (const name of ['connectionsMax', 'uploadSlots', 'downloadsMax', 'seedsMax'] as const) {
    if (settings[name] > SETTING_COUNT_MAX)
      throw new ServiceError('usage', `${name} is at most ${SETTING_COUNT_MAX}, not ${settings[name]}`)
  }
  if (settings.schedule.length > SCHEDULE_MAX)
    throw new ServiceError('usage', `a schedule has at most ${SCHEDULE_MAX} times, not ${settings.schedule.length}`)
  checkSchedule(settings.schedule)
}
