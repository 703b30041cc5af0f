import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { replaceFile } from '../../events/files/replace-file.fs.ts'
import {
  BOOTSTRAP_BYTES_MAX,
  BOOTSTRAPS_MAX,
  decodeGenesis,
  encodeGenesis,
  encodeJoinString,
  fromHex,
  type Genesis,
  type Invitation,
  type Joining,
  type Millis,
  NAME_BYTES_MAX,
  type NetworkId,
  NONCE_BYTES,
  type NodeId,
  networkIdOf,
  REASON_BYTES_MAX,
  type SignedInvitation,
  type SignedRevocation,
  type Standing,
  signInvitation,
  signRevocation,
  toHex,
} from '../../events/index.ts'
import { keyOfSeed, randomBytes, randomSeed, SEED_BYTES, sha256, signerFromSeed } from '../../events/keys/signer.sodium.ts'
import { ServiceError } from '../services.ts'
import { enterInBook, readBook } from './invitation-book.fs.ts'
import { joiningBy } from './joining.ts'

// Where the owner of a network keeps its key: a folder with `owner.seed` (32 bytes, mode 0600), `network.json` and the book of
// invitations made. Whoever has it can let nodes in and put them out, so it need not be on any node.

const SEED_FILE = 'owner.seed'
const NETWORK_FILE = 'network.json'

export type OwnerFolder = {
  readonly directory: string
  readonly network: NetworkId
  readonly genesis: Genesis
  readonly bootstraps: readonly string[]
  /** A new invitation, as the string that others join with. It is in the book before anybody can have the string. */
  invite(request: InviteRequest): Invited
  /** Those that `invite` made, the oldest first. */
  invitations(): readonly Invitation[]
  /** An invitation of its own for a node of this machine, where the owner's key is at hand. */
  joining(role: Standing, name: string): Joining
  revoke(key: NodeId, reason: string): SignedRevocation
}

export type InviteRequest = {
  role: Standing
  name: string
  expiresAt: Millis
  bootstraps?: readonly string[]
}
type Issued = { made: Invitation; signed: SignedInvitation & { seed: Uint8Array } }
export type Invited = { readonly invitation: NodeId; readonly join: string }

export type NetworkRequest = { name: string; open: boolean; bootstraps: readonly string[] }

export const isOwnerFolder = (directory: string): boolean => existsSync(join(directory, NETWORK_FILE))

/**
 * Makes a network: its owner's key and its genesis record, in a folder that appears whole or not at all.
 * @returns false if the folder is there already, which then stays as it is
 * @throws ServiceError `usage` for a name that cannot be one, `failed` if it cannot be written
 */
export function createOwnerFolder(directory: string, { name, open, bootstraps }: NetworkRequest, now: Millis): boolean {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || !isText(name, NAME_BYTES_MAX))
    throw new ServiceError(
      'usage',
      `a network's name has 1 to ${NAME_BYTES_MAX} bytes, without slashes and control characters, and is not . or ..`,
    )
  checkBootstraps(bootstraps)
  if (isOwnerFolder(directory)) return false
  const seed = randomSeed()
  const genesis = encodeGenesis({ name, owner: keyOfSeed(seed), createdAt: now, open, nonce: randomBytes(NONCE_BYTES) })
  let partial: string | undefined
  try {
    mkdirSync(dirname(directory), { recursive: true })
    partial = mkdtempSync(`${directory}.part-`)
    replaceFile(join(partial, SEED_FILE), seed)
    writeNetwork(partial, genesis, bootstraps)
    renameSync(partial, directory)
    return true
  } catch (cause) {
    if (partial !== undefined) rmSync(partial, { recursive: true, force: true })
    // Somebody else was quicker: one of several nodes that start together makes the network, and all take that one.
    if (isOwnerFolder(directory)) return false
    throw new ServiceError('failed', `the network cannot be kept in ${directory}: ${(cause as Error).message}`, { cause })
  }
}

const isText = (text: string, bytesMax: number): boolean => Buffer.byteLength(text) <= bytesMax && !/\p{Cc}/u.test(text)

