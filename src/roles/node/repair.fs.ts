import { openStoppedDirectory } from '../../events/data-directory.fs.ts'
import { repairLog } from '../../events/repair-log.level.ts'
import type { RepairResult } from '../services.ts'
import { writeRestoredMark } from './restored.fs.ts'
import { asServiceError } from './service-errors.ts'

/**
 * Makes the damaged log of a stopped node usable again.
 * @throws ServiceError if there is no node, it runs, or the disk refuses
 */
export async function repairStopped(dataDirectory: string): Promise<RepairResult> {
  try {
    using directory = openStoppedDirectory(dataDirectory, { unfinished: true })
    const { repaired, before, after, keptIn, lost, floors } = await repairLog(dataDirectory, directory.id)
    // What this node said may be gone with the rest: its next start takes it back from its peers before it says more.
    if (Object.keys(floors).length > 0) {
      const [gossipSeq, indexSeq] = [(floors.gossip ?? 1) - 1, (floors.index ?? 1) - 1]
      writeRestoredMark(dataDirectory, { from: 'repair', at: 0, gossipSeq, indexSeq })
    }
    return {
      repaired,
      intact: after.intact,
      events: after.events,
      headDigest: after.headDigest,
      keptIn,
      damage: [...before.ranges],
      problems: [...before.problems],
      lost: lost.map(({ from, to, known, unknown }) => ({
        from,
        to,
        known: known.map(({ author, stream, authorSeq, count }) => ({
          author,
          stream,
          from: authorSeq,
          to: authorSeq + count - 1,
        })),
        unknown,
      })),
      floors,
    }
  } catch (error) {
    throw asServiceError(error)
  }
}
