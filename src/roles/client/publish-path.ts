import type { InfoHash } from '../../events/index.ts'
import type { TorrentEngine } from '../../torrent/index.ts'
import { magnetOf } from '../magnet.ts'
import { asServiceError } from '../node/service-errors.ts'
import { withProgress } from '../node/with-progress.ts'
import { type Progressive, type PublishProgress, type PublishRequest, type PublishResult, ServiceError } from '../services.ts'
import { checkDetails, detailsOf } from './publication-details.ts'
import type { Publisher } from './publisher.ts'
import type { Torrents } from './torrents.ts'

export type PublishParts = {
  engine: TorrentEngine
  torrents: Torrents
  publisher: Publisher
  /** Of this node: nothing in it is published but its downloads. */
  dataDirectory: string
}

/**
 * Makes a torrent of a file or folder, or takes one that others made and whose files are here, seeds it, and announces it to the owners
 * of its keywords.
 */
export function publishPath(request: PublishRequest, parts: PublishParts): Progressive<PublishProgress, PublishResult> {
  return withProgress(async (report, signal) => {
    try {
      return await publish(request, parts, report, signal)
    } catch (error) {
      throw asServiceError(error)
    }
  })
}

async function publish(
  { path, torrentFile, directory, title: asked, tags: askedTags, hidden = false, hybrid = false }: PublishRequest,
  { engine, torrents, publisher, dataDirectory }: PublishParts,
  report: (progress: PublishProgress) => void,
  signal: AbortSignal,
): Promise<PublishResult> {
  checkDetails({ title: asked, tags: askedTags })
  if ((path === undefined) === (torrentFile === undefined))
    throw new ServiceError('usage', 'give either a path or a torrent file to publish')
  const own =
    path === undefined
      ? undefined
      : await engine.create([path], {
          ...{ dataDirectory, hidden, hybrid, signal },
          onWalk: (files) => report({ phase: 'walking', done: files, total: null }),
          onProgress: (done, total) => report({ phase: 'hashing', done, total }),
        })
  const others = { torrentFile: torrentFile ?? '', ...(directory === undefined ? {} : { directory }) }
  const made: TakenUp = own ?? (await takenUp(others, torrents, report, signal))
  const { title, tags, before } = detailsOf(made, { title: asked, tags: askedTags }, publisher)
  // From here on it is done whether somebody waits for it or not: a torrent that is seeded and in no index helps nobody.
  signal.throwIfAborted()
  if (own !== undefined) await torrents.addOwn(own, title)
  report({ phase: 'announcing', done: 0, total: 1 })
  const { infoHash, sizeBytes, fileCount } = made
  const announced = await publisher.publish({ infoHash, title, sizeBytes, fileCount, tags: [...tags] })
  report({ phase: 'announcing', done: 1, total: 1 })
  const { hidden: hiddenOnes, link, special } = own?.skipped ?? NOTHING_SKIPPED
  return {
    ...{ infoHash, title, sizeBytes },
    replaces: before === undefined || before === title ? null : before,
    magnet: magnetOf(infoHash, title),
    ...announced,
    skipped: { hidden: hiddenOnes, links: link, special },
  }
}

const NONE = { count: 0, first: [] }
const NOTHING_SKIPPED = { hidden: NONE, link: NONE, special: NONE }

type TakenUp = { infoHash: InfoHash; name: string; sizeBytes: number; fileCount: number }

/**
 * A torrent that others made: it is added where it is not here yet, and what stands where its files go is looked at.
 * @throws ServiceError `failed` where pieces are missing: who offers it in the index holds all of it. It downloads then.
 */
async function takenUp(
  request: { torrentFile: string; directory?: string },
  torrents: Torrents,
  report: (progress: PublishProgress) => void,
  signal: AbortSignal,
): Promise<TakenUp> {
  const { infoHash } = await torrents.addOrFind(request)
  const rows = torrents.follow(infoHash)
  for (;;) {
    signal.throwIfAborted()
    const { done, value: row } = await rows.next()
    report({ phase: 'hashing', done: row.piecesVerified, total: Math.max(1, row.pieceCount) })
    if (done === true || row.state === 'seeding') break
    if (row.state === 'checking') continue
    await rows.return(row)
    const what = `${row.piecesVerified} of its ${row.pieceCount} pieces are in ${row.directory}`
    const later = row.state === 'downloading' ? 'it downloads now: publish it again when it is complete' : `it is ${row.state}`
    throw new ServiceError('failed', `"${row.name}" cannot be offered yet: ${what}; ${later}`)
  }
  const { name, sizeBytes } = torrents.row(infoHash)
  return { infoHash: infoHash as InfoHash, name, sizeBytes, fileCount: (await torrents.files(infoHash)).length }
}
