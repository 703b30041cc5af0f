import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../../events/files/replace-file.fs.ts'
import { ServiceError } from '../services.ts'
import type { Fork } from './history-exchange.ts'
import type { Restored } from './own-history.ts'

/** Stands where a node goes on from an older copy of itself, and goes once it knows what else it has said. */
const RESTORED = 'restored.json'

/** When the copy was made, and the last own numbers that are in it. */
export type RestoredMark = {
  readonly from: Restored
  readonly at: number
  readonly gossipSeq: number
  readonly indexSeq: number
}

export function writeRestoredMark(directory: string, mark: RestoredMark): void {
  replaceFile(join(directory, RESTORED), Buffer.from(`${JSON.stringify(mark, null, 2)}\n`))
}

/** The mark, if there is one. One that cannot be read still is a mark. */
export function readRestoredMark(directory: string): RestoredMark | undefined {
  let text: string
  try {
    text = readFileSync(join(directory, RESTORED), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    // Versions before 0.2 did not say `from`: nearly all of their marks were those of backups.
    const { from = 'backup', at = 0, gossipSeq = 0, indexSeq = 0 } = JSON.parse(text) as Partial<RestoredMark>
    return { from, at, gossipSeq, indexSeq }
  } catch {
    return { from: 'backup', at: 0, gossipSeq: 0, indexSeq: 0 }
  }
}

export function removeRestoredMark(directory: string): void {
  rmSync(join(directory, RESTORED), { force: true })
}

const FORKED = 'forked.json'

/**
 * The fork of its own sequence that the node found, so that it stays silent after a restart.
 * @throws ServiceError `damaged` if there is a note of one that cannot be understood: taken for none, the node would fork its
 * sequence further
 */
export function readFork(directory: string): Fork | undefined {
  const path = join(directory, FORKED)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  const fork = forkIn(text)
  if (fork !== undefined) return fork
  throw new ServiceError(
    'damaged',
    `${path} cannot be understood. It says where this node's own events forked, after which others believe them no more: ` +
      'start a node with a new data directory and thus a new key, or write the file as ' +
      '{"stream":"gossip" or "index","authorSeq":NUMBER} if you know what it said',
  )
}

function forkIn(text: string): Fork | undefined {
  try {
    const { stream, authorSeq } = JSON.parse(text) as Partial<Fork>
    if ((stream === 'gossip' || stream === 'index') && Number.isSafeInteger(authorSeq)) return { stream, authorSeq } as Fork
  } catch {
    // Neither JSON nor an object: no fork in it.
  }
  return undefined
}

export function writeFork(directory: string, fork: Fork): void {
  replaceFile(join(directory, FORKED), Buffer.from(`${JSON.stringify(fork, null, 2)}\n`))
}
