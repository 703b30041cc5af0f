import type { NodeId, Timers } from '../../events/index.ts'

export type HedgeOptions<T> = {
  /** Answers that are wanted, of as many candidates; 1 if it is not given. */
  wanted?: number
  /** So long is waited for the others after this answer, ms; undefined: as long as for any. */
  lingerMs?(answer: T, by: NodeId): number | undefined
  /** The next candidate is asked as well when the ones before have not answered for so long, ms. */
  hedgeAfterMs: number
  /** All give up then, ms. */
  deadlineMs: number
  /** And when this is aborted: what others said elsewhere is enough. */
  enough?: AbortSignal | undefined
  timers: Timers
}

export type HedgedResult<T> = {
  /** In the order of the candidates. */
  answers: { answer: T; by: NodeId }[]
  failed: { node: NodeId; reason: string }[]
}

/**
 * Asks candidates in their order, as many at once as answers are wanted: the next one at once when one fails, or beside them
 * when they are slow. The first answers win and the others are called off. Source: Dean and Barroso, The Tail at Scale, 2013.
 * Never throws; says who failed and why.
 */
export function askHedged<T>(
  candidates: readonly NodeId[],
  ask: (node: NodeId, signal: AbortSignal) => Promise<T>,
  { wanted = 1, lingerMs, hedgeAfterMs, deadlineMs, enough, timers }: HedgeOptions<T>,
): Promise<HedgedResult<T>> {
  return new Promise((resolve) => {
    const controller = new AbortController()
    const failed: { node: NodeId; reason: string }[] = []
    const answers = new Map<NodeId, T>()
    const silent = new Set<NodeId>()
    let next = 0
    let done = false
    let cancelHedge = () => {}
    let cancelLinger = () => {}

    const finish = () => {
      if (done) return
      done = true
      cancelHedge()
      cancelLinger()
      cancelDeadline()
      enough?.removeEventListener('abort', finish)
      controller.abort()
      const inOrder = candidates.flatMap((by) => {
        const answer = answers.get(by)
        return answer === undefined ? [] : [{ answer, by }]
      })
      resolve({ answers: inOrder, failed })
    }
    const giveUp = () => {
      const reason = `no answer within ${deadlineMs} ms`
      for (const node of silent) failed.push({ node, reason })
      finish()
    }
    const finishIfNobodyIsLeft = () => {
      if (silent.size === 0 && next >= candidates.length) finish()
    }
    const answered = (node: NodeId, answer: T) => {
      if (done) return
      silent.delete(node)
      answers.set(node, answer)
      if (answers.size >= wanted) finish()
      else finishIfNobodyIsLeft()
      const waitMs = lingerMs?.(answer, node)
      if (done || waitMs === undefined) return
      cancelLinger()
      cancelLinger = timers.after(waitMs, finish)
    }
    const askNext = () => {
      cancelHedge()
      const node = candidates[next]
      if (done || node === undefined) {
        finishIfNobodyIsLeft()
        return
      }
      next += 1
      silent.add(node)
      cancelHedge = timers.after(hedgeAfterMs, askNext)
      ask(node, controller.signal).then(
        (answer) => answered(node, answer),
        (error: unknown) => {
          if (done) return
          silent.delete(node)
          failed.push({ node, reason: error instanceof Error ? error.message : String(error) })
          askNext()
        },
      )
    }

    const cancelDeadline = timers.after(deadlineMs, giveUp)
    if (enough?.aborted === true) finish()
    enough?.addEventListener('abort', finish)
    for (let count = 0; count < wanted; count++) askNext()
    // Where there are no candidates nobody was asked.
    finishIfNobodyIsLeft()
  })
}
