import type { VerifyOptions } from '../../events/audit-log.level.ts'
import type { LevelLog } from '../../events/event-log.level.ts'
import type { NetworkId, NodeId } from '../../events/index.ts'
import { verifyLog } from '../../events/verify-log.fs.ts'
import type { LogVerdict } from '../../events/verify-log.ts'
import type { Progressive, VerifyProgress, VerifyResult } from '../services.ts'
import { asServiceError } from './service-errors.ts'
import { withProgress } from './with-progress.ts'

/** Checks a stopped node's log, file by file. */
export function verifyStopped(
  directory: string,
  { id, network }: { id: NodeId; network: NetworkId },
  options: { signatures: boolean },
): Progressive<VerifyProgress, VerifyResult> {
  return verification((rest) => verifyLog(directory, { ...rest, author: id }), network, options)
}

/** Checks a running node's log through the handle that it has open; the files themselves are LevelDB's while it writes them. */
export function verifyRunning(
  log: LevelLog,
  network: NetworkId,
  options: { signatures: boolean },
): Progressive<VerifyProgress, VerifyResult> {
  return verification((rest) => log.verify(rest), network, options)
}

function verification(
  run: (options: VerifyOptions) => Promise<LogVerdict>,
  network: NetworkId,
  { signatures }: { signatures: boolean },
): Progressive<VerifyProgress, VerifyResult> {
  return withProgress(async (report) => {
    try {
      const verdict = await run({
        ...(signatures ? { signaturesOf: network } : {}),
        onProgress: ({ events, of }) => report({ done: events, total: of }),
      })
      return { ...verdict, ranges: [...verdict.ranges], holes: [...verdict.holes], problems: [...verdict.problems] }
    } catch (error) {
      throw asServiceError(error)
    }
  })
}
