import { isAbsolute } from 'node:path'
import { type Draft, type NameOnDisk, utf8Length } from '../../events/index.ts'
import type { Download } from '../../projections/downloads/index.ts'
import type { AddOptions, TorrentEngine, TorrentFile } from '../../torrent/index.ts'
import { type MoveProgress, ServiceError } from '../services.ts'
import { changedText } from './changed-files.ts'
import { stamped } from './download-events.ts'

// Files of a torrent that are put elsewhere, or called otherwise. The engine does it step by step; each step is an event, so
// that a node which dies in between knows at its next start where the files are, and what to take away.

const DIRECTORY_BYTES_MAX = 4_096

export type RelocationParts = {
  engine: TorrentEngine
  /** Of this node. */
  dataDirectory: string | undefined
  record(events: readonly Draft['event'][]): Promise<void>
  /** What the engine told before is in the log. */
  settled(): Promise<void>
}

/** Takes the torrent there, or leaves it as it was. @throws TorrentError, ServiceError, the signal's reason */
export async function relocate(
  { infoHash, directory: before, move, changed, ...download }: Download,
  to: { directory?: string; names?: readonly NameOnDisk[] },
  { engine, dataDirectory, record, settled }: RelocationParts,
  { signal, onProgress }: { signal: AbortSignal; onProgress?: (progress: MoveProgress) => void },
): Promise<void> {
  if (changed !== null) throw new ServiceError('failed', changedText({ infoHash, directory: before }, changed))
  if (engine.status(infoHash) === undefined)
    throw new ServiceError('failed', `"${download.name}" was not taken up: see \`p2pt client status\``)
  const { directory = before, names = [] } = to
  if (directory === before && names.length === 0 && move === null) return
  const stopped = untilAborted(signal)
  stopped.catch(() => {})
  await engine.place(infoHash, {
    ...{ directory, names, signal },
    ...(move && { elsewhere: elsewhereOf(move) }),
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
    ...(onProgress && { onProgress: (done, total) => onProgress({ done, total }) }),
    begun: () => record([{ kind: 'download.moving', infoHash, directory, names: [...names] }]),
    async staged(stamps) {
      // How files looked in the old place is not to be told after how they look in the new one.
      await Promise.race([settled(), stopped])
      await record([{ kind: 'download.moved', infoHash }, ...stamped(infoHash, stamps)])
    },
    cleared: () => record([{ kind: 'download.tidied', infoHash }]),
  })
}

/** Where a move that was cut off may have left some of its files. */
export function elsewhereOf({ directory, names, isDone }: NonNullable<Download['move']>): NonNullable<AddOptions['elsewhere']> {
  return { directory, names, wasMoved: isDone }
}

/** @throws ServiceError `usage` */
export function checkDirectory(directory: string): string {
  if (!isAbsolute(directory) || directory.includes('\0') || utf8Length(directory) > DIRECTORY_BYTES_MAX)
    throw new ServiceError('usage', `${JSON.stringify(directory.slice(0, 100))} is no absolute path of a folder`)
  return directory
}

/**
 * Which name a person means.
 * @param text the number of a file from 1, its path or its name, or the name of the torrent's folder
 * @throws ServiceError `usage`
 */
export function nameFor(text: string, name: string, files: readonly TorrentFile[]): NameOnDisk {
  if (name === '') throw new ServiceError('usage', 'an empty text is no name of a file')
  const isAlone = !files[0]?.path.includes('/')
  const top = files[0]?.path.split('/')[0]
  if (!isAlone && text.replace(/\/$/, '') === top) return { file: null, name }
  const inside = (path: string) => path.slice(path.indexOf('/') + 1)
  const ofNumber = /^\d{1,6}$/.test(text) ? files.filter(({ file }) => file === Number(text) - 1) : []
  const ofPath = files.filter(({ path }) => path === text || inside(path) === text)
  const ofName = files.filter(({ path }) => path.slice(path.lastIndexOf('/') + 1) === text)
  const found = [ofNumber, ofPath, ofName].find((each) => each.length > 0) ?? []
  const [only] = found
  if (only === undefined)
    throw new ServiceError(
      'usage',
      `no file of the torrent is ${JSON.stringify(text.slice(0, 100))}; see \`p2pt client files\``,
    )
  if (found.length > 1)
    throw new ServiceError(
      'usage',
      `${found.length} files are named ${JSON.stringify(text.slice(0, 100))}: give a number or a path`,
    )
  return { file: isAlone ? null : only.file, name }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
