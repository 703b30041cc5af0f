import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fork } from './history-exchange.ts'

/** Stands in a backup; a node that starts there takes it away once it knows what it said after the backup was made. */
export const RESTORED = 'restored.json'

/** When the backup was made, and the last own numbers that are in it. */
export type RestoredMark = { readonly at: number; readonly gossipSeq: number; readonly indexSeq: number }

/** The mark, if this directory is a backup. One that cannot be read still is a mark. */
export function readRestoredMark(directory: string): RestoredMark | undefined {
  let text: string
  try {
    text = readFileSync(join(directory, RESTORED), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const { at = 0, gossipSeq = 0, indexSeq = 0 } = JSON.parse(text) as Partial<RestoredMark>
    return { at, gossipSeq, indexSeq }
  } catch {
    return { at: 0, gossipSeq: 0, indexSeq: 0 }
  }
}

export function removeRestoredMark(directory: string): void {
  rmSync(join(directory, RESTORED), { force: true })
}

const FORKED = 'forked.json'

/** The fork of its own sequence that the node found, so that it stays silent after a restart. */
export function readFork(directory: string): Fork | undefined {
  try {
    const { stream, authorSeq } = JSON.parse(readFileSync(join(directory, FORKED), 'utf8')) as Partial<Fork>
    return stream === undefined || authorSeq === undefined ? undefined : { stream, authorSeq }
  } catch {
    return undefined
  }
}

export function writeFork(directory: string, fork: Fork): void {
  writeFileSync(join(directory, FORKED), `${JSON.stringify(fork, null, 2)}\n`, { mode: 0o600 })
}
