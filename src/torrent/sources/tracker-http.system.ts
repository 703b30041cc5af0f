import type { IncomingMessage } from 'node:http'
import { gunzipSync } from 'node:zlib'
import {
  ANSWER_BYTES_MAX,
  type Announcement,
  announceUrl,
  readHttpAnswer,
  type TrackerAnswer,
  TrackerError,
} from './tracker-messages.ts'
import { openRequest } from './web-request.system.ts'

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
    const response = await openRequest(url, {
      headers: { 'user-agent': 'p2pt', accept: '*/*', 'accept-encoding': 'gzip' },
      // What is on this machine is a tracker's only there, whatever name leads to it.
      from: new URL(tracker).pathname.startsWith('/announce') ? 'machine' : 'site',
      follows: false,
      signal: AbortSignal.any([signal, late]),
    })
    const body = await bodyOf(response)
    const status = response.statusCode ?? 0
    if (status >= 300 && status < 400) throw new TrackerError('it sends its clients elsewhere, which this one does not follow')
    if (status !== 200) throw new TrackerError(`it answers with status ${status}`)
    return readHttpAnswer(body)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TrackerError) throw error
    if (late.aborted) throw new TrackerError(`it does not answer within ${ANSWER_MS / 1_000} s`)
    const { code, message } = error as Error & { code?: string }
    throw new TrackerError(code === undefined ? message : `it breaks off: ${code}`)
  }
}

async function bodyOf(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop ends the connection.
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new TrackerError(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  const body = Buffer.concat(chunks)
  if (response.headers['content-encoding'] !== 'gzip') return body
  try {
    return gunzipSync(body, { maxOutputLength: ANSWER_BYTES_MAX })
  } catch {
    throw new TrackerError(`its answer cannot be unpacked, or is longer than ${ANSWER_BYTES_MAX} bytes`)
  }
}
