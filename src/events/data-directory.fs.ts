import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeRole } from './event.ts'
import { createLevelLog } from './event-log.level.ts'
import { LogError } from './event-log.ts'
import { isNodeId, type NodeId } from './ids.ts'
import type { JoinedNetwork, Joining } from './joined-network.ts'
import { CredentialError } from './keys/credential-error.ts'
import { decodeGenesis, networkIdOf } from './keys/genesis.ts'
import { isReadOnly } from './linked-copy.fs.ts'
import { logPaths } from './log-database.level.ts'
import { makeDirectory } from './make-directory.fs.ts'
import { claimPath } from './open-paths.fs.ts'
import { lockHolder, takeLock } from './process-lock.fs.ts'
import { replaceFile } from './replace-file.fs.ts'
import { keyOfSeed, randomSeed, SEED_BYTES, sha256, signerFromSeed } from './signer.sodium.ts'
import { beginImport, unfinishedImport } from './unfinished-import.fs.ts'

/** Layout of the directory itself; the log has a format of its own. */
export const DIRECTORY_FORMAT = 1

export type DataPaths = {
  /** Format, role and node id. Written last at the first start: with it, a log must be there. */
  readonly node: string
  /** The 32 byte seed of the node's key, mode 0600. */
  readonly keySeed: string
  readonly lock: string
  /** The log's database, and the head file outside it. */
  readonly log: string
  readonly head: string
  readonly projections: string
  readonly controlSocket: string
}

export function dataPaths(directory: string): DataPaths {
  const { database, head } = logPaths(directory)
  return {
    node: join(directory, 'node.json'),
    keySeed: join(directory, 'key.seed'),
    lock: join(directory, 'lock'),
    log: database,
    head,
    projections: join(directory, 'projections'),
    controlSocket: join(directory, 'control.sock'),
  }
}

export type NodeDescription = JoinedNetwork & { readonly format: number; readonly role: NodeRole; readonly id: NodeId }

export type DataDirectoryErrorDetail =
  | { code: 'DIRECTORY_OTHER_ROLE'; directory: string; expected: NodeRole; found: NodeRole }
  | { code: 'DIRECTORY_NEWER'; directory: string; format: number; supported: number }
  /** It has something else in it, or a part of it is gone or cannot be read. */
  | { code: 'DIRECTORY_UNUSABLE'; directory: string; reason: string }
  /** No node was ever started there, or what says which one is gone or cannot be read. */
  | { code: 'DIRECTORY_MISSING'; directory: string; reason: string }
  | { code: 'IMPORT_UNFINISHED'; directory: string; file: string }
  /** A new node has to be told which network it is to join. */
  | { code: 'NO_NETWORK'; directory: string }
  | { code: 'OTHER_NETWORK'; directory: string; expected: string; found: string }

const SENTENCES: {
  [C in DataDirectoryErrorDetail['code']]: (detail: Extract<DataDirectoryErrorDetail, { code: C }>) => string
} = {
  DIRECTORY_OTHER_ROLE: ({ directory, expected, found }) =>
    `${directory} is the data directory of a node with the role ${found}, not ${expected}: give another directory with --data`,
  DIRECTORY_NEWER: ({ directory, format, supported }) =>
    `${directory} has format ${format}, this version knows up to ${supported}: use a newer p2pt`,
  DIRECTORY_UNUSABLE: ({ directory, reason }) => `${directory} cannot be used as a data directory: ${reason}`,
  DIRECTORY_MISSING: ({ directory, reason }) => `there is no p2pt node in ${directory}: ${reason}`,
  IMPORT_UNFINISHED: ({ directory, file }) =>
    `the import of ${file} into ${directory} was not finished, and the log lacks events: run the same \`p2pt log import\` again`,
  NO_NETWORK: ({ directory }) =>
    `the node in ${directory} belongs to no network yet: start it with --join STRING (ask the owner of the network for one), or make a network with \`p2pt network create NAME\``,
  OTHER_NETWORK: ({ directory, expected, found }) =>
    `the node in ${directory} belongs to the network "${found}", not to "${expected}": give another directory with --data`,
}

/** What the operator can mend. A directory in use is LogError `LOG_LOCKED`. */
export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError'
  readonly code: DataDirectoryErrorDetail['code']
  readonly detail: DataDirectoryErrorDetail

  constructor(detail: DataDirectoryErrorDetail, options?: ErrorOptions) {
    super((SENTENCES[detail.code] as (detail: DataDirectoryErrorDetail) => string)(detail), options)
    this.code = detail.code
    this.detail = detail
  }
}

/** A node's data directory, locked for this process until it is disposed. The log in it exists: open it without `create`. */
export type DataDirectory = Disposable & {
  readonly directory: string
  readonly paths: DataPaths
  readonly role: NodeRole
  readonly signer: ReturnType<typeof signerFromSeed>
  readonly joined: JoinedNetwork
  /** This is the node's first start. */
  readonly isNew: boolean
}

