import type { Timers } from '../../events/index.ts'
import type { NoticeBoard } from './notices.ts'

/** How soon a log that could not be written is tried again, ms; twice as long after each attempt. */
const RETRY_FIRST_MS = 1_000
const RETRY_MAX_MS = 30_000

export type CaredLog = {
  /** Why the last write failed; undefined while the log can be written. */
  readonly writeFailure: string | undefined
  /** Called when that begins, and with undefined when it is over. */
  onWriteFailure(listener: (reason: string | undefined) => void): () => void
  /** Tries again. @returns true if the log can be written */
  recover(): Promise<boolean>
}

type Parts = { readonly log: CaredLog; readonly timers: Timers; readonly notices: Pick<NoticeBoard, 'post'> }

export type LogCare = Disposable & {
  /** What the node waits for while its log takes nothing; null if it does. */
  readonly waitingFor: string | null
}

/**
 * Tells the operator when the log can no longer be written, and when it can again, each once. A node that has nothing
 * to write would never find out that there is room again, so it is tried now and then.
 */
export function careForLog({ log, timers, notices }: Parts): LogCare {
  let cancel = () => {}
  let isOver = false
  const retryAfter = (delayMs: number): void => {
    if (isOver) return
    cancel = timers.after(delayMs, () => {
      void log.recover().then((isWritable) => {
        if (!isWritable) retryAfter(Math.min(RETRY_MAX_MS, delayMs * 2))
      })
    })
  }
  const unlisten = log.onWriteFailure((reason) => {
    cancel()
    if (reason === undefined) {
      notices.post('info', 'log.recovered', 'the event log can be written again')
      return
    }
    notices.post('error', 'log.failed', `the event log cannot be written: ${reason}. Nothing is recorded until it can be`)
    retryAfter(RETRY_FIRST_MS)
  })
  return {
    get waitingFor() {
      return log.writeFailure === undefined ? null : `its log, which cannot be written: ${log.writeFailure}`
    },
    [Symbol.dispose]() {
      isOver = true
      cancel()
      unlisten()
    },
  }
}
