import { type AccessRevoked, type EventLog, type NodeId, toHex } from '../../events/index.ts'

/**
 * Words of the owner that only nodes passed on whose own admission has been revoked since: newcomers will not take them from
 * those, so that somebody else has to say them again.
 */
export async function orphanedRevocations(
  log: Pick<EventLog, 'read'>,
  isRevoked: (author: NodeId) => boolean,
): Promise<AccessRevoked[]> {
  const orphaned = new Map<string, AccessRevoked>()
  const told = new Set<string>()
  for await (const { author, event } of log.read({ kinds: ['access.revoked'] })) {
    if (event.kind !== 'access.revoked') continue
    const word = toHex(event.revocation)
    if (isRevoked(author)) orphaned.set(word, event)
    else told.add(word)
  }
  return [...orphaned].flatMap(([word, event]) => (told.has(word) ? [] : [event]))
}
