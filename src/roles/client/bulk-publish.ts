import { open, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { InfoHash } from '../../events/index.ts'
import type { Download } from '../../projections/downloads/index.ts'
import { looksOfPath, looksOfTorrent, realPath, TORRENT_FILE_BYTES_MAX } from '../../torrent/index.ts'
import { magnetOf } from '../magnet.ts'
import { asServiceError } from '../node/service-errors.ts'
import { withProgress } from '../node/with-progress.ts'
import {
  type BulkItem,
  type BulkOutcome,
  type BulkProgress,
  type BulkRequest,
  type Progressive,
  ServiceError,
} from '../services.ts'
import { checkDetails, detailsOf } from './publication-details.ts'
import type { PublishParts } from './publish-path.ts'
import type { OwnTorrent } from './torrent-additions.ts'

// Many publications: files are looked at and hashed some at a time, and what is through goes to the log and to owners together.

/** Items looked at and hashed at a time by one call: enough that each write to the log is for several. */
const AT_A_TIME = 16
/** So many go to the log in one write, or those that come within so long, ms: each write costs as much as hashing some small files. */
const TOGETHER = 8
const TOGETHER_MS = 10

type Made = { readonly made: OwnTorrent; readonly title: string; readonly tags: readonly string[] }
type Waiting = Made & { taken(outcome: Taken): void }
/** Why it was not, or what waits for its owners. */
type Taken = { reason: string } | { settled: Promise<BulkOutcome> }

export function publishMany(request: BulkRequest, parts: PublishParts): Progressive<BulkProgress, BulkOutcome[]> {
  return withProgress((report, signal) => new BulkPublication(request, parts, report, signal).run())
}

class BulkPublication {
  readonly #request: BulkRequest
  readonly #parts: PublishParts
  readonly #report: (progress: BulkProgress) => void
  readonly #signal: AbortSignal
  readonly #standing: ReadonlyMap<string, readonly Download[]>
  #waiting: Waiting[] = []
  #isTaking = false
  #isFull = () => {}
  #done = 0
  #bytes = 0

  constructor(request: BulkRequest, parts: PublishParts, report: (progress: BulkProgress) => void, signal: AbortSignal) {
    this.#request = request
    this.#parts = parts
    this.#report = report
    this.#signal = signal
    this.#standing = standingOf(parts.torrents.downloads())
  }

  async run(): Promise<BulkOutcome[]> {
    const outcomes: Promise<BulkOutcome>[] = []
    const left = this.#request.items.entries()
    const work = async () => {
      for (const [place, item] of left) {
        this.#signal.throwIfAborted()
        const taken = await this.#publish(item)
        outcomes[place] = 'settled' in taken ? taken.settled : Promise.resolve({ outcome: 'failed', ...taken })
        void outcomes[place].then(() => {
          this.#done += 1
          this.#tell()
        })
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, work))
    return Promise.all(outcomes)
  }

  #tell(): void {
    this.#report({ done: this.#done, bytes: this.#bytes })
  }

  async #publish(item: BulkItem): Promise<Taken> {
    try {
      checkDetails(item)
      const found = (await this.#isTorrentFile(item)) ? await this.#others(item) : await this.#own(item)
      return 'made' in found ? await this.#takeUp(found) : found
    } catch (error) {
      this.#signal.throwIfAborted()
      const { message } = asServiceError(error) as Error
      return { reason: message }
    }
  }

  /** Of what stands at a path. */
  async #own({ path, ...item }: BulkItem): Promise<Taken | Made> {
    const { engine, dataDirectory } = this.#parts
    const { hidden = false, hybrid = false } = this.#request
    const real = await realPath(path)
    const known = this.#standing.get(real ?? '')?.find((each) => isHybrid(each) === hybrid)
    if (real !== undefined && known !== undefined) {
      const looks = await looksOfPath(real, { hidden, signal: this.#signal })
      const isAsItWas = looks !== undefined && isSame(known, looks.stamps) && looks.fileCount === (await this.#filesOf(known))
      const unchanged = isAsItWas ? this.#unchanged(known.infoHash, item) : undefined
      if (unchanged !== undefined) return unchanged
    }
    const made = await engine.create([path], {
      ...{ dataDirectory, hidden, hybrid, signal: this.#signal },
      onProgress: this.#hashed(),
    })
    return this.#described(made, item)
  }

  /** Of a torrent that others made. */
  async #others({ path, directory = dirname(path), ...item }: BulkItem): Promise<Taken | Made> {
    const { engine, dataDirectory } = this.#parts
    const torrentFile = await readBounded(path)
    const [looks, real] = await Promise.all([looksOfTorrent(torrentFile, directory), realPath(directory)])
    const known = looks && this.#parts.torrents.seeded(looks.infoHash)
    if (looks !== undefined && known !== undefined && known.directory === real) {
      const unchanged = isSame(known, looks.stamps) ? this.#unchanged(looks.infoHash, item) : undefined
      if (unchanged !== undefined) return unchanged
    }
    const made = await engine.standing(torrentFile, {
      ...{ directory, dataDirectory, signal: this.#signal },
      onProgress: this.#hashed(),
    })
    return this.#described(made, item)
  }

  async #isTorrentFile({ path }: BulkItem): Promise<boolean> {
    return path.endsWith('.torrent') && (await stat(path).catch(() => undefined))?.isFile() === true
  }

  #hashed(): (done: number) => void {
    let before = 0
    return (done) => {
      this.#bytes += done - before
      before = done
      this.#tell()
    }
  }

  async #filesOf({ torrentFile }: Download): Promise<number> {
    if (torrentFile === undefined) return 0
    const { paths = [] } = await this.#parts.engine.inspect({ kind: 'torrent-file', bytes: torrentFile })
    return paths.filter((path) => path !== '').length
  }

  /** Undefined where it is not seeded well, in no index, or to be called otherwise. */
  #unchanged(infoHash: InfoHash, { title: asked, tags: askedTags = [] }: Omit<BulkItem, 'path'>): Taken | undefined {
    const { torrents, publisher } = this.#parts
    const [seeded, claim] = [torrents.seeded(infoHash), publisher.claimOf(infoHash)]
    if (seeded === undefined || claim?.isPublished !== true) return undefined
    const { title, tags } = claim
    if (asked !== undefined && asked !== title) return undefined
    if (askedTags.length > 0 && askedTags.join('\n') !== tags.join('\n')) return undefined
    const { sizeBytes } = seeded
    const magnet = magnetOf(infoHash, title)
    return { settled: Promise.resolve({ outcome: 'unchanged', infoHash, title, sizeBytes, magnet }) }
  }

  #described(made: OwnTorrent, item: Omit<BulkItem, 'path'>): Made {
    this.#signal.throwIfAborted()
    return { made, ...detailsOf(made, item, this.#parts.publisher) }
  }

  /** What is hashed by then goes to the log with it. From here on it is done whether somebody waits for it or not. */
  #takeUp(made: Made): Promise<Taken> {
    return new Promise((taken) => {
      this.#waiting.push({ ...made, taken })
      if (this.#waiting.length >= TOGETHER) this.#isFull()
      if (!this.#isTaking) void this.#takeAll()
    })
  }

  async #takeAll(): Promise<void> {
    this.#isTaking = true
    while (this.#waiting.length > 0) {
      // One that is hashed for hours holds up nobody.
      if (this.#waiting.length < TOGETHER) await this.#untilFull()
      const all = this.#waiting
      this.#waiting = []
      try {
        await this.#takeUpNow(all)
      } catch (error) {
        for (const { taken } of all) taken({ reason: (asServiceError(error) as Error).message })
      }
    }
    this.#isTaking = false
  }

  #untilFull(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, TOGETHER_MS)
      this.#isFull = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #takeUpNow(all: readonly Waiting[]): Promise<void> {
    const { torrents, publisher } = this.#parts
    const problems = await torrents.addManyOwn(all)
    const good: Waiting[] = []
    for (const [place, one] of all.entries()) {
      const problem = problems[place]
      if (problem === undefined) good.push(one)
      else one.taken({ reason: problem.message })
    }
    const announced = await publisher.publishMany(
      good.map(({ made: { infoHash, sizeBytes, fileCount }, title, tags }) => ({
        ...{ infoHash, title, sizeBytes, fileCount },
        tags: [...tags],
      })),
    )
    for (const [place, { made, title, taken }] of good.entries()) {
      const { infoHash, sizeBytes } = made
      const settled = announced[place]?.then(({ acknowledged, pending, refused }) => ({
        ...{ outcome: 'published' as const, infoHash, title, sizeBytes, magnet: magnetOf(infoHash, title) },
        ...{ acknowledged, pending, refused },
      }))
      taken(settled === undefined ? { reason: 'the log took nothing' } : { settled })
    }
  }
}

