import type { Envelope, EventLog, NodeId } from '../../events/index.ts'

// Whether a client that starts should leave its torrents alone, as it died again and again with them. It stands with the
// client, and not with the node: a client alone has work that comes from the log at each start, and can be told to rest.

/** Deaths further apart are accidents. */
export const DEATHS_WINDOW_MS = 60_000
const DEATHS_MAX = 2

/** A start or a stop of this node, as its log has it. */
export type LifeEvent = { kind: 'node.started' | 'node.stopped' /** ms since 1970 */; at: number }

/**
 * True if the node's last run ended in its second death within a minute. A run without a stop is a death; its time is that
 * of the next start, since a process that dies does not say when.
 * @param events in log order, without the start that is under way
 * @param now of the start that is under way, ms since 1970
 */
export function diesAgainAndAgain(events: readonly LifeEvent[], now: number): boolean {
  if (events.at(-1)?.kind !== 'node.started') return false
  const deaths = events.filter(({ kind }, index) => kind === 'node.started' && events[index + 1]?.kind !== 'node.stopped')
  const noticedAt = deaths.map((death) => events[events.indexOf(death) + 1]?.at ?? now)
  return noticedAt.filter((at) => at <= now && now - at <= DEATHS_WINDOW_MS).length >= DEATHS_MAX
}

/** Whether the start that is under way, the last one in the log, follows on such deaths. */
export async function startsAfterDeaths(log: Pick<EventLog, 'author' | 'readBatches'>): Promise<boolean> {
  const events: LifeEvent[] = []
  for await (const batch of log.readBatches({ kinds: ['node.started', 'node.stopped'] }))
    events.push(...livesOf(batch, log.author))
  const current = events.pop()
  return current !== undefined && diesAgainAndAgain(events, current.at)
}

function livesOf(batch: readonly Envelope[], own: NodeId): LifeEvent[] {
  return batch.flatMap(({ author, at, event: { kind } }) =>
    author === own && (kind === 'node.started' || kind === 'node.stopped') ? [{ kind, at }] : [],
  )
}
