import { existsSync } from 'node:fs'
import type { Upcast } from '../../events/codec/upcasting.ts'
import { networkIdOf } from '../../events/keys/genesis.ts'
import { BOOTSTRAPS_MAX } from '../../events/keys/join-string.ts'
import { sha256 } from '../../events/keys/signer.sodium.ts'
import { logPaths } from '../../events/leveldb/log-database.level.ts'
import { readLevelLog } from '../../events/log/event-log.level.ts'
import { LogError, type LogView } from '../../events/log/event-log.ts'
import type { Envelope } from '../../events/model/envelope.ts'
import type { NodeRole } from '../../events/model/event.ts'
import type { NodeId } from '../../events/model/ids.ts'
import { isDialable } from '../../events/model/ip-address.ts'
import { lockDirectory } from './data-directory.fs.ts'
import { keyHolder } from './key-file.fs.ts'
import { bootstrapsLeft, DIRECTORY_FORMAT, isGenesis, lookAtNode, writeNode } from './node-file.fs.ts'

// All that stands in node.json stands somewhere else as well: the node id in its key, role, genesis and credential in
// the log's own events, and where bootstraps are in what they said of themselves.

export type MendedNode = {
  /** What was wrong with node.json. */
  readonly damage: string
  /** Of the join string, as far as they could be read, or those of the log; empty if neither knows one. */
  readonly bootstraps: readonly string[]
}

/**
 * Makes the node.json of a stopped node again where it is damaged or gone.
 * @returns undefined where it is whole, where no node was ever started, and where the log cannot be read or does not
 * say enough: whoever opens the directory next says what to do about that
 * @throws LogError `LOG_LOCKED` if the node runs; DataDirectoryError `DIRECTORY_NEWER`, `DIRECTORY_UNUSABLE`
 */
export async function mendNode(directory: string, upcast: Upcast): Promise<MendedNode | undefined> {
  if (!existsSync(logPaths(directory).database)) return undefined
  const id = keyHolder(directory)
  const damage = id === undefined ? undefined : damageOf(directory, id)
  if (id === undefined || damage === undefined) return undefined
  const release = lockDirectory(directory)
  try {
    await using log = await readLevelLog({ directory, upcast, author: id })
    const { role, joined, bootstraps: seen } = await selfInLog(log)
    if (role === undefined || joined === undefined || !isGenesis(joined.genesis)) return undefined
    const left = bootstrapsLeft(directory)
    const bootstraps = left.length > 0 ? left : seen
    const { genesis, credential } = joined
    const network = networkIdOf(genesis, sha256)
    writeNode(directory, { format: DIRECTORY_FORMAT, role, id, network, bootstraps, genesis, credential })
    return { damage, bootstraps }
  } catch (error) {
    if (error instanceof LogError && error.code !== 'LOG_LOCKED') return undefined
    throw error
  } finally {
    release()
  }
}

function damageOf(directory: string, id: NodeId): string | undefined {
  const found = lookAtNode(directory)
  if (found === undefined) return 'it has no node.json'
  if ('damage' in found) return found.damage
  // Unless the key is the wrong one: then the log is not its own either, and is not opened.
  return found.id === id ? undefined : 'its node.json names another node than its key'
}

type Self = {
  role: NodeRole | undefined
  joined: { readonly genesis: Uint8Array; readonly credential: Uint8Array } | undefined
  bootstraps: string[]
}

async function selfInLog(log: LogView): Promise<Self> {
  const self: Omit<Self, 'bootstraps'> = { role: undefined, joined: undefined }
  const entries = new Map<NodeId, string>()
  for await (const envelope of log.read({ kinds: ['network.joined', 'node.started', 'member.alive'] })) {
    const { author, event } = envelope
    if (event.kind === 'member.alive') noteBootstrap(entries, envelope, log.author)
    else if (author === log.author && event.kind === 'node.started') self.role = event.role
    else if (author === log.author && event.kind === 'network.joined') self.joined = event
  }
  return { ...self, bootstraps: [...entries.values()].slice(-BOOTSTRAPS_MAX) }
}

/** The latest word counts: the last said stands last. */
function noteBootstrap(entries: Map<NodeId, string>, { author, event }: Envelope, self: NodeId): void {
  if (event.kind !== 'member.alive' || event.role !== 'bootstrap' || event.subject !== author || author === self) return
  if (!isDialable(event)) return
  entries.delete(author)
  entries.set(author, `${event.host}:${event.port}`)
}
