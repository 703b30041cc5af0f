import { isInfoHash, isNodeId } from '../../events/model/ids.ts'
import { type ClientService, type LogQueries, ServiceError } from '../../roles/index.ts'

// Ids are long and commands show their first digits: what a command shows, a command takes.

const PREFIX = /^[0-9a-f]{4,}$/

/** @throws ServiceError `usage` if it is no info hash, nor the start of exactly one that this client has */
export async function wholeInfoHash(client: ClientService, given: string): Promise<string> {
  const text = given.toLowerCase()
  if (isInfoHash(text)) return text
  if (!PREFIX.test(text) || text.length > 40)
    throw new ServiceError('usage', `not an info hash (40 hex digits, or at least the first 4): ${given}`)
  const { torrents } = await client.clientStatus()
  return only(
    torrents.map((row) => row.infoHash),
    text,
    'torrent',
  )
}

/** @throws ServiceError `usage` if it is no peer, nor the start of exactly one node id that this node knows */
export async function wholePeer(log: LogQueries, given: string): Promise<string> {
  if (given.startsWith('ip:') && given.length > 3) return given
  const text = given.toLowerCase()
  if (isNodeId(text)) return text
  if (!PREFIX.test(text) || text.length > 64)
    throw new ServiceError('usage', `not a peer (a node id, at least its first 4 digits, or ip:ADDRESS): ${given}`)
  const known = new Set<string>()
  for (const { peer } of await log.scores()) known.add(peer)
  for (const { id } of await log.members()) known.add(id)
  return only([...known], text, 'peer')
}

function only(all: readonly string[], prefix: string, what: string): string {
  const matches = all.filter((id) => id.startsWith(prefix))
  const [match] = matches
  if (match === undefined) throw new ServiceError('usage', `no ${what} known here starts with ${prefix}`)
  if (matches.length > 1)
    throw new ServiceError('usage', `${matches.length} of the ${what}s known here start with ${prefix}: give more digits`)
  return match
}
