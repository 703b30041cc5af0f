import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { basename, join } from 'node:path'
import { describeDirectory } from '../../events/data-directory.fs.ts'
import { type JoinedNetwork, type Joining, type Millis, type NodeRole, standingOf } from '../../events/index.ts'
import { joiningFrom } from '../../roles/owner/joining.ts'
import { createOwnerFolder, openOwnerFolder } from '../../roles/owner/owner-folder.fs.ts'
import { dataDirectory } from './data-directory.ts'
import { ownerDirectory } from './owner.ts'

type Flags = { data?: string | undefined; join?: string | undefined; network?: string | undefined }

/**
 * The network that a node is to join, or that its data directory belongs to already, and where its bootstraps are.
 * @throws ServiceError `usage` for a join string that is no good
 */
export function joinedNetwork(role: NodeRole, flags: Flags): { joining: Joining | undefined; bootstraps: readonly string[] } {
  const now = Date.now() as Millis
  const known = knownNetwork(dataDirectory(flags.data, role))
  if (flags.join !== undefined && flags.join !== '') {
    const joining = joiningFrom(flags.join, role, now)
    return { joining, bootstraps: joining.bootstraps }
  }
  // A node that has joined goes on with the credential that it has: it is not invited again at each start.
  if (flags.network === undefined || flags.network === '' || (known !== undefined && known.credential.length > 0))
    return { joining: undefined, bootstraps: known?.bootstraps ?? [] }
  const directory = ownerDirectory(flags.network)
  createOwnerFolder(directory, { name: basename(directory), open: false, bootstraps: [] }, now)
  const joining = openOwnerFolder(directory, () => now).joining(standingOf(role), `${role} on ${hostname()}`)
  return { joining, bootstraps: joining.bootstraps }
}

function knownNetwork(directory: string): JoinedNetwork | undefined {
  return existsSync(join(directory, 'node.json')) ? describeDirectory(directory) : undefined
}
