import { TITLE_LENGTH_MAX } from '../../events/index.ts'
import type { TorrentEngine } from '../../torrent/index.ts'
import { magnetOf } from '../magnet.ts'
import { asServiceError } from '../node/service-errors.ts'
import { withProgress } from '../node/with-progress.ts'
import { type Progressive, type PublishProgress, type PublishRequest, type PublishResult, ServiceError } from '../services.ts'
import type { Publisher } from './publisher.ts'
import type { OwnTorrent, Torrents } from './torrents.ts'

const TAGS_MAX = 32
const TAG_LENGTH_MAX = 64

export type PublishParts = { engine: TorrentEngine; torrents: Torrents; publisher: Publisher }

/** Makes a torrent of a file or folder, seeds it, and announces it to the owners of its keywords. */
export async function* publishPath(
  { path, title: asked, tags: askedTags = [] }: PublishRequest,
  { engine, torrents, publisher }: PublishParts,
): Progressive<PublishProgress, PublishResult> {
  if ((asked?.length ?? 0) > TITLE_LENGTH_MAX)
    throw new ServiceError('usage', `a title has at most ${TITLE_LENGTH_MAX} characters`)
  if (askedTags.length > TAGS_MAX || askedTags.some((tag) => tag.length > TAG_LENGTH_MAX || tag.trim() === '')) {
    throw new ServiceError('usage', `at most ${TAGS_MAX} tags, each of 1 to ${TAG_LENGTH_MAX} characters`)
  }
  const made = yield* hashing(path, engine)
  // The same content again: what is not said anew stays as it was.
  const before = publisher.claimOf(made.infoHash)
  const title = asked ?? before?.title ?? made.name
  const tags = askedTags.length > 0 ? askedTags : (before?.tags ?? [])
  if (!publisher.canBeFound(title)) throw new ServiceError('usage', `"${title}" has no word to be found by: give a --title`)
  await torrents.addOwn(made, title)
  yield { phase: 'announcing', done: 0, total: 1 }
  const announced = await publisher.publish({
    infoHash: made.infoHash,
    title,
    sizeBytes: made.sizeBytes,
    fileCount: made.fileCount,
    tags: [...tags],
  })
  yield { phase: 'announcing', done: 1, total: 1 }
  return {
    infoHash: made.infoHash,
    title,
    replaces: before === undefined || before.title === title ? null : before.title,
    sizeBytes: made.sizeBytes,
    magnet: magnetOf(made.infoHash, title),
    ...announced,
  }
}

function hashing(path: string, engine: TorrentEngine): AsyncGenerator<PublishProgress, OwnTorrent, void> {
  return withProgress(async (report, signal) => {
    try {
      return await engine.create([path], { onProgress: (done, total) => report({ phase: 'hashing', done, total }), signal })
    } catch (error) {
      throw asServiceError(error)
    }
  })
}
