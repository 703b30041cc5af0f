import { TITLE_LENGTH_MAX } from '../../events/index.ts'
import { type TorrentEngine, TorrentError } from '../../torrent/index.ts'
import { type Progressive, type PublishProgress, type PublishRequest, type PublishResult, ServiceError } from '../services.ts'
import { magnetOf } from './magnet.ts'
import type { Publisher } from './publisher.ts'
import type { OwnTorrent, Torrents } from './torrents.ts'

const PROGRESS_MS = 200
const TAGS_MAX = 32
const TAG_LENGTH_MAX = 64

export type PublishParts = { engine: TorrentEngine; torrents: Torrents; publisher: Publisher }

/** Makes a torrent of a file or folder, seeds it, and announces it to the owners of its keywords. */
export async function* publishPath(
  { path, title, tags = [] }: PublishRequest,
  { engine, torrents, publisher }: PublishParts,
): Progressive<PublishProgress, PublishResult> {
  if ((title?.length ?? 0) > TITLE_LENGTH_MAX)
    throw new ServiceError('usage', `a title has at most ${TITLE_LENGTH_MAX} characters`)
  if (title?.trim() === '') throw new ServiceError('usage', 'a title needs at least one word')
  if (tags.length > TAGS_MAX || tags.some((tag) => tag.length > TAG_LENGTH_MAX || tag.trim() === '')) {
    throw new ServiceError('usage', `at most ${TAGS_MAX} tags, each of 1 to ${TAG_LENGTH_MAX} characters`)
  }
  const made = yield* hashing(path, engine)
  await torrents.addOwn(made)
  yield { phase: 'announcing', done: 0, total: 1 }
  const announced = await publisher.publish({
    infoHash: made.infoHash,
    title: title ?? made.name,
    sizeBytes: made.sizeBytes,
    fileCount: made.fileCount,
    tags: [...tags],
  })
  yield { phase: 'announcing', done: 1, total: 1 }
  return {
    infoHash: made.infoHash,
    title: title ?? made.name,
    sizeBytes: made.sizeBytes,
    magnet: magnetOf(made.infoHash, title ?? made.name),
    ...announced,
  }
}

async function* hashing(path: string, engine: TorrentEngine): AsyncGenerator<PublishProgress, OwnTorrent, void> {
  const stop = new AbortController()
  let done = 0
  let total = 0
  let wake = () => {}
  let finished = false
  const work = engine
    .create([path], {
      onProgress: (doneBytes, totalBytes) => {
        done = doneBytes
        total = totalBytes
      },
      signal: stop.signal,
    })
    .finally(() => {
      finished = true
      wake()
    })
  // Its failure is thrown where it is awaited below, not before.
  work.catch(() => {})
  try {
    while (!finished) {
      yield { phase: 'hashing', done, total }
      await new Promise<void>((resolve) => {
        wake = resolve
        setTimeout(resolve, PROGRESS_MS).unref()
      })
    }
    return await work
  } catch (error) {
    if (error instanceof TorrentError) throw new ServiceError('failed', error.message, { cause: error })
    throw error
  } finally {
    if (!finished) stop.abort()
  }
}
