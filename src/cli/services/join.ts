import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { type JoinedNetwork, type Joining, type Millis, type NodeRole, standingOf } from '../../events/index.ts'
import { describeDirectory } from '../../roles/directory/data-directory.fs.ts'
import { DataDirectoryError } from '../../roles/directory/data-directory-error.ts'
import { ServiceError } from '../../roles/index.ts'
import { joiningFrom } from '../../roles/owner/joining.ts'
import { createOwnerFolder, isOwnerFolder, openOwnerFolder } from '../../roles/owner/owner-folder.fs.ts'
import { dataDirectory } from './data-directory.ts'
import { ownerDirectory } from './owner.ts'

type Flags = { data?: string | undefined; join?: string | undefined; network?: string | undefined }

export type NetworkToJoin = {
  readonly bootstraps: readonly string[]
  /** Whose bootstraps they are, for people. */
  readonly whose: string
  /** Makes the network where `--network` names one that is not there: asked for when all else of a start is known to be right. */
  joining(): Joining | undefined
}

/**
 * The network that a node is to join, or that its data directory belongs to already, and where its bootstraps are.
 * @throws ServiceError `usage` for a join string that is no good, and for a new node that is told of no network
 */
export function networkToJoin(role: NodeRole, flags: Flags, environment: NodeJS.ProcessEnv): NetworkToJoin {
  const now = Date.now() as Millis
  const directory = dataDirectory(flags.data, role)
  const given = networkGiven(flags, environment)
  const whose = 'its join string'
  if (given.join !== '') {
    const joining = joiningFrom(given.join, role, now)
    return { bootstraps: joining.bootstraps, whose, joining: () => joining }
  }
  const known = knownNetwork(directory, given.network !== '')
  if (given.network === '' && known === undefined) {
    const error = new DataDirectoryError({ code: 'NO_NETWORK', directory })
    throw new ServiceError('usage', error.message, { cause: error })
  }
  // A node that has joined goes on with the credential that it has: it is not invited again at each start.
  if (given.network === '' || (known !== undefined && known.credential.length > 0))
    return { bootstraps: known?.bootstraps ?? [], whose, joining: () => undefined }
  const owner = ownerDirectory(given.network)
  const open = () => openOwnerFolder(owner, () => now)
  const isThere = isOwnerFolder(owner)
  return {
    bootstraps: isThere ? open().bootstraps : [],
    whose: isThere ? `the network in ${owner}` : `the network in ${owner}, which is not there yet,`,
    joining() {
      createOwnerFolder(owner, { name: basename(owner), open: false, bootstraps: [] }, now)
      return open().joining(standingOf(role), `${role} on ${hostname()}`)
    },
  }
}

/** One of the two, or neither; a flag counts for more than what the environment says of either. */
function networkGiven(
  { join = '', network = '' }: Flags,
  { P2PT_JOIN = '', P2PT_NETWORK = '' }: NodeJS.ProcessEnv,
): { join: string; network: string } {
  if (join !== '' || network !== '') return { join, network }
  return P2PT_JOIN === '' ? { join, network: P2PT_NETWORK } : { join: P2PT_JOIN, network }
}

/** @param isTold the node is told of a network: then a damaged node.json is as good as none */
function knownNetwork(directory: string, isTold: boolean): JoinedNetwork | undefined {
  try {
    return existsSync(join(directory, 'node.json')) ? describeDirectory(directory) : undefined
  } catch (error) {
    if (!(error instanceof DataDirectoryError && error.code === 'DIRECTORY_MISSING')) throw error
    if (isTold) return undefined
    throw new ServiceError('usage', error.message, { cause: error })
  }
}
