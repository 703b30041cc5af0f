import type { InfoHash } from '../events/index.ts'
import { TorrentError } from './engine.ts'
import type { EngineContext } from './engine-context.ts'
import { FilePlaces, type Taken } from './file-places.fs.ts'
import { looksOf } from './file-stamp.ts'
import type { TorrentEntry } from './torrent-entry.ts'

/** Which torrent of an engine has which paths: two never write one. */
export class PathClaims {
  readonly places = new FilePlaces()
  readonly #engine: EngineContext

  constructor(engine: EngineContext) {
    this.#engine = engine
  }

  /** @throws TorrentError `PATH_TAKEN` */
  async claim(entry: TorrentEntry): Promise<void> {
    const taken = await this.places.claim(entry, this.stampedBy(entry))
    if (taken !== undefined) throw this.pathTaken(entry, taken)
  }

  /** What to tell of it. */
  pathTaken(entry: TorrentEntry, { path, by }: Taken, advice = 'add it with --to and another folder'): TorrentError {
    const other = this.#engine.entries.get(by)?.name ?? by
    return new TorrentError('PATH_TAKEN', `"${entry.name}" would stand where "${other}" (${by}) stands, at ${path}: ${advice}`)
  }

  /** Who has a settled file that looks like this: the same file under another path. */
  stampedBy(entry: TorrentEntry): (looks: string) => InfoHash | undefined {
    let all: Map<string, InfoHash> | undefined
    return (looks) => {
      if (all === undefined) {
        all = new Map()
        for (const other of this.#engine.entries.values()) {
          if (other !== entry) for (const each of other.stamps.values()) all.set(looksOf(each), other.infoHash)
        }
      }
      return all.get(looks)
    }
  }
}
