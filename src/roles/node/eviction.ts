import { ALL_KINDS, type Budgets, type Clock, KINDS, type LogView, type NodeId, type PrunableLog } from '../../events/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import { isLongRevoked, type ProjectionRunner, speakers, type Turns } from '../../projections/index.ts'
import type { NoticeBoard } from './notices.ts'

// What revoked authors published is let go of a day after the owner's word: from the log, from the index in memory, and from
// what counts against budgets. Verdicts stay, since bans name those that made them. See docs/adr/0011-retention.md.

const INDEX_KINDS = ALL_KINDS.filter((kind) => KINDS[kind].stream === 'index')

export type EvictionParts = {
  readonly log: Pick<LogView, 'author' | 'head'> & Pick<PrunableLog, 'prune'>
  readonly states: Pick<ProjectionRunner<ProjectionStates>, 'state' | 'forget' | 'rebuild'>
  readonly budgets: Pick<Budgets, 'recount'>
  readonly clock: Clock
  readonly notices: Pick<NoticeBoard, 'post'>
  /** Turns of a look at all authors; left out where nothing else waits. */
  readonly newTurns?: () => Turns
  /** False also for one that has shown another invitation on a link, which no event tells of yet. */
  isRevoked(author: NodeId): boolean
}

/**
 * Takes out what authors published that have been revoked for a day. What a crash or a stop cut off is ended by the next
 * call: it goes by the states, which are brought to their end last.
 * @returns how many events went
 */
export async function evictRevoked(parts: EvictionParts, signal?: AbortSignal): Promise<number> {
  const { log, states, budgets, notices } = parts
  const { counted, listed } = await authorsToGo(parts)
  const authors = new Set([...counted, ...listed])
  if (authors.size === 0) return 0
  const { events } = await log.prune({
    to: log.head,
    kinds: INDEX_KINDS,
    throughEnd: true,
    drop: ({ author, stream }) => stream === 'index' && authors.has(author),
  })
  if (events > 0) notices.post('info', 'index.evicted', `${events} publications of revoked nodes were removed from the log`)
  signal?.throwIfAborted()
  if (listed.size > 0) {
    await states.forget('keyword-index', listed, { signal })
    // One that was invited anew just now may have published something new, which must not go with the old.
    if (![...authors].every((author) => parts.isRevoked(author))) await states.rebuild('keyword-index', { signal })
  }
  if (counted.size > 0) {
    await states.forget('kept', counted, { signal })
    // In the same turn as the state: nothing that comes is counted in one and not in the other.
    budgets.recount(states.state('kept').authors)
  }
  return events
}

/** Authors of publications that go: those that are counted against budgets, and those that the index lists. */
async function authorsToGo(parts: EvictionParts): Promise<{ counted: Set<NodeId>; listed: Set<NodeId> }> {
  const { log, states, clock } = parts
  const admissions = states.state('admissions')
  const turns = parts.newTurns?.()
  const known = new Map<NodeId, boolean>()
  const goes = (author: NodeId): boolean => {
    const before = known.get(author)
    if (before !== undefined) return before
    const now = parts.isRevoked(author) && isLongRevoked(admissions, author, { own: log.author, now: clock.now() })
    known.set(author, now)
    return now
  }
  const [counted, listed] = [new Set<NodeId>(), new Set<NodeId>()]
  for (const [author, { index }] of states.state('kept').authors) {
    if (index.events > 0 && goes(author)) counted.add(author)
    if (turns?.isOver) await turns.next()
  }
  for (const author of speakers(states.state('keyword-index'))) {
    if (goes(author)) listed.add(author)
    if (turns?.isOver) await turns.next()
  }
  return { counted, listed }
}
