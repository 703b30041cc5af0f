import { Turns } from '../../src/projections/turns.ts'

/** Turns on a clock on which each step of the work takes 1 ms, and how many there were. */
export type CountedTurns = { newTurns(): Turns; readonly count: number }

/** @param between is what everybody else does when their turn comes */
export function countedTurns(between: () => Promise<void> = async () => {}): CountedTurns {
  let nowMs = 0
  let count = 0
  const newTurns = () =>
    new Turns({
      now: () => nowMs++,
      async yieldToEventLoop() {
        count += 1
        await between()
      },
    })
  return {
    newTurns,
    get count() {
      return count
    },
  }
}