function checkBootstraps(bootstraps: readonly string[]): void {
  if (bootstraps.length > BOOTSTRAPS_MAX || bootstraps.some((each) => !isText(each, BOOTSTRAP_BYTES_MAX)))
    throw new ServiceError('usage', `at most ${BOOTSTRAPS_MAX} bootstraps of ${BOOTSTRAP_BYTES_MAX} bytes each`)
}

function writeNetwork(directory: string, genesis: Uint8Array, bootstraps: readonly string[]): void {
  const json = { format: 1, genesis: toHex(genesis), bootstraps }
  replaceFile(join(directory, NETWORK_FILE), Buffer.from(`${JSON.stringify(json, null, 2)}\n`))
}

/**
 * @param now for the time of issue
 * @throws ServiceError `failed` if the folder or the key in it is missing or damaged
 */
export function openOwnerFolder(directory: string, now: () => Millis): OwnerFolder {
  const { genesis: bytes, bootstraps } = readNetwork(directory)
  const genesis = decodeGenesis(bytes)
  const network = networkIdOf(bytes, sha256)
  // Read when it is needed: to show what a network is takes no key.
  const owner = () => signerFromSeed(readSeed(directory, genesis), network)
  const issue = ({ role, name, expiresAt }: InviteRequest): Issued => {
    if (!isText(name, NAME_BYTES_MAX))
      throw new ServiceError(
        'usage',
        `the name of an invitation has at most ${NAME_BYTES_MAX} bytes, without control characters`,
      )
    const seed = randomSeed()
    const made: Invitation = { key: keyOfSeed(seed), role, name, issuedAt: now(), expiresAt }
    return { made, signed: { ...signInvitation(made, owner()), seed } }
  }
  return {
    directory,
    network,
    genesis,
    bootstraps,
    invite(request) {
      const entries = request.bootstraps ?? bootstraps
      checkBootstraps(entries)
      const { made, signed } = issue(request)
      const join = encodeJoinString({ genesis: bytes, bootstraps: entries, invitation: signed }, sha256)
      enterInBook(directory, made, now())
      return { invitation: made.key, join }
    },
    invitations: () => readBook(directory),
    joining: (role, name) =>
      joiningBy({ genesis: bytes, bootstraps, invitation: issue({ role, name, expiresAt: 0 as Millis }).signed }),
    revoke(key, reason) {
      if (!isText(reason, REASON_BYTES_MAX))
        throw new ServiceError('usage', `a reason has at most ${REASON_BYTES_MAX} bytes, without control characters`)
      return signRevocation({ key, at: now(), reason }, owner())
    },
  }
}

/** The string by which clients join an open network, with nothing secret in it. */
export const openJoinString = ({ genesis, bootstraps }: { genesis: Uint8Array; bootstraps: readonly string[] }): string =>
  encodeJoinString({ genesis, bootstraps, invitation: undefined }, sha256)

export function readNetwork(directory: string): { genesis: Uint8Array; bootstraps: string[] } {
  const file = join(directory, NETWORK_FILE)
  if (!statSync(file, { throwIfNoEntry: false })?.isFile())
    throw new ServiceError('failed', `there is no network of yours in ${directory}: make one with \`p2pt network create NAME\``)
  try {
    const { genesis, bootstraps } = JSON.parse(readFileSync(file, 'utf8')) as { genesis: string; bootstraps: string[] }
    const bytes = fromHex(genesis)
    decodeGenesis(bytes)
    return { genesis: bytes, bootstraps: bootstraps.filter((each) => typeof each === 'string') }
  } catch (cause) {
    throw new ServiceError('failed', `${file} is damaged: put it back from a copy`, { cause })
  }
}

function readSeed(directory: string, genesis: Genesis): Uint8Array {
  const file = join(directory, SEED_FILE)
  const lacking = `without it nobody can be invited or revoked: run this where the key of the network "${genesis.name}" is kept`
  let seed: Uint8Array
  try {
    seed = readFileSync(file)
  } catch (cause) {
    throw new ServiceError('failed', `the owner's key ${file} cannot be read; ${lacking}`, { cause })
  }
  if (seed.length !== SEED_BYTES || keyOfSeed(seed) !== genesis.owner)
    throw new ServiceError('failed', `${file} is not the key of the owner of this network; ${lacking}`)
  return seed
}
