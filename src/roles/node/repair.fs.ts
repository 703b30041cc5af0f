import { type LogRepair, repairLog } from '../../events/damage/repair-log.level.ts'
import type { NetworkId, NodeId } from '../../events/index.ts'
import type { Floors } from '../../events/log/log-state.ts'
import { openStoppedDirectory } from '../directory/data-directory.fs.ts'
import type { RepairResult } from '../services.ts'
import { writeRestoredMark } from './restored.fs.ts'
import { asServiceError } from './service-errors.ts'

/**
 * Makes a damaged log usable again, whose directory the caller has locked.
 * @throws LogError as `repairLog`
 */
export function repairHeld({
  directory,
  id,
  network,
}: {
  directory: string
  id: NodeId
  network: NetworkId
}): Promise<LogRepair> {
  // What this node said may be gone with the rest: its next start takes it back from its peers before it says more.
  // Marked before the repaired log is in place, so that a crash in between leaves none without the mark.
  const markRestored = (floors: Floors): void => {
    if (Object.keys(floors).length === 0) return
    const [gossipSeq, indexSeq] = [(floors.gossip ?? 1) - 1, (floors.index ?? 1) - 1]
    writeRestoredMark(directory, { from: 'repair', at: 0, gossipSeq, indexSeq })
  }
  return repairLog(directory, { author: id, network }, markRestored)
}

/**
 * Makes the damaged log of a stopped node usable again.
 * @throws ServiceError if there is no node, it runs, or the disk refuses
 */
export async function repairStopped(dataDirectory: string): Promise<RepairResult> {
  try {
    using directory = openStoppedDirectory(dataDirectory, { unfinished: true })
    const { repaired, before, after, keptIn, lost, floors } = await repairHeld({ ...directory, directory: dataDirectory })
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
