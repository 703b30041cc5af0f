import type { Bencoded, BencodedDictionary } from '../bencode.ts'
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

/**
 * The files that an info dictionary lists, the first half of a hybrid (BEP 52) included.
 * @param infoHash the name of a torrent whose own says nothing
 * @throws TorrentError `TORRENT_REFUSED`
 */
export function fileListOf(info: BencodedDictionary, infoHash: string): FileList & { name: string } {
  const list = info.get('files')
  const raw = bytesAt(info, 'name.utf-8') ?? bytesAt(info, 'name') ?? refuse('it has no name')
  if (!Array.isArray(list)) {
    const { shown, name = '' } = readFileName(raw, true)
    if (raw.length === 0 || name === '') refuse('it has no name that a file can have')
    const files = [{ path: [name], lengthBytes: lengthOf(info, name), padding: false }]
    return { name, files, renamed: name === shown ? [] : [{ from: shown, to: name }] }
  }
  if (list.length === 0) refuse('it holds no files')
  if (list.length > FILE_COUNT_MAX) refuse(`it has ${list.length} files, at most ${FILE_COUNT_MAX} are accepted`)
  const { shown, name = infoHash } = readFileName(raw, true)
  const entries = list.map((entry: Bencoded) => entryOf(entry, name, shown))
  const kept = entries.filter(({ file }) => !file.padding)
  resolveSame(kept.map(({ file }) => file))
  const renamed = kept.flatMap(({ file, from }) => {
    const to = file.path.join('/')
    if (isLonger(to, PATH_BYTES_MAX)) refuse('a path is too long')
    return from === to ? [] : [{ from, to }]
  })
  return { name, files: entries.map(({ file }) => file), renamed }
}

/** A path below the torrent's name: its parts as they stand on the disk, and as they were meant. */
export function pathOf(parts: readonly Uint8Array[]): { path: string[]; shown: string } {
  if (parts.length > PATH_DEPTH_MAX) refuse(`a path has ${parts.length} parts, at most ${PATH_DEPTH_MAX} are accepted`)
  const names = parts.map((part, at) => readFileName(part, at === 0))
  const path = names.flatMap(({ name }) => name ?? [])
  return { path: path.length > 0 ? path : [PLACEHOLDER], shown: names.map(({ shown }) => shown).join('/') }
}

type Entry = { file: MetainfoFile; from: string }

function entryOf(entry: Bencoded, name: string, meant: string): Entry {
  if (!(entry instanceof Map)) return refuse('an entry of its list of files is not a dictionary')
  const attr = bytesAt(entry, 'attr')
  const attributes = attr === undefined ? '' : shownName(attr)
  const target = entry.get('symlink path')
  const hasLength = !attributes.includes('l')
  const isLink = !hasLength && Array.isArray(target) && target.length > 0
  const parts = partsOf(entry)
  if (attributes.includes('p') || isOfBitComet(parts?.at(-1))) {
    const lengthBytes = hasLength ? lengthOf(entry, 'a padding file') : 0
    return { file: { path: [name, '.pad', String(lengthBytes)], lengthBytes, padding: true }, from: '' }
  }
  if (parts === undefined) return refuse('a file has no path')
  const below = pathOf(parts)
  const from = `${meant}/${below.shown}`
  return { file: { path: [name, ...below.path], lengthBytes: hasLength ? lengthOf(entry, from) : 0, padding: isLink }, from }
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

function lengthOf(entry: BencodedDictionary, name: string): number {
  const length = entry.get('length')
  if (typeof length !== 'number') return refuse(`${quoted(name)} has no length`)
  if (length < 0) refuse(`${quoted(name)} has the negative length ${length}`)
  if (!Number.isSafeInteger(length)) refuse('its files are larger than any disk')
  return length
}

/**
 * Two entries on one path, or a file where another needs a folder, would write over each other: the later one gets a number.
 * In place, as libtorrent does it, but names that differ in case alone stay.
 */
function resolveSame(files: readonly MetainfoFile[]): void {
  const taken = new Set<string>()
  for (const { path } of files) {
    let folder = ''
    for (const part of path.slice(0, -1)) {
      folder = folder === '' ? part : `${folder}/${part}`
      taken.add(folder)
    }
  }
  const lastNumbers = new Map<string, number>()
  let tried = 0
  for (const file of files) {
    const own = file.path.join('/')
    let path = own
    for (let number = (lastNumbers.get(own) ?? 0) + 1; taken.has(path); number++) {
      if (++tried > RENAMES_MAX) refuse('too many of its files have the same paths')
      file.path = [...file.path.slice(0, -1), numbered(own.slice(own.lastIndexOf('/') + 1), number)]
      path = file.path.join('/')
      lastNumbers.set(own, number)
    }
    taken.add(path)
  }
}

export function bytesAt(dictionary: BencodedDictionary, key: string): Uint8Array | undefined {
  const value = dictionary.get(key)
  return value instanceof Uint8Array ? value : undefined
}
