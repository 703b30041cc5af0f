import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { TorrentError } from './engine.ts'

// What must never be published: the data directory of a node and the folder of a network's owner, whose keys would let
// anybody speak in their name. Of this node, places are compared by device and inode, so links, `..`, bind mounts and file
// systems that fold case make no difference; keys of others, and copies, are known by their name and length.

/** What is in a data directory and may be published. */
const DOWNLOADS = 'downloads'
const NODE_FILES = ['node.json', 'key.seed']
const OWNER_FILES = ['network.json', 'owner.seed']
const KEY_FILES = ['key.seed', 'owner.seed']
const KEY_BYTES = 32n

type Identity = { dev: bigint; ino: bigint }
type Found = Identity & { size: bigint; isFile(): boolean }
const identityOf = ({ dev, ino }: Identity): string => `${dev}:${ino}`

const refuse = (why: string): never => {
  throw new TorrentError('PRIVATE', `${why}; its key would let anybody speak in its name`)
}
const OF_NODE = 'belongs to the data directory of a node, and is not published'
const OF_OWNER = 'belongs to the folder of a network’s owner, and is not published'

/** As it was when it was made, and when each folder was first asked about: for one publication, or some within a second. */
export class PrivatePlaces {
  /** The node's own data directory and what is directly in it, but for its downloads. */
  readonly #own: ReadonlySet<string>
  /** Folders that the data directory is in. */
  readonly #around: ReadonlySet<string>
  /** What was found out about folders: many files of one are asked about. */
  readonly #folders = new Map<string, Promise<'owner' | 'node' | undefined>>()

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
    checkIsNoKey(real, itself)
    const whose = await this.#whose(real, itself)
    if (whose !== undefined) refuse(`${real} ${whose === 'owner' ? OF_OWNER : OF_NODE}`)
  }

  /**
   * Checks a folder that is there, before files of torrents are put into it or below it.
   * @throws TorrentError `PRIVATE`
   */
  async checkTarget(real: string): Promise<void> {
    if ((await this.#whose(real, await stat(real, { bigint: true }))) === undefined) return
    const why = 'belongs to the data directory of a node or to a network’s owner: choose another folder'
    throw new TorrentError('PRIVATE', `${real} ${why}`)
  }

  /** Whose folder it is in; undefined for one that is nobody's, and for downloads. */
  async #whose(real: string, found: Identity & { isFile(): boolean }): Promise<'owner' | 'node' | undefined> {
    if (!found.isFile()) return this.#whoseFolder(real, undefined)
    return this.#own.has(identityOf(found)) ? 'node' : this.#whoseFolder(dirname(real), basename(real))
  }

  /** @param below which entry of it is asked about */
  #whoseFolder(folder: string, below: string | undefined): Promise<'owner' | 'node' | undefined> {
    const ofDownloads = below === DOWNLOADS
    const key = `${ofDownloads ? DOWNLOADS : ''}:${folder}`
    let whose = this.#folders.get(key)
    if (whose === undefined) {
      whose = this.#lookAtFolder(folder, ofDownloads)
      this.#folders.set(key, whose)
    }
    return whose
  }

  async #lookAtFolder(folder: string, ofDownloads: boolean): Promise<'owner' | 'node' | undefined> {
    if (await holds(folder, OWNER_FILES)) return 'owner'
    const isOwn = this.#own.has(identityOf(await stat(folder, { bigint: true })))
    if (isOwn || (await holds(folder, NODE_FILES))) return ofDownloads ? undefined : 'node'
    return dirname(folder) === folder ? undefined : this.#whoseFolder(dirname(folder), basename(folder))
  }

  /**
   * Checks what was found within.
   * @param names all that is in it, for a folder
   * @throws TorrentError `PRIVATE`
   */
  checkFound(path: string, found: Found, names?: ReadonlySet<string>): void {
    const hasAll = (files: readonly string[]): boolean => names !== undefined && files.every((file) => names.has(file))
    if (hasAll(OWNER_FILES)) refuse(`${path} ${OF_OWNER}`)
    if (hasAll(NODE_FILES) || this.#own.has(identityOf(found))) refuse(`${path} ${OF_NODE}`)
    checkIsNoKey(path, found)
  }
}

function checkIsNoKey(path: string, found: Found): void {
  if (found.isFile() && found.size === KEY_BYTES && KEY_FILES.includes(basename(path)))
    refuse(`${path} is the key of a node or of a network’s owner, and is not published`)
}

async function holds(folder: string, files: readonly string[]): Promise<boolean> {
  return (await identities(files.map((file) => join(folder, file)))).size === files.length
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