/** Those that may stand where they stood, by their real paths. */
function standingOf(downloads: readonly Download[]): Map<string, Download[]> {
  const standing = new Map<string, Download[]>()
  for (const download of downloads) {
    const { directory, name, names, move, origin } = download
    if (origin !== 'publish' || names.size > 0 || move !== null) continue
    const path = join(directory, name)
    const others = standing.get(path)
    // The latest first: what stood there before stands there no more.
    if (others === undefined) standing.set(path, [download])
    else others.unshift(download)
  }
  return standing
}

/** All that holds anything looks as it did: size, mtime, inode and ctime. */
function isSame({ stamps }: Download, now: readonly string[]): boolean {
  if (stamps.size !== now.length || now.length === 0) return false
  const before = new Set(stamps.values())
  return now.every((stamp) => before.has(stamp))
}

/** By the key of its info dictionary that says so (BEP 52). */
const isHybrid = ({ torrentFile }: Download): boolean =>
  torrentFile !== undefined &&
  Buffer.from(torrentFile.buffer, torrentFile.byteOffset, torrentFile.length).includes(META_VERSION)
const META_VERSION = '12:meta version'

async function readBounded(path: string): Promise<Uint8Array> {
  // Of a file that grows no more is read than one byte too many.
  const file = await open(path)
  try {
    const bytes = Buffer.alloc(Math.min((await file.stat()).size, TORRENT_FILE_BYTES_MAX) + 1)
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
    if (bytesRead < bytes.length) return bytes.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
  throw new ServiceError(
    'usage',
    `${path} is not a torrent file: it is longer than ${TORRENT_FILE_BYTES_MAX / 1024 / 1024} MiB`,
  )
}
