/** How often progress is told, ms. */
const PROGRESS_MS = 200

/**
 * Work that reports by callback, as a progressive call: yields what was reported last, five times a second, and returns
 * what the work gives. Closing it early aborts the work's signal.
 */
export async function* withProgress<P, R>(
  run: (report: (progress: P) => void, signal: AbortSignal) => Promise<R>,
): AsyncGenerator<P, R, void> {
  const stop = new AbortController()
  let latest: { progress: P } | undefined
  let finished = false
  let wake = () => {}
  const work = run((progress) => {
    latest = { progress }
  }, stop.signal).finally(() => {
    finished = true
    wake()
  })
  // Its failure is thrown where it is awaited below, not before.
  work.catch(() => {})
  try {
    while (!finished) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, PROGRESS_MS)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      if (latest !== undefined) yield latest.progress
      latest = undefined
    }
    return await work
  } finally {
    if (!finished) stop.abort()
  }
}
