import { LogError, type LogView, type VerifySignature } from '../../events/index.ts'
import { verifyLog } from '../../events/verify-log.level.ts'
import type { Progressive, VerifyProgress, VerifyResult } from '../services.ts'
import { asServiceError } from './service-errors.ts'
import { withProgress } from './with-progress.ts'

/** Checks a stopped node's log, file by file. */
export function verifyStopped(
  directory: string,
  { signatures }: { signatures: boolean },
): Progressive<VerifyProgress, VerifyResult> {
  return withProgress(async (report) => {
    try {
      const verdict = await verifyLog(directory, {
        signatures,
        onProgress: ({ events, of }) => report({ done: events, total: of }),
      })
      const { intact, events, segments, headDigest, ranges, problems, signaturesChecked } = verdict
      return { intact, events, segments, headDigest, ranges: [...ranges], problems: [...problems], signaturesChecked }
    } catch (error) {
      throw asServiceError(error)
    }
  })
}

/** Reads a running node's log from its first event to its last, through the handle that the node has open. */
export function verifyRunning(
  log: LogView,
  verify: VerifySignature,
  { signatures }: { signatures: boolean },
): Progressive<VerifyProgress, VerifyResult> {
  return withProgress(async (report) => {
    const result: VerifyResult = {
      intact: true,
      events: 0,
      segments: 0,
      headDigest: '',
      signaturesChecked: 0,
      ranges: [],
      problems: [],
    }
    const head = log.head
    let next = 1
    try {
      for await (const batch of log.readBatches({ to: head })) {
        for (const { seq } of batch) {
          if (seq > next) result.ranges.push({ from: next, to: seq - 1, what: 'missing' })
          next = seq + 1
          result.events += 1
        }
        if (signatures) await checkSignatures(log, verify, batch, result)
        report({ done: next - 1, total: head })
      }
      if (next <= head) result.ranges.push({ from: next, to: head, what: 'missing' })
    } catch (error) {
      if (!(error instanceof LogError) || error.detail.code !== 'LOG_DAMAGED') throw error
      result.ranges.push(...error.detail.ranges)
    }
    result.intact = result.ranges.length === 0
    return result
  })
}

async function checkSignatures(
  log: LogView,
  verify: VerifySignature,
  batch: readonly { seq: number; author: Parameters<VerifySignature>[2] }[],
  result: VerifyResult,
): Promise<void> {
  const signed = await log.readSignedAt(batch.map(({ seq }) => seq))
  for (const [index, { seq, author }] of batch.entries()) {
    const event = signed[index]
    result.signaturesChecked += 1
    if (event === undefined || !verify(event.body, event.signature, author))
      result.ranges.push({ from: seq, to: seq, what: 'altered' })
  }
}
