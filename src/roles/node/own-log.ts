import type { LogRepair } from '../../events/damage/repair-log.level.ts'
import { finishEarlierRepair } from '../../events/damage/repaired-log.level.ts'
import { type DamagedRange, LogError, type NetworkId } from '../../events/index.ts'
import { type LevelLog, type LevelLogOptions, openLevelLog } from '../../events/log/event-log.level.ts'
import type { NoticeBoard } from './notices.ts'
import { repairHeld } from './repair.fs.ts'

/**
 * Opens the log of a node that starts. One whose tables are damaged is repaired first: everything whole is kept, the
 * damaged files too, and the node goes on and asks its peers for what is gone.
 * @throws LogError as `openLevelLog`, for any other damage
 */
export async function openOwnLog(
  options: LevelLogOptions,
  network: NetworkId,
  notices: Pick<NoticeBoard, 'post'>,
): Promise<LevelLog> {
  const tell = (repair: Mended): void => notices.post('warning', 'log.mended', mendedText(repair))
  // One that was killed in its last steps has left the log in no place at which it could be opened.
  const finished = await finishEarlierRepair(options.directory)
  if (finished !== undefined) tell({ ...finished, ranges: finished.before.ranges })
  try {
    return await openLevelLog(options)
  } catch (error) {
    const detail = error instanceof LogError ? error.detail : undefined
    if (detail?.code !== 'LOG_DAMAGED' || detail.isInTables !== true) throw error
    const repair = await repairHeld({ directory: options.directory, id: options.signer.id, network })
    tell({ ...repair, ranges: detail.ranges })
    return await openLevelLog(options)
  }
}

type Mended = Pick<LogRepair, 'lost' | 'keptIn'> & { readonly ranges: readonly DamagedRange[] }

function mendedText({ lost, keptIn, ranges }: Mended): string {
  const places = ranges.map(({ from, to }) => (from === to ? `event ${from}` : `events ${from} to ${to}`))
  const gone = lost.reduce((sum, { from, to }) => sum + to - from + 1, 0)
  const outcome = gone === 0 ? 'nothing is lost' : `${gone} events are gone, and peers are asked for them`
  return `the log was damaged (${places.join(', ')}) and has been repaired: ${outcome}; the damaged files are in ${keptIn}`
}
