import { type Bencoded, type BencodedDictionary, countItems, itemsOf } from '../bencode.ts'
import { isLonger, numbered, PLACEHOLDER, readFileName, shownName } from './file-name.ts'
import { FILE_COUNT_MAX, PATH_BYTES_MAX, PATH_DEPTH_MAX } from './limits.ts'
import { quoted, refuse } from './refusal.ts'

// The files of a torrent (BEP 3, 47) and what each is called on the disk.

export type MetainfoFile = {
  /** Relative to the download directory, the torrent's name first. */
  path: readonly string[]
  /** As the torrent has it, where a person calls it otherwise (placement.ts). */
  ownPath?: readonly string[]
  lengthBytes: number
  /** Never on the disk: alignment, which is zeros, and symbolic links, which have no bytes and could lead anywhere (BEP 47). */
  padding: boolean
}

/** A file that is called otherwise on the disk than in its torrent; paths with slashes. */
export type RenamedFile = { readonly from: string; readonly to: string }

export type FileList = { files: MetainfoFile[]; renamed: RenamedFile[] }

/** BitComet's name of alignment, from before BEP 47. */
const BITCOMET_PADDING = '_____padding_file_'
/** Names that are tried for files whose own is taken, over all of them: as many as files that are all called alike need, twice. */
const RENAMES_MAX = 2 * FILE_COUNT_MAX

/** Files between two steps: some milliseconds. */
const STEP_FILES = 1_000

/**
 * The files that an info dictionary lists, the first half of a hybrid (BEP 52) included; in steps, as there may be 65,536.
 * @param info with its list of files as bytes
 * @param infoHash the name of a torrent whose own says nothing
 * @throws TorrentError `TORRENT_REFUSED`; BencodeError
 */
export function* fileListOf(info: BencodedDictionary, infoHash: string): Generator<void, FileList & { name: string }> {
  const list = bytesAt(info, 'files') ?? NO_LIST
  const count = countItems(list)
  const raw = bytesAt(info, 'name.utf-8') ?? bytesAt(info, 'name') ?? refuse('it has no name')
  if (count === undefined) {
    const { shown, name = '' } = readFileName(raw, true)
    if (raw.length === 0 || name === '') refuse('it has no name that a file can have')
    const files = [{ path: [name], lengthBytes: lengthOf(info, () => name), padding: false }]
    return { name, files, renamed: name === shown ? [] : [{ from: shown, to: name }] }
  }
  if (count === 0) refuse('it holds no files')
  if (count > FILE_COUNT_MAX) refuse(`it has ${count} files, at most ${FILE_COUNT_MAX} are accepted`)
  const { shown, name = infoHash } = readFileName(raw, true)
  const files: MetainfoFile[] = []
  const kept: MetainfoFile[] = []
  /** How those are meant whose names are not their own. */
  const others = new Map<MetainfoFile, string>()
  for (const entry of itemsOf(list, { lenient: true })) {
    const { file, from } = entryOf(entry, name, shown)
    files.push(file)
    if (!file.padding) kept.push(file)
    if (from !== undefined) others.set(file, from)
    if (files.length % STEP_FILES === 0) yield
  }
  yield* resolveSame(kept, others)
  const renamed = kept.flatMap((file) => {
    const from = others.get(file)
    return from === undefined ? [] : [{ from, to: file.path.join('/') }]
  })
  return { name, files, renamed: renamed.filter(({ from, to }) => from !== to) }
}

/** A list of files that is none, as one that is not there. */
const NO_LIST = new Uint8Array()

/** A path below the torrent's name: its parts as they stand on the disk, and as they were meant where that is not the same. */
export function pathOf(parts: readonly Uint8Array[]): { path: string[]; shown: string | undefined } {
  if (parts.length > PATH_DEPTH_MAX) refuse(`a path has ${parts.length} parts, at most ${PATH_DEPTH_MAX} are accepted`)
  const path: string[] = []
  let isOther = false
  for (const [at, part] of parts.entries()) {
    const { name, shown } = readFileName(part, at === 0)
    if (name !== undefined) path.push(name)
    isOther ||= name !== shown
  }
  const shown = isOther ? parts.map(shownName).join('/') : undefined
  return { path: path.length > 0 ? path : [PLACEHOLDER], shown }
}

