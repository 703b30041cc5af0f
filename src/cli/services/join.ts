import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { DataDirectoryError, describeDirectory } from '../../events/data-directory.fs.ts'
import { type JoinedNetwork, type Joining, type Millis, type NodeRole, standingOf } from '../../events/index.ts'
import { ServiceError } from '../../roles/index.ts'
import { joiningFrom } from '../../roles/owner/joining.ts'
import { createOwnerFolder, openOwnerFolder } from '../../roles/owner/owner-folder.fs.ts'
import { dataDirectory } from './data-directory.ts'
import { ownerDirectory } from './owner.ts'

type Flags = { data?: string | undefined; join?: string | undefined; network?: string | undefined }

/**
 * The network that a node is to join, or that its data directory belongs to already, and where its bootstraps are.
 * @throws ServiceError `usage` for a join string that is no good, and for a new node that is told of no network
 */
export function joinedNetwork(
  role: NodeRole,
  flags: Flags,
  environment: NodeJS.ProcessEnv,
): { joining: Joining | undefined; bootstraps: readonly string[] } {
  const now = Date.now() as Millis
  const directory = dataDirectory(flags.data, role)
  const known = knownNetwork(directory)
  const given = networkGiven(flags, environment)
  if (given.join !== '') {
    const joining = joiningFrom(given.join, role, now)
    return { joining, bootstraps: joining.bootstraps }
  }
  if (given.network === '' && known === undefined) {
    const error = new DataDirectoryError({ code: 'NO_NETWORK', directory })
    throw new ServiceError('usage', error.message, { cause: error })
  }
  // A node that has joined goes on with the credential that it has: it is not invited again at each start.
  if (given.network === '' || (known !== undefined && known.credential.length > 0))
    return { joining: undefined, bootstraps: known?.bootstraps ?? [] }
  const owner = ownerDirectory(given.network)
  createOwnerFolder(owner, { name: basename(owner), open: false, bootstraps: [] }, now)
  const joining = openOwnerFolder(owner, () => now).joining(standingOf(role), `${role} on ${hostname()}`)
  return { joining, bootstraps: joining.bootstraps }
}

/** One of the two, or neither; a flag counts for more than what the environment says of either. */
function networkGiven(
  { join = '', network = '' }: Flags,
  { P2PT_JOIN = '', P2PT_NETWORK = '' }: NodeJS.ProcessEnv,
): { join: string; network: string } {
  if (join !== '' || network !== '') return { join, network }
  return P2PT_JOIN === '' ? { join, network: P2PT_NETWORK } : { join: P2PT_JOIN, network }
}

function knownNetwork(directory: string): JoinedNetwork | undefined {
  return existsSync(join(directory, 'node.json')) ? describeDirectory(directory) : undefined
}
