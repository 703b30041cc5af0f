/**
 * The work's outcome, or the signal's reason as soon as it is aborted: a disk that hangs must not hold the caller.
 * @param late is given what comes after the abort: a file that was opened has to be closed
 */
export async function untilAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  late: (outcome: T) => unknown = () => {},
): Promise<T> {
  if (signal === undefined) return work
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal.aborted) onAbort()
    return await Promise.race([promise, work])
  } catch (error) {
    work.then(late).catch(() => {})
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
