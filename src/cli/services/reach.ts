import { existsSync } from 'node:fs'
import { ControlError, connectNode, type RemoteNode } from '../../control/index.ts'
import { fromHex, type NodeId, type NodeRole } from '../../events/index.ts'
import { type LogQueries, ServiceError } from '../../roles/index.ts'
import { dataDirectory } from './data-directory.ts'

/**
 * The running node a command is for.
 * @throws ControlError `NOT_RUNNING`, with what to do about it
 */
export async function reachNode(given: string | undefined, role?: NodeRole): Promise<RemoteNode> {
  const directory = dataDirectory(given, role)
  try {
    return await connectNode(directory)
  } catch (error) {
    if (!isNotRunning(error)) throw error
    const start = `start one with \`p2pt ${role ?? (await roleOf(directory)) ?? 'client'} start --data ${directory}\``
    throw new ControlError('NOT_RUNNING', `no node is running in ${directory}: ${start}`, { cause: error })
  }
}

/** Whose data directory it is, if it is one. */
async function roleOf(directory: string): Promise<NodeRole | undefined> {
  try {
    // Late: it brings the log's native modules with it, and most commands only talk to a socket.
    const { describeDirectory } = await import('../../events/data-directory.fs.ts')
    return describeDirectory(directory).role
  } catch {
    return undefined
  }
}

export type Reached = { readonly directory: string; readonly running: RemoteNode | undefined }

/**
 * The data directory that is meant, and the node, where it runs.
 * @throws ServiceError `usage` if there is no such directory
 */
export async function reachDirectory(given: string | undefined, role?: NodeRole): Promise<Reached> {
  const directory = dataDirectory(given, role)
  try {
    return { directory, running: await connectNode(directory) }
  } catch (error) {
    if (!isNotRunning(error)) throw error
  }
  // A command that goes on says the same of a directory that is there and has no node in it.
  if (!existsSync(directory)) throw new ServiceError('usage', `there is no p2pt node in ${directory}: no such directory`)
  return { directory, running: undefined }
}

export type ReachedLog = AsyncDisposable & {
  readonly queries: LogQueries
  /** The node, where it runs. */
  readonly running: RemoteNode | undefined
  readonly role: NodeRole
  readonly id: NodeId
  /** Of its network. */
  readonly genesis: Uint8Array
}

/** The log of a node: through its socket where it runs, else read from its data directory. */
export async function reachLog(given: string | undefined): Promise<ReachedLog> {
  const { directory, running } = await reachDirectory(given)
  if (running !== undefined) {
    const { role, id, network } = await running.node.status()
    const genesis = fromHex(network.genesis)
    return { queries: running.node, running, role, id, genesis, async [Symbol.asyncDispose]() {} }
  }
  const { openStoppedNode } = await import('../../roles/compose-stopped.ts')
  const stopped = await openStoppedNode(directory)
  return {
    queries: stopped,
    running: undefined,
    role: stopped.role,
    id: stopped.id,
    genesis: stopped.joined.genesis,
    [Symbol.asyncDispose]: () => stopped[Symbol.asyncDispose](),
  }
}

const isNotRunning = (error: unknown): boolean => error instanceof ControlError && error.code === 'NOT_RUNNING'
