import { setImmediate } from 'node:timers/promises'
import { Turns } from './turns.ts'

/** Resolves when everything else that waits has had its turn. */
export const yieldToEventLoop = (): Promise<void> => setImmediate()

/** Turns of a walk that begins now. */
export const newTurns = (): Turns => new Turns({ now: () => performance.now(), yieldToEventLoop })
