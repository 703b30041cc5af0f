import { ALL_KINDS, type Budgets, type Clock, KINDS, type LogView, type NodeId, type PrunableLog } from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import { longRevoked, mentionsAny, type ProjectionRunner } from '../../projections/index.ts'
import type { NoticeBoard } from './notices.ts'

// What revoked authors published is let go of a day after the owner's word: from the log, from the index in memory, and from
// what counts against budgets. Verdicts stay, since bans name those that made them. See docs/adr/0011-retention.md.

const INDEX_KINDS = ALL_KINDS.filter((kind) => KINDS[kind].stream === 'index')

export type EvictionParts = {
  readonly log: Pick<LogView, 'author' | 'head' | 'readSigned'> & Pick<PrunableLog, 'prune'>
  readonly states: Pick<ProjectionRunner<ProjectionStates>, 'state' | 'forget' | 'rebuild'>
  readonly budgets: Pick<Budgets, 'recount'>
  readonly clock: Clock
  readonly notices: Pick<NoticeBoard, 'post'>
  /** False also for one that has shown another invitation on a link, which no event tells of yet. */
  isRevoked(author: NodeId): boolean
}

/**
 * Takes out what authors published that have been revoked for a day. What a crash or a stop cut off is ended by the next
 * call: it looks at the states, and not only at the log.
 * @returns how many events went
 */
export async function evictRevoked(parts: EvictionParts, signal?: AbortSignal): Promise<number> {
  const { log, states, clock, notices } = parts
  const authors = new Set<NodeId>()
  for (const author of longRevoked(states.state('admissions'), log.author, clock.now()))
    if (parts.isRevoked(author)) authors.add(author)
  if (authors.size === 0) return 0
  let evicted = 0
  if (await holdsAnyOf(log, authors)) {
    const { events } = await log.prune({
      to: log.head,
      kinds: INDEX_KINDS,
      throughEnd: true,
      drop: ({ author, stream }) => stream === 'index' && authors.has(author),
    })
    evicted = events
  }
  signal?.throwIfAborted()
  await forget(parts, authors, signal)
  if (evicted > 0) notices.post('info', 'index.evicted', `${evicted} publications of revoked nodes were removed from the log`)
  return evicted
}

/** Without reading the log where there is nothing: revoked keys are looked at every hour for as long as the network lasts. */
async function holdsAnyOf(log: EvictionParts['log'], authors: ReadonlySet<NodeId>): Promise<boolean> {
  for (const author of authors) {
    for await (const _ of log.readSigned(author, 'index', 1, Number.MAX_SAFE_INTEGER)) return true
  }
  return false
}

async function forget(
  { states, budgets, isRevoked }: EvictionParts,
  authors: ReadonlySet<NodeId>,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (mentionsAny(states.state('keyword-index'), authors)) {
    await states.forget('keyword-index', authors, { signal })
    // One that was invited anew just now may have published something new, which must not go with the old.
    if (![...authors].every(isRevoked)) await states.rebuild('keyword-index', { signal })
  }
  const { authors: kept } = states.state('kept')
  if ([...authors].some((author) => (kept.get(author)?.index.events ?? 0) > 0)) {
    await states.forget('kept', authors, { signal })
    // In the same turn as the state: nothing that comes is counted in one and not in the other.
    budgets.recount(states.state('kept').authors)
  }
}
