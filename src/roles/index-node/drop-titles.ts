import { type Budgets, type InfoHash, KINDS, type LogView, type PrunableLog } from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import type { ProjectionRunner } from '../../projections/index.ts'

const TORRENT_KINDS = ['torrent.published', 'torrent.verified', 'torrent.withdrawn'] as const

export type DropTitlesParts = {
  readonly log: Pick<LogView, 'author' | 'head'> & Pick<PrunableLog, 'prune'>
  readonly states: Pick<ProjectionRunner<ProjectionStates>, 'state' | 'forget' | 'rebuild'>
  readonly budgets: Pick<Budgets, 'recount'>
}

/**
 * Takes out all that others said of these torrents: from the log, then from the index and from what counts against budgets. Every replay
 * is from then on one of a log that never had it. Cut off in between, the index lists what the log no longer has, and the next round
 * lets go of it again.
 * @returns how many events went
 */
export async function dropTitles(torrents: ReadonlySet<InfoHash>, { log, states, budgets }: DropTitlesParts): Promise<number> {
  const { events } = await log.prune({
    ...{ to: log.head, kinds: TORRENT_KINDS, throughEnd: true },
    drop: ({ author, stream, event }) => {
      if (stream !== KINDS['torrent.published'].stream || author === log.author) return false
      return 'infoHash' in event && torrents.has(event.infoHash as InfoHash)
    },
  })
  await states.forget('keyword-index', torrents)
  if (events > 0) {
    await states.rebuild('kept')
    // In the same turn as the state: nothing that comes is counted in one and not in the other.
    budgets.recount(states.state('kept').authors)
  }
  return events
}
