import { setImmediate } from 'node:timers/promises'

/** Lets everything else that waits have its turn; given to the runner so that a rebuild does not stop the node. */
export const yieldToEventLoop = (): Promise<void> => setImmediate()
