/** Exit code of a process that a signal ended, as shells have it: 128 and the signal's number (SIGINT is 2). */
const EXIT_INTERRUPTED = 130

/** A process that has not ended so long after it was asked never will, ms: its log is safe, it is built for kill -9. */
const LAST_RESORT_MS = 5000

export type StopSignals = {
  readonly signal: AbortSignal
  /** Resolves when the operator asked for the end. */
  readonly asked: Promise<void>
  ask(): void
  dispose(): void
}

/** SIGTERM, SIGINT and SIGHUP ask for a clean end; a second SIGINT ends the process at once. */
export function stopSignals(): StopSignals {
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<void>()
  let last: NodeJS.Timeout | undefined
  const ask = () => {
    resolve()
    controller.abort()
    // Not `process.exit`: that waits for a thread that is stuck in the file system.
    last ??= setTimeout(() => process.kill(process.pid, 'SIGKILL'), LAST_RESORT_MS).unref()
  }
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED)
    ask()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', ask)
  process.on('SIGHUP', ask)
  return {
    signal: controller.signal,
    asked: promise,
    ask,
    dispose() {
      clearTimeout(last)
      process.off('SIGINT', interrupt)
      process.off('SIGTERM', ask)
      process.off('SIGHUP', ask)
    },
  }
}