export type OpenOptions = {
  readonly role: NodeRole
  /** The seed of the key that a new directory gets; left out, a new one. */
  readonly seed?: Uint8Array | undefined
  /** The network to join. Needed for a new directory; for one that belongs to this network already, a credential that replaces its own. */
  readonly joining?: Joining | undefined
  /** The file of which events are to be imported here: the only use of a directory in which an import was cut off. */
  readonly importing?: string
}

/**
 * Opens a node's data directory, or makes one with a new key and an empty log.
 * @throws DataDirectoryError if it belongs to another role, is of a newer format, or is unusable
 * @throws LogError `LOG_LOCKED` with the process that has it, or what opening a log throws
 */
export async function openDataDirectory(
  directory: string,
  { role, seed, importing, joining }: OpenOptions,
): Promise<DataDirectory> {
  const paths = dataPaths(directory)
  await makeDirectory(directory).catch((cause: Error) => {
    throw new DataDirectoryError({ code: 'DIRECTORY_UNUSABLE', directory, reason: cause.message }, { cause })
  })
  const release = lock(directory, paths)
  try {
    const known = readNode(directory)
    if (known !== undefined && known.role !== role) {
      throw new DataDirectoryError({ code: 'DIRECTORY_OTHER_ROLE', directory, expected: role, found: known.role })
    }
    if (importing === undefined) refuseUnfinished(directory)
    if (known === undefined && joining === undefined) throw new DataDirectoryError({ code: 'NO_NETWORK', directory })
    if (known !== undefined && joining !== undefined) refuseOtherNetwork(directory, known, joining)
    if (known === undefined) {
      // Before there is a key: a node that was moved here half way must never start.
      if (importing !== undefined) unlessUnusable(directory, () => beginImport(directory, importing))
      await createKeyAndLog(directory, paths, seed)
    }
    const ownSeed = readSeed(directory, paths)
    const id = keyOfSeed(ownSeed)
    if (known !== undefined && known.id !== id) {
      throw new DataDirectoryError({ code: 'DIRECTORY_UNUSABLE', directory, reason: 'key.seed is not the key of its node' })
    }
    const joined = joining === undefined ? (known as JoinedNetwork) : joinedAs(joining, id)
    if (joining !== undefined) writeNode(directory, paths, { format: DIRECTORY_FORMAT, role, id, ...joined })
    mkdirSync(paths.projections, { recursive: true })
    const signer = signerFromSeed(ownSeed, joined.network)
    return { directory, paths, role, signer, joined, isNew: known === undefined, [Symbol.dispose]: release }
  } catch (error) {
    release()
    throw error
  }
}

function refuseUnfinished(directory: string): void {
  const file = unfinishedImport(directory)
  if (file !== undefined) throw new DataDirectoryError({ code: 'IMPORT_UNFINISHED', directory, file })
}

export type StoppedDirectory = Disposable & NodeDescription & { readonly paths: DataPaths }

/**
 * Locks a stopped node's data directory.
 * @param unfinished take also one in which an import was cut off: for a repair, without which it may not go on
 * @throws DataDirectoryError `DIRECTORY_MISSING`, `DIRECTORY_NEWER`, `IMPORT_UNFINISHED`; LogError `LOG_LOCKED` if the node runs
 */
export function openStoppedDirectory(directory: string, { unfinished = false } = {}): StoppedDirectory {
  if (!unfinished) refuseUnfinished(directory)
  const known = describeDirectory(directory)
  const paths = dataPaths(directory)
  return { ...known, paths, [Symbol.dispose]: lock(directory, paths) }
}

/**
 * The same for a command that only reads. Where nothing can be written, as in a backup that is mounted read-only, it
 * does without a lock of its own, since no node can start there either.
 * @throws as `openStoppedDirectory`
 */
export function readStoppedDirectory(directory: string): StoppedDirectory {
  try {
    return openStoppedDirectory(directory)
  } catch (error) {
    if (!(error instanceof DataDirectoryError) || !isReadOnly(error.cause)) throw error
    const paths = dataPaths(directory)
    const pid = lockHolder(paths.lock)
    if (pid !== undefined) throw new LogError({ code: 'LOG_LOCKED', directory, pid })
    return { ...describeDirectory(directory), paths, [Symbol.dispose]: () => {} }
  }
}

/** Whose data directory it is, without locking it. @throws DataDirectoryError `DIRECTORY_MISSING`, `DIRECTORY_NEWER`, `DIRECTORY_UNUSABLE` */
export function describeDirectory(directory: string): NodeDescription {
  const known = readNode(directory)
  if (known !== undefined) return known
  const reason = isDirectory(directory) ? 'it has no node.json' : 'no such directory'
  throw new DataDirectoryError({ code: 'DIRECTORY_MISSING', directory, reason })
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function lock(directory: string, paths: DataPaths): () => void {
  const unclaim = claimPath(directory)
  try {
    const unlock = unlessUnusable(directory, () => takeLock(paths.lock, directory))
    return () => {
      unlock()
      unclaim()
    }
  } catch (error) {
    unclaim()
    throw error
  }
}

function unlessUnusable<T>(directory: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof LogError || cause instanceof DataDirectoryError) throw cause
    throw new DataDirectoryError({ code: 'DIRECTORY_UNUSABLE', directory, reason: (cause as Error).message }, { cause })
  }
}

