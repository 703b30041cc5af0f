import type { VerifyOptions } from '../../events/damage/audit-log.level.ts'
import { verifyLog } from '../../events/damage/verify-log.fs.ts'
import type { LogVerdict } from '../../events/damage/verify-log.ts'
import type { NetworkId, NodeId } from '../../events/index.ts'
import type { LevelLog } from '../../events/log/event-log.level.ts'
import { DataDirectoryError } from '../directory/data-directory-error.ts'
import { keyHolder } from '../directory/key-file.fs.ts'
import type { Progressive, VerifyProgress, VerifyResult } from '../services.ts'
import { asServiceError } from './service-errors.ts'
import { withProgress } from './with-progress.ts'

/** Checks a stopped node's log, file by file, and that the key beside it is its own. */
export function verifyStopped(
  directory: string,
  { id, network }: { id: NodeId; network: NetworkId },
  options: { signatures: boolean },
): Progressive<VerifyProgress, VerifyResult> {
  return verification(
    async (rest) => {
      const verdict = await verifyLog(directory, { ...rest, author: id })
      const foreign = foreignKey(directory, id)
      return foreign === undefined ? verdict : { ...verdict, intact: false, problems: [...verdict.problems, foreign] }
    },
    network,
    options,
  )
}

/** What is wrong with a key that is not the one of the log's author; undefined where nothing is, or nothing can be told. */
function foreignKey(directory: string, author: NodeId): string | undefined {
  try {
    const key = keyHolder(directory)
    if (key === undefined || key === author) return undefined
    return `the log is of node ${author}, and key.seed beside it is the key of node ${key}: put back the key of the log's own node, as from a backup`
  } catch (error) {
    // That it may not be read says nothing of the log, which may be.
    if (error instanceof DataDirectoryError && error.cause === undefined) return error.message
    return undefined
  }
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
