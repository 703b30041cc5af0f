import type { Envelope, EventLog } from '../../events/index.ts'
import type { IndexMap } from '../index-node/index-map.ts'
import type { Publications } from './publications.ts'

/**
 * Has publications reconsidered when an index node comes, comes back, goes or is put out: who owns a keyword now may lack what it
 * should hold. Follows the log after the liveness projection.
 * @returns a function that stops it
 */
export function watchOwners(
  log: Pick<EventLog, 'onAppended'>,
  map: IndexMap,
  publications: () => Pick<Publications, 'reconsider'>,
): () => void {
  let owners = map.indexNodes().join()
  return log.onAppended((envelopes: readonly Envelope[]) => {
    if (!envelopes.some(({ event }) => bearsOnOwners(event.kind))) return
    const before = owners
    owners = map.indexNodes().join()
    const cameBack = envelopes.some(({ event }) => event.kind === 'member.alive' && event.role === 'index')
    if (owners !== before || cameBack) publications().reconsider()
  })
}

const bearsOnOwners = (kind: string): boolean =>
  kind.startsWith('member.') || kind === 'access.revoked' || kind === 'node.admitted'