/** `from`: as it was meant, where it is called otherwise. */
type Entry = { file: MetainfoFile; from: string | undefined }

function entryOf(entry: Bencoded, name: string, meant: string): Entry {
  if (!(entry instanceof Map)) return refuse('an entry of its list of files is not a dictionary')
  const attr = bytesAt(entry, 'attr')
  const attributes = attr === undefined ? '' : shownName(attr)
  const target = entry.get('symlink path')
  const hasLength = !attributes.includes('l')
  const isLink = !hasLength && Array.isArray(target) && target.length > 0
  const parts = partsOf(entry)
  if (attributes.includes('p') || isOfBitComet(parts?.at(-1))) {
    const lengthBytes = hasLength ? lengthOf(entry, () => 'a padding file') : 0
    return { file: { path: [name, '.pad', String(lengthBytes)], lengthBytes, padding: true }, from: undefined }
  }
  if (parts === undefined) return refuse('a file has no path')
  const below = pathOf(parts)
  const { path, shown } = below
  const from = shown === undefined && name === meant ? undefined : `${meant}/${shown ?? path.join('/')}`
  const lengthBytes = hasLength ? lengthOf(entry, () => from ?? `${name}/${path.join('/')}`) : 0
  path.unshift(name)
  return { file: { path, lengthBytes, padding: isLink }, from }
}

function isOfBitComet(name: Uint8Array | undefined): boolean {
  return name?.[0] === 0x5f && shownName(name).startsWith(BITCOMET_PADDING)
}

function partsOf(entry: BencodedDictionary): readonly Uint8Array[] | undefined {
  for (const key of ['path.utf-8', 'path']) {
    const parts = entry.get(key)
    if (!Array.isArray(parts) || parts.length === 0) continue
    return parts.map((part: Bencoded) => (part instanceof Uint8Array ? part : refuse('a path is not text')))
  }
  return undefined
}

function lengthOf(entry: BencodedDictionary, nameOf: () => string): number {
  const length = entry.get('length')
  if (typeof length !== 'number') return refuse(`${quoted(nameOf())} has no length`)
  if (length < 0) refuse(`${quoted(nameOf())} has the negative length ${length}`)
  if (!Number.isSafeInteger(length)) refuse('its files are larger than any disk')
  return length
}

/**
 * Two entries on one path, or a file where another needs a folder, would write over each other: the later one gets a number.
 * In place, as libtorrent does it, but names that differ in case alone stay.
 */
function* resolveSame(files: readonly MetainfoFile[], others: Map<MetainfoFile, string>): Generator<void, void> {
  const taken = new Set<string>()
  const paths: string[] = []
  let last = ''
  for (const { path } of files) {
    const own = path.join('/')
    paths.push(own)
    const folder = own.slice(0, Math.max(0, own.lastIndexOf('/')))
    // Files of one folder mostly follow one another; and what is above a folder that is there is there as well.
    if (folder === last) continue
    last = folder
    for (let above = folder; above !== '' && !taken.has(above); above = above.slice(0, Math.max(0, above.lastIndexOf('/'))))
      taken.add(above)
    if (paths.length % STEP_FILES === 0) yield
  }
  const lastNumbers = new Map<string, number>()
  let tried = 0
  for (const [at, file] of files.entries()) {
    const own = paths[at] ?? ''
    let path = own
    for (let number = (lastNumbers.get(own) ?? 0) + 1; taken.has(path); number++) {
      if (++tried > RENAMES_MAX) refuse('too many of its files have the same paths')
      file.path = [...file.path.slice(0, -1), numbered(own.slice(own.lastIndexOf('/') + 1), number)]
      path = file.path.join('/')
      lastNumbers.set(own, number)
    }
    taken.add(path)
    if (path !== own && !others.has(file)) others.set(file, own)
    if (isLonger(path, PATH_BYTES_MAX)) refuse('a path is too long')
    if (at % STEP_FILES === 0) yield
  }
}

export function bytesAt(dictionary: BencodedDictionary, key: string): Uint8Array | undefined {
  const value = dictionary.get(key)
  return value instanceof Uint8Array ? value : undefined
}
