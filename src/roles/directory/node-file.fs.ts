import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../../events/files/replace-file.fs.ts'
import { CredentialError } from '../../events/keys/credential-error.ts'
import { decodeGenesis, networkIdOf } from '../../events/keys/genesis.ts'
import type { JoinedNetwork } from '../../events/keys/joined-network.ts'
import { sha256 } from '../../events/keys/signer.sodium.ts'
import type { NodeRole } from '../../events/model/event.ts'
import { isNodeId, type NodeId } from '../../events/model/ids.ts'
import { DataDirectoryError, unlessUnusable } from './data-directory-error.ts'
import { keyPath } from './key-file.fs.ts'

// node.json, which says which node a data directory is of.

/** Layout of the directory itself; the log has a format of its own. */
export const DIRECTORY_FORMAT = 1

export type NodeDescription = JoinedNetwork & { readonly format: number; readonly role: NodeRole; readonly id: NodeId }

/** Bytes stand in node.json in base64. */
type StoredNode = Pick<NodeDescription, 'format' | 'role' | 'id' | 'network'> & {
  genesis: string
  credential: string
  bootstraps: string[]
}

const ROLES: readonly unknown[] = ['bootstrap', 'index', 'client'] satisfies readonly NodeRole[]

export const nodePath = (directory: string): string => join(directory, 'node.json')

/** What is wrong with a node.json that does not say which node it is. */
export type NodeFileDamage = { readonly damage: string; readonly cause?: unknown }

/**
 * What node.json says, or what is wrong with it; undefined where there is none.
 * @throws DataDirectoryError `DIRECTORY_NEWER`
 */
export function lookAtNode(directory: string): NodeDescription | NodeFileDamage | undefined {
  const path = nodePath(directory)
  if (!existsSync(path)) return undefined
  let node: Partial<StoredNode>
  try {
    node = (JSON.parse(readFileSync(path, 'utf8')) ?? {}) as Partial<StoredNode>
  } catch (cause) {
    return { damage: `its node.json cannot be read (${(cause as Error).message})`, cause }
  }
  const { format, role, id } = node
  if (typeof format === 'number' && format > DIRECTORY_FORMAT) {
    throw new DataDirectoryError({ code: 'DIRECTORY_NEWER', directory, format, supported: DIRECTORY_FORMAT })
  }
  const joined = joinedIn(node)
  if (format === undefined || !isRole(role) || typeof id !== 'string' || !isNodeId(id) || joined === undefined)
    return { damage: 'its node.json does not name a node' }
  return { format, role, id, ...joined }
}

/** The same for those who can do nothing about it. @throws DataDirectoryError `DIRECTORY_MISSING` too */
export function readNode(directory: string): NodeDescription | undefined {
  const found = lookAtNode(directory)
  if (found === undefined || !('damage' in found)) return found
  // Without a key there never was a node whose log could say it.
  const remedy = existsSync(keyPath(directory)) ? `: ${REMEDY}` : ''
  throw new DataDirectoryError(
    { code: 'DIRECTORY_MISSING', directory, reason: found.damage + remedy },
    found.cause === undefined ? {} : { cause: found.cause },
  )
}

const REMEDY =
  'a start, or `p2pt log repair`, makes it again where its log still says what stood in it; else start the node once with --join STRING'

/** @throws DataDirectoryError `DIRECTORY_UNUSABLE` if the disk refuses */
export function writeNode(directory: string, node: NodeDescription): void {
  const { genesis, credential, ...rest } = node
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  const stored = { ...rest, genesis: base64(genesis), credential: base64(credential) }
  unlessUnusable(directory, () => replaceFile(nodePath(directory), Buffer.from(`${JSON.stringify(stored, null, 2)}\n`)))
}

/** The bootstraps that can still be read in a node.json that is cut: they stand before what is long. */
export function bootstrapsLeft(directory: string): readonly string[] {
  try {
    const list = /"bootstraps":\s*(\[[^\]]*\])/.exec(readFileSync(nodePath(directory), 'utf8'))?.[1] ?? '[]'
    return (JSON.parse(list) as unknown[]).filter((each) => typeof each === 'string')
  } catch {
    return []
  }
}

const isRole = (role: unknown): role is NodeRole => ROLES.includes(role)

function joinedIn({ network, genesis, credential, bootstraps = [] }: Partial<StoredNode>): JoinedNetwork | undefined {
  if (typeof genesis !== 'string' || typeof credential !== 'string' || !Array.isArray(bootstraps)) return undefined
  const bytes = new Uint8Array(Buffer.from(genesis, 'base64'))
  if (!isGenesis(bytes)) return undefined
  const id = networkIdOf(bytes, sha256)
  // An altered genesis is one of another network.
  if (network !== undefined && network !== id) return undefined
  return {
    network: id,
    genesis: bytes,
    credential: new Uint8Array(Buffer.from(credential, 'base64')),
    bootstraps: bootstraps.filter((each) => typeof each === 'string'),
  }
}

export function isGenesis(bytes: Uint8Array): boolean {
  try {
    decodeGenesis(bytes)
    return true
  } catch (error) {
    if (error instanceof CredentialError) return false
    throw error
  }
}
