import { readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { TorrentError } from './engine.ts'

// What must never be published: the data directory of a node, whose key would let anybody speak in its name. Places are
// compared by device and inode, so links, `..`, bind mounts and file systems that fold case make no difference.

/** What is in a data directory and may be published. */
const DOWNLOADS = 'downloads'
const NODE_FILE = 'node.json'
const KEY_FILE = 'key.seed'

type Identity = { dev: bigint; ino: bigint }
const identityOf = ({ dev, ino }: Identity): string => `${dev}:${ino}`

const refuse = (why: string): never => {
  throw new TorrentError('PRIVATE', `${why}; its key would let anybody speak in its name`)
}

export class PrivatePlaces {
  /** The node's own data directory and what is directly in it, but for its downloads. */
  readonly #own: ReadonlySet<string>
  /** Folders that the data directory is in. */
  readonly #around: ReadonlySet<string>

  private constructor(own: ReadonlySet<string>, around: ReadonlySet<string>) {
    this.#own = own
    this.#around = around
  }

  /** @param dataDirectory of this node; undefined for an engine without one */
  static async of(dataDirectory: string | undefined): Promise<PrivatePlaces> {
    if (dataDirectory === undefined) return new PrivatePlaces(new Set(), new Set())
    const real = await realpath(dataDirectory)
    const inside = (await readdir(real)).filter((name) => name !== DOWNLOADS).map((name) => join(real, name))
    return new PrivatePlaces(await identities([real, ...inside]), await identities(ancestors(real).slice(1)))
  }

  /**
   * Checks what a person named, by its real path.
   * @throws TorrentError `PRIVATE`
   */
  async checkNamed(real: string): Promise<void> {
    const itself = await stat(real, { bigint: true })
    if (this.#around.has(identityOf(itself))) refuse(`${real} holds the data directory of this node, and is not published`)
    let below: string | undefined
    for (const folder of ancestors(real)) {
      const ofDownloads = below === DOWNLOADS
      below = folder.slice(folder.lastIndexOf(sep) + 1)
      const isOwn = this.#own.has(identityOf(await stat(folder, { bigint: true })))
      if (ofDownloads) {
        if (isOwn || (await isDataDirectory(folder))) return
      } else if (isOwn || (await isDataDirectory(folder))) {
        refuse(`${real} belongs to the data directory of a node, and is not published`)
      }
    }
  }

  /**
   * Checks what was found within.
   * @param names all that is in it, for a folder
   * @throws TorrentError `PRIVATE`
   */
  checkFound(path: string, found: Identity, names?: ReadonlySet<string>): void {
    const isKept = names?.has(NODE_FILE) === true && names.has(KEY_FILE)
    if (isKept || this.#own.has(identityOf(found)))
      refuse(`${path} belongs to the data directory of a node, and is not published`)
  }
}

async function isDataDirectory(folder: string): Promise<boolean> {
  const found = await identities([join(folder, NODE_FILE), join(folder, KEY_FILE)])
  return found.size === 2
}

/** The path itself, the folder it is in, and so on to the root. */
function ancestors(path: string): string[] {
  const all = [path]
  for (let at = path; dirname(at) !== at; at = dirname(at)) all.push(dirname(at))
  return all
}

async function identities(paths: readonly string[]): Promise<Set<string>> {
  const found = await Promise.all(paths.map((path) => stat(path, { bigint: true }).then(identityOf, () => undefined)))
  return new Set(found.filter((each) => each !== undefined))
}
