import { existsSync } from 'node:fs'
import { ControlError, connectNode, type RemoteNode } from '../../control/index.ts'
import { fromHex, type NodeId, type NodeRole } from '../../events/index.ts'
import { type LogQueries, ServiceError } from '../../roles/index.ts'
import { dataDirectory } from './data-directory.ts'
import { disposeBeforeEnd } from './orderly-end.ts'

/**
 * The running node a command is for.
 * @param options.answerMsMax longest silence in a call, ms
 * @throws ControlError `NOT_RUNNING`, `TOO_SLOW`, with what to do about it
 */
export async function reachNode(
  given: string | undefined,
  role?: NodeRole,
  options: { answerMsMax?: number } = {},
): Promise<RemoteNode> {
  const directory = dataDirectory(given, role)
  try {
    return await connect(directory, options)
  } catch (error) {
    if (!isNotRunning(error)) throw error
    const start = `start one with \`p2pt ${role ?? (await roleOf(directory)) ?? 'client'} start --data ${directory}\``
    throw new ControlError('NOT_RUNNING', `no node is running in ${directory}: ${start}`, { cause: error })
  }
}

async function connect(directory: string, options: { answerMsMax?: number } = {}): Promise<RemoteNode> {
  try {
    return await connectNode(directory, options)
  } catch (error) {
    if (!(error instanceof ControlError && error.code === 'TOO_SLOW')) throw error
    const advice = `try again, or end its process, which ${directory}/lock names; \`kill -9\` loses nothing that is in the log`
    throw new ControlError('TOO_SLOW', `${error.message}: ${advice}`, { cause: error })
  }
}

/** Whose data directory it is, if it is one. */
async function roleOf(directory: string): Promise<NodeRole | undefined> {
  try {
    // Late: it brings the log's native modules with it, and most commands only talk to a socket.
    const { describeDirectory } = await import('../../roles/directory/data-directory.fs.ts')
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
    return { directory, running: await connect(directory) }
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
  let disposing: Promise<void> | undefined
  const dispose = async () => {
    disposing ??= Promise.resolve(stopped[Symbol.asyncDispose]())
    await disposing
  }
  // It holds the lock, and a copy of the log beside it.
  disposeBeforeEnd(dispose)
  return {
    queries: stopped,
    running: undefined,
    role: stopped.role,
    id: stopped.id,
    genesis: stopped.joined.genesis,
    [Symbol.asyncDispose]: dispose,
  }
}

const isNotRunning = (error: unknown): boolean => error instanceof ControlError && error.code === 'NOT_RUNNING'
