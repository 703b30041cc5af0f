import {
  ANSWER_BYTES_MAX,
  type Announcement,
  announceUrl,
  readHttpAnswer,
  type TrackerAnswer,
  TrackerError,
} from './tracker-messages.ts'

/** A tracker that does not answer in this time is one that failed, ms. */
const ANSWER_MS = 20_000

/**
 * One announcement over HTTP (BEP 3).
 * @throws TrackerError; the signal's reason
 */
export async function announceHttp(tracker: string, announcement: Announcement, signal: AbortSignal): Promise<TrackerAnswer> {
  const url = announceUrl(tracker, announcement)
  const late = AbortSignal.timeout(ANSWER_MS)
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, late]),
      headers: { 'user-agent': 'p2pt', accept: '*/*' },
      // A tracker that sends its clients elsewhere could send them to a service of their own machine.
      redirect: 'error',
    })
    const body = await bodyOf(response)
    if (!response.ok) throw new TrackerError(`it answers with status ${response.status}`)
    return readHttpAnswer(body)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TrackerError) throw error
    if (late.aborted) throw new TrackerError(`it does not answer within ${ANSWER_MS / 1_000} s`)
    const { cause } = error as { cause?: { code?: unknown; message?: unknown } }
    throw new TrackerError(`it cannot be reached: ${cause?.code ?? cause?.message ?? (error as Error).message}`)
  }
}

async function bodyOf(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new TrackerError(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
