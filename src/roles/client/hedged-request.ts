import type { NodeId, Timers } from '../../events/index.ts'

export type HedgeOptions = {
  /** The next candidate is asked as well when the ones before have not answered for so long, ms. */
  hedgeAfterMs: number
  /** All give up then, ms. */
  deadlineMs: number
  timers: Timers
}

export type HedgedAnswer<T> = { answer: T; by: NodeId } | undefined
export type HedgedResult<T> = { result: HedgedAnswer<T>; failed: { node: NodeId; reason: string }[] }

/**
 * Asks candidates in their order until one answers: the next one at once when one fails, or beside it when it is slow.
 * The first answer wins and the others are called off. Source: Dean and Barroso, The Tail at Scale, 2013.
 * Never throws; says who failed and why.
 */
export function askHedged<T>(
  candidates: readonly NodeId[],
  ask: (node: NodeId, signal: AbortSignal) => Promise<T>,
  { hedgeAfterMs, deadlineMs, timers }: HedgeOptions,
): Promise<HedgedResult<T>> {
  return new Promise((resolve) => {
    const controller = new AbortController()
    const failed: { node: NodeId; reason: string }[] = []
    const silent = new Set<NodeId>()
    let next = 0
    let done = false
    let cancelHedge = () => {}

    const finish = (result: HedgedAnswer<T>) => {
      if (done) return
      done = true
      cancelHedge()
      cancelDeadline()
      controller.abort()
      resolve({ result, failed })
    }
    const giveUp = () => {
      const reason = `no answer within ${deadlineMs} ms`
      for (const node of silent) failed.push({ node, reason })
      finish(undefined)
    }
    const askNext = () => {
      cancelHedge()
      const node = candidates[next]
      if (done || node === undefined) {
        if (silent.size === 0) finish(undefined)
        return
      }
      next += 1
      silent.add(node)
      cancelHedge = timers.after(hedgeAfterMs, askNext)
      ask(node, controller.signal).then(
        (answer) => finish({ answer, by: node }),
        (error: unknown) => {
          if (done) return
          silent.delete(node)
          failed.push({ node, reason: error instanceof Error ? error.message : String(error) })
          askNext()
        },
      )
    }

    const cancelDeadline = timers.after(deadlineMs, giveUp)
    askNext()
  })
}
