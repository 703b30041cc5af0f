import { TAG_BYTES_MAX, TAGS_MAX, TITLE_BYTES_MAX, utf8Length } from '../../events/index.ts'
import type { TorrentEngine } from '../../torrent/index.ts'
import { magnetOf } from '../magnet.ts'
import { asServiceError } from '../node/service-errors.ts'
import { withProgress } from '../node/with-progress.ts'
import { type Progressive, type PublishProgress, type PublishRequest, type PublishResult, ServiceError } from '../services.ts'
import type { Publisher } from './publisher.ts'
import type { Torrents } from './torrents.ts'

export type PublishParts = {
  engine: TorrentEngine
  torrents: Torrents
  publisher: Publisher
  /** Of this node: nothing in it is published but its downloads. */
  dataDirectory: string
}

/** Makes a torrent of a file or folder, seeds it, and announces it to the owners of its keywords. */
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
  { path, title: asked, tags: askedTags = [], hidden = false }: PublishRequest,
  { engine, torrents, publisher, dataDirectory }: PublishParts,
  report: (progress: PublishProgress) => void,
  signal: AbortSignal,
): Promise<PublishResult> {
  if (utf8Length(asked ?? '') > TITLE_BYTES_MAX) throw new ServiceError('usage', `a title has at most ${TITLE_BYTES_MAX} bytes`)
  if (askedTags.length > TAGS_MAX || askedTags.some((tag) => utf8Length(tag) > TAG_BYTES_MAX || tag.trim() === '')) {
    throw new ServiceError('usage', `at most ${TAGS_MAX} tags, each of 1 to ${TAG_BYTES_MAX} bytes`)
  }
  const made = await engine.create([path], {
    ...{ dataDirectory, hidden, signal },
    onWalk: (files) => report({ phase: 'walking', done: files, total: null }),
    onProgress: (done, total) => report({ phase: 'hashing', done, total }),
  })
  // The same content again: what is not said anew stays as it was.
  const before = publisher.claimOf(made.infoHash)
  const title = asked ?? before?.title ?? made.name
  const tags = askedTags.length > 0 ? askedTags : (before?.tags ?? [])
  if (!publisher.canBeFound(title)) throw new ServiceError('usage', `"${title}" has no word to be found by: give a --title`)
  // From here on it is done whether somebody waits for it or not: a torrent that is seeded and in no index helps nobody.
  signal.throwIfAborted()
  await torrents.addOwn(made, title)
  report({ phase: 'announcing', done: 0, total: 1 })
  const announced = await publisher.publish({
    infoHash: made.infoHash,
    title,
    sizeBytes: made.sizeBytes,
    fileCount: made.fileCount,
    tags: [...tags],
  })
  report({ phase: 'announcing', done: 1, total: 1 })
  const { hidden: hiddenOnes, link, special } = made.skipped
  return {
    infoHash: made.infoHash,
    title,
    replaces: before === undefined || before.title === title ? null : before.title,
    sizeBytes: made.sizeBytes,
    magnet: magnetOf(made.infoHash, title),
    ...announced,
    skipped: { hidden: hiddenOnes, links: link, special },
  }
}