function readNode(directory: string): NodeDescription | undefined {
  const path = dataPaths(directory).node
  if (!existsSync(path)) return undefined
  let node: Partial<StoredNode>
  try {
    node = (JSON.parse(readFileSync(path, 'utf8')) ?? {}) as Partial<StoredNode>
  } catch (cause) {
    const reason = `its node.json cannot be read (${(cause as Error).message})`
    throw new DataDirectoryError({ code: 'DIRECTORY_MISSING', directory, reason }, { cause })
  }
  const { format, role, id } = node
  if (typeof format === 'number' && format > DIRECTORY_FORMAT) {
    throw new DataDirectoryError({ code: 'DIRECTORY_NEWER', directory, format, supported: DIRECTORY_FORMAT })
  }
  const joined = joinedIn(node)
  if (format === undefined || role === undefined || typeof id !== 'string' || !isNodeId(id) || joined === undefined) {
    throw new DataDirectoryError({ code: 'DIRECTORY_MISSING', directory, reason: 'its node.json does not name a node' })
  }
  return { format, role, id, ...joined }
}

/** Bytes stand in node.json in base64. */
type StoredNode = Pick<NodeDescription, 'format' | 'role' | 'id'> & {
  genesis: string
  credential: string
  bootstraps: string[]
}

function joinedIn({ genesis, credential, bootstraps = [] }: Partial<StoredNode>): JoinedNetwork | undefined {
  if (typeof genesis !== 'string' || typeof credential !== 'string' || !Array.isArray(bootstraps)) return undefined
  const bytes = new Uint8Array(Buffer.from(genesis, 'base64'))
  if (!isGenesis(bytes)) return undefined
  return {
    network: networkIdOf(bytes, sha256),
    genesis: bytes,
    credential: new Uint8Array(Buffer.from(credential, 'base64')),
    bootstraps: bootstraps.filter((each) => typeof each === 'string'),
  }
}

function isGenesis(bytes: Uint8Array): boolean {
  try {
    decodeGenesis(bytes)
    return true
  } catch (error) {
    if (error instanceof CredentialError) return false
    throw error
  }
}

const joinedAs = ({ genesis, bootstraps, credentialOf }: Joining, id: NodeId): JoinedNetwork => ({
  network: networkIdOf(genesis, sha256),
  genesis,
  bootstraps,
  credential: credentialOf(id),
})

function refuseOtherNetwork(directory: string, known: JoinedNetwork, joining: Joining): void {
  if (networkIdOf(joining.genesis, sha256) === known.network) return
  const nameOf = (genesis: Uint8Array): string => decodeGenesis(genesis).name
  const [expected, found] = [nameOf(joining.genesis), nameOf(known.genesis)]
  throw new DataDirectoryError({ code: 'OTHER_NETWORK', directory, expected, found })
}

function writeNode(directory: string, paths: DataPaths, node: NodeDescription): void {
  const { genesis, credential, ...rest } = node
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
  const stored = { ...rest, genesis: base64(genesis), credential: base64(credential) }
  unlessUnusable(directory, () => replaceFile(paths.node, Buffer.from(`${JSON.stringify(stored, null, 2)}\n`)))
}

// Before node.json, in an order that a crash at any point leaves no node.json, and the next start goes on, or a whole node.
async function createKeyAndLog(directory: string, paths: DataPaths, seed: Uint8Array | undefined): Promise<void> {
  if (!existsSync(paths.keySeed)) {
    if (existsSync(paths.log) || existsSync(paths.head)) {
      throw new DataDirectoryError({ code: 'DIRECTORY_UNUSABLE', directory, reason: 'it has a log, but no key.seed' })
    }
    unlessUnusable(directory, () => replaceFile(paths.keySeed, seed ?? randomSeed()))
  }
  const id = keyOfSeed(readSeed(directory, paths))
  if (seed !== undefined && id !== keyOfSeed(seed)) {
    throw new DataDirectoryError({ code: 'DIRECTORY_UNUSABLE', directory, reason: 'it has another key already' })
  }
  await createLevelLog(directory, id)
}

function readSeed(directory: string, paths: DataPaths): Uint8Array {
  const seed = unlessUnusable(directory, () => readFileSync(paths.keySeed))
  if (seed.length !== SEED_BYTES) {
    throw new DataDirectoryError({
      code: 'DIRECTORY_UNUSABLE',
      directory,
      reason: `key.seed has ${seed.length} bytes, not ${SEED_BYTES}`,
    })
  }
  return seed
}
