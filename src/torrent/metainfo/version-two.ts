import type { Bencoded, BencodedDictionary } from '../bencode.ts'
import type { MetainfoFile } from './file-list.ts'
import { bytesAt, pathOf } from './file-list.ts'
import { FILE_COUNT_MAX } from './limits.ts'
import { refuse } from './refusal.ts'

// The second half of a hybrid torrent (BEP 52). It is not downloaded by; but where the halves describe different files, others
// that go by this one would have other bytes under the same name.

const HASH_BYTES = 32
const VERSION = 2

/** Refuses versions that are not read here. Anything but a number is no version (BEP 52). */
export function checkVersion(info: BencodedDictionary): void {
  const version = info.get('meta version')
  if (typeof version !== 'number' || version < VERSION) return
  if (version > VERSION) refuse(`it is of version ${version}, which nobody knows yet`)
  if (info.get('pieces') === undefined)
    refuse('v2-only torrents are not supported yet: ask for a hybrid or a version 1 torrent')
}

/**
 * Compares the file tree of a hybrid with its list of files: names, lengths, order, and that each file starts at a piece.
 * Its hashes are not checked.
 * @throws TorrentError `TORRENT_REFUSED`
 */
export function checkHybrid(info: BencodedDictionary, files: readonly MetainfoFile[], pieceLengthBytes: number): void {
  if (info.get('meta version') !== VERSION) return
  const second: TreeFile[] = []
  readTree(info.get('file tree'), [], second)
  if (pieceLengthBytes < 16_384 || !Number.isInteger(Math.log2(pieceLengthBytes))) {
    refuse(`its piece length of ${pieceLengthBytes} bytes is none of version 2, a power of two from 16384 on`)
  }
  const first: TreeFile[] = []
  let offset = 0
  for (const { path, lengthBytes, padding } of files) {
    if (!padding && lengthBytes > 0 && offset % pieceLengthBytes !== 0)
      refuse('its two versions cut files into different pieces')
    // A single file is named by the torrent, others below it.
    if (!padding) first.push({ path: (path.length === 1 ? path : path.slice(1)).join('/'), lengthBytes })
    offset += lengthBytes
  }
  const isSame = (file: TreeFile, at: number): boolean =>
    file.lengthBytes === second[at]?.lengthBytes && file.path === second[at].path
  if (first.length !== second.length || !first.every(isSame)) refuse('its two versions describe different files')
}

type TreeFile = { path: string; lengthBytes: number }

/** Recursion is bounded by the depth of bencode. */
function readTree(tree: Bencoded | undefined, above: readonly Uint8Array[], into: TreeFile[]): void {
  const entries = tree instanceof Map ? tree : refuse('it is of version 2 and its file tree is missing or malformed')
  for (const [key, value] of entries as BencodedDictionary) {
    if (key === '') refuse('its file tree has a file without a name')
    const path = [...above, Uint8Array.from(key, (letter) => letter.charCodeAt(0))]
    const entry: Bencoded | undefined = value instanceof Map && value.size === 1 ? value.get('') : undefined
    if (entry instanceof Map) {
      const file = treeFileOf(entry, path)
      if (file !== undefined) into.push(file)
      if (into.length > FILE_COUNT_MAX) refuse(`its file tree has more than ${FILE_COUNT_MAX} files`)
    } else readTree(value, path, into)
  }
}

function treeFileOf(entry: BencodedDictionary, path: readonly Uint8Array[]): TreeFile | undefined {
  const isLink = bytesAt(entry, 'attr')?.includes(0x6c) === true && Array.isArray(entry.get('symlink path'))
  if (isLink) return undefined
  const length = entry.get('length')
  if (typeof length !== 'number' || length < 0) return refuse('a file of its file tree has no length')
  if (length > 0 && bytesAt(entry, 'pieces root')?.length !== HASH_BYTES) refuse('a file of its file tree has no hash')
  return { path: pathOf(path).path.join('/'), lengthBytes: length }
}
