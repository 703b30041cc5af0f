import type { Encodable } from './bencode.ts'
import type { FileHashes } from './metainfo/merkle.ts'

// A torrent of both versions (BEP 52): the files of version 1, each at the start of a piece, and the tree of version 2.

/** A file that is published: names below the torrent's, none for one that is the torrent itself. */
export type ListedFile = { path: readonly string[]; sizeBytes: number }

/** In the order of the tree: of the bytes of each name. */
export function inTreeOrder<F extends ListedFile>(files: readonly F[]): F[] {
  return files
    .map((file) => ({ file, names: file.path.map((name) => encoder.encode(name)) }))
    .sort((a, b) => comparePaths(a.names, b.names))
    .map(({ file }) => file)
}

/** Zeros that follow each file, so that the next one starts at a piece; none behind the last. */
export function paddingOf(files: readonly ListedFile[], pieceLengthBytes: number): number[] {
  const last = files.findLastIndex(({ sizeBytes }) => sizeBytes > 0)
  return files.map(({ sizeBytes }, at) =>
    sizeBytes === 0 || at >= last ? 0 : (pieceLengthBytes - (sizeBytes % pieceLengthBytes)) % pieceLengthBytes,
  )
}

/** Where the files stand in the list of version 1, among the padding. */
export function placesOf(padding: readonly number[]): number[] {
  let place = 0
  return padding.map((bytes) => {
    const own = place
    place += bytes > 0 ? 2 : 1
    return own
  })
}

/** @param files in the order of the tree @param hashes of each, undefined for one without a byte */
export function hybridInfo(
  name: string,
  files: readonly ListedFile[],
  hashes: readonly (FileHashes | undefined)[],
  { pieceLengthBytes, pieces }: { pieceLengthBytes: number; pieces: Uint8Array },
): { info: Encodable; layers: Encodable } {
  const padding = paddingOf(files, pieceLengthBytes)
  const [only] = files
  const list = files.flatMap(({ path, sizeBytes }, at): Encodable[] => {
    const bytes = padding[at] ?? 0
    const pad = { attr: 'p', length: bytes, path: ['.pad', String(bytes)] }
    return [{ length: sizeBytes, path: [...path] }, ...(bytes > 0 ? [pad] : [])]
  })
  const tree = new Map<string, Encodable>()
  const layers = new Map<string, Encodable>()
  for (const [at, { path, sizeBytes }] of files.entries()) {
    const own = hashes[at]
    const entry = own === undefined ? { length: sizeBytes } : { length: sizeBytes, 'pieces root': own.root }
    folderIn(tree, path.length === 0 ? [name] : path).set('', entry)
    if (own?.layer !== undefined) layers.set(byteKey(own.root), own.layer)
  }
  const first = only?.path.length === 0 ? { length: only.sizeBytes } : { files: list }
  const info = { ...first, 'file tree': tree, 'meta version': 2, name, 'piece length': pieceLengthBytes, pieces }
  return { info, layers }
}

function folderIn(tree: Map<string, Encodable>, path: readonly string[]): Map<string, Encodable> {
  let at = tree
  for (const name of path) {
    const key = byteKey(encoder.encode(name))
    let below = at.get(key)
    if (!(below instanceof Map)) {
      below = new Map<string, Encodable>()
      at.set(key, below)
    }
    at = below as Map<string, Encodable>
  }
  return at
}

const encoder = new TextEncoder()

/** A key that may be any bytes, one character a byte. */
function byteKey(bytes: Uint8Array): string {
  let key = ''
  for (const byte of bytes) key += String.fromCharCode(byte)
  return key
}

function comparePaths(a: readonly Uint8Array[], b: readonly Uint8Array[]): number {
  for (let depth = 0; depth < Math.min(a.length, b.length); depth++) {
    const [one, other] = [a[depth] ?? NOTHING, b[depth] ?? NOTHING]
    const length = Math.min(one.length, other.length)
    for (let at = 0; at < length; at++) {
      const difference = (one[at] ?? 0) - (other[at] ?? 0)
      if (difference !== 0) return difference
    }
    if (one.length !== other.length) return one.length - other.length
  }
  return a.length - b.length
}

const NOTHING = new Uint8Array()
