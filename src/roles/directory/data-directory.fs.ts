import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '../../events/files/make-directory.fs.ts'
import { claimPath } from '../../events/files/open-paths.fs.ts'
import { lockHolder, takeLock } from '../../events/files/process-lock.fs.ts'
import { replaceFile } from '../../events/files/replace-file.fs.ts'
import { syncDirectory } from '../../events/files/sync-directory.fs.ts'
import { decodeGenesis, networkIdOf } from '../../events/keys/genesis.ts'
import type { JoinedNetwork, Joining } from '../../events/keys/joined-network.ts'
import { keyOfSeed, randomSeed, sha256, signerFromSeed } from '../../events/keys/signer.sodium.ts'
import { isReadOnly } from '../../events/leveldb/linked-copy.fs.ts'
import { logPaths } from '../../events/leveldb/log-database.level.ts'
import { createLevelLog } from '../../events/log/event-log.level.ts'
import { LogError } from '../../events/log/event-log.ts'
import type { NodeRole } from '../../events/model/event.ts'
import type { NodeId } from '../../events/model/ids.ts'
import { DataDirectoryError, unlessUnusable } from './data-directory-error.ts'
import { keyPath, readSeed } from './key-file.fs.ts'
import { DIRECTORY_FORMAT, lookAtNode, type NodeDescription, nodePath, readNode, writeNode } from './node-file.fs.ts'
import { beginImport, unfinishedImport } from './unfinished-import.fs.ts'

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
    node: nodePath(directory),
    keySeed: keyPath(directory),
    lock: join(directory, 'lock'),
    log: database,
    head,
    projections: join(directory, 'projections'),
    controlSocket: join(directory, 'control.sock'),
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
  const release = lockDirectory(directory, paths)
  try {
    // Where it joins, all of a damaged one is written anew.
    const known = joining === undefined ? readNode(directory) : knownOf(directory)
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
    const ownSeed = readSeed(directory)
    const id = keyOfSeed(ownSeed)
    if (known !== undefined && known.id !== id) {
      const reason = `key.seed is the key of node ${id}, and its node.json is of node ${known.id}`
      throw new DataDirectoryError({ code: 'DIRECTORY_UNUSABLE', directory, reason })
    }
    const joined = joining === undefined ? (known as JoinedNetwork) : joinedAs(joining, id)
    if (joining !== undefined) writeNode(directory, { format: DIRECTORY_FORMAT, role, id, ...joined })
    mkdirSync(paths.projections, { recursive: true })
    const signer = signerFromSeed(ownSeed, joined.network)
    return { directory, paths, role, signer, joined, isNew: known === undefined, [Symbol.dispose]: release }
  } catch (error) {
    release()
    throw error
  }
}

function knownOf(directory: string): NodeDescription | undefined {
  const found = lookAtNode(directory)
  return found !== undefined && 'damage' in found ? undefined : found
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
  return { ...known, paths, [Symbol.dispose]: lockDirectory(directory, paths) }
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

/** Locks a data directory for this process. @returns a function that gives it back */
export function lockDirectory(directory: string, paths: DataPaths = dataPaths(directory)): () => void {
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

// Before node.json, in an order that a crash at any point leaves no node.json, and the next start goes on, or a whole node.
async function createKeyAndLog(directory: string, paths: DataPaths, seed: Uint8Array | undefined): Promise<void> {
  if (!existsSync(paths.keySeed)) {
    if (existsSync(paths.log) || existsSync(paths.head)) {
      throw new DataDirectoryError({ code: 'DIRECTORY_UNUSABLE', directory, reason: 'it has a log, but no key.seed' })
    }
    unlessUnusable(directory, () => replaceFile(paths.keySeed, seed ?? randomSeed()))
  } else {
    // The start that made it may have ended before its name was on the disk, and a log must never be there without it.
    unlessUnusable(directory, () => syncDirectory(directory))
  }
  const id = keyOfSeed(readSeed(directory))
  if (seed !== undefined && id !== keyOfSeed(seed)) {
    throw new DataDirectoryError({ code: 'DIRECTORY_UNUSABLE', directory, reason: 'it has another key already' })
  }
  await createLevelLog(directory, id)
}
