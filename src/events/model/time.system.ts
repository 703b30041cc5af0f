import type { Millis } from './ids.ts'
import type { Clock, Timers } from './time.ts'

export const systemClock: Clock = { now: () => Date.now() as Millis }

export const systemTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}
