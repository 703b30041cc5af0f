import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { Flags } from '@oclif/core'
import type { Millis } from '../../events/index.ts'
import { type NetworkView, ServiceError } from '../../roles/index.ts'
import {
  createOwnerFolder,
  type NetworkRequest,
  type OwnerFolder,
  openJoinString,
  openOwnerFolder,
  readNetwork,
} from '../../roles/owner/owner-folder.fs.ts'
import { parseEndpoint } from './addresses.ts'
import { spanOf } from './time-span.ts'

const now = (): Millis => Date.now() as Millis

/** Which network of yours: of commands that need its owner's key. */
export const ownerFlags = {
  owner: Flags.string({
    summary: "The folder with the owner's key, or the name of the network. Default: the only one there is.",
    env: 'P2PT_OWNER',
    helpValue: 'DIR|NAME',
  }),
}

/** `$XDG_DATA_HOME/p2pt/networks`, where `network create` keeps owners' keys unless told otherwise. */
function networksFolder(): string {
  const home = process.env.XDG_DATA_HOME
  return join(home?.startsWith('/') ? home : join(homedir(), '.local/share'), 'p2pt', 'networks')
}

/** A path has a slash or is there; anything else is the name of a network of ours. */
export function ownerDirectory(given: string): string {
  return given.includes('/') || given === '.' || given === '..' || existsSync(given)
    ? resolve(given)
    : join(networksFolder(), given)
}

/** Names of the networks of ours that are in their usual place. */
function ownNetworks(): string[] {
  return existsSync(networksFolder()) ? readdirSync(networksFolder()).filter((name) => !name.includes('.part-')) : []
}

type OwnerFlag = { owner?: string | undefined }

/** @throws ServiceError `usage` if none or several are meant */
export function ownerFolder({ owner }: OwnerFlag): OwnerFolder {
  if (owner !== undefined && owner !== '') return openOwnerFolder(ownerDirectory(owner), now)
  const found = ownNetworks()
  const [only] = found
  if (only === undefined)
    throw new ServiceError(
      'usage',
      "there is no owner's key here: say with --owner where it is, run this where the network was made, or make one with `p2pt network create NAME`",
    )
  if (found.length > 1)
    throw new ServiceError('usage', `you own several networks: say which with --owner (${found.join(', ')})`)
  return openOwnerFolder(join(networksFolder(), only), now)
}

/**
 * The folder of this network's owner: the one that is given, or the one among ours that is of it. Undefined if there is none.
 * @throws ServiceError `usage` if the one that is given is of another network, `failed` if it is none
 */
export function ownerFolderOf(network: Pick<NetworkView, 'id' | 'name'>, { owner }: OwnerFlag): OwnerFolder | undefined {
  if (owner === undefined || owner === '')
    return ownNetworks()
      .map(openedOwnNetwork)
      .find((each) => each?.network === network.id)
  const folder = openOwnerFolder(ownerDirectory(owner), now)
  if (folder.network !== network.id)
    throw new ServiceError(
      'usage',
      `the owner's key in ${folder.directory} is of the network "${folder.genesis.name}" (${folder.network.slice(0, 16)}), and this node is in "${network.name}" (${network.id.slice(0, 16)})`,
    )
  return folder
}

/** Another network that is damaged is in nobody's way. */
function openedOwnNetwork(name: string): OwnerFolder | undefined {
  try {
    return openOwnerFolder(join(networksFolder(), name), now)
  } catch {
    return undefined
  }
}

export type NetworkMade = {
  id: string
  name: string
  open: boolean
  /** Where the owner's key is. */
  owner: string
  /** Join strings, each for one bootstrap or index node. */
  members: string[]
  clients: string
}

/** What one command prints. */
export const MEMBERS_MADE_MAX = 64
/** Owners of a partition: fewer index nodes work, with fewer copies. */
const INDEX_NODES = 3

type CreateRequest = NetworkRequest & {
  directory: string | undefined
  /** Invitations for members. Default: one for each bootstrap, and for three index nodes. */
  members?: number
}

/** @throws ServiceError `usage` if it is there already */
export function createNetwork({ directory, members, ...request }: CreateRequest): NetworkMade {
  for (const bootstrap of request.bootstraps) parseEndpoint(bootstrap)
  const owner = directory === undefined ? join(networksFolder(), request.name) : resolve(directory)
  if (!createOwnerFolder(owner, request, now()))
    throw new ServiceError('usage', `there is a network in ${owner} already: give another name, or --owner DIR`)
  const folder = openOwnerFolder(owner, now)
  const never = 0 as Millis
  return {
    id: folder.network,
    name: folder.genesis.name,
    open: folder.genesis.open,
    owner,
    members: Array.from(
      { length: members ?? request.bootstraps.length + INDEX_NODES },
      (_, index) => folder.invite({ role: 'member', name: `member ${index + 1}`, expiresAt: never }).join,
    ),
    clients: request.open
      ? openJoinString(readNetwork(owner))
      : folder.invite({ role: 'client', name: 'clients', expiresAt: never }).join,
  }
}

/**
 * From now; 0 for never.
 * @throws ServiceError `usage` unless it is a number and a unit (90m, 12h, 30d, 6w, 1y), of at most 100 years
 */
export function expiryOf(text: string | undefined): Millis {
  if (text === undefined) return 0 as Millis
  return (now() + spanOf('--expires', text)) as Millis
}
