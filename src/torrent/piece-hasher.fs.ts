import { createHash } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import { TorrentError } from './engine.ts'
import { looksOf, stampOf } from './file-stamp.ts'
import type { WalkedFile } from './folder-walk.fs.ts'
import { paddingOf } from './hybrid-info.ts'
import { type FileHashes, FileTree, type Sha256 } from './metainfo/merkle.ts'
import { BLOCK_BYTES } from './metainfo.ts'
import { readProblem } from './read-problem.ts'
import { untilAborted } from './until-aborted.ts'

/** Read at once: large enough for the disk, small enough that hashing it does not hold the event loop (1 ms). */
const CHUNK_BYTES = 1024 * 1024
const SHA1_BYTES = 20

export type HashOptions = { signal?: AbortSignal | undefined; onProgress?: ((doneBytes: number) => void) | undefined }

/**
 * sha-1 of each piece over the files one after the other, 20 bytes each.
 * @throws TorrentError `DISK` if a file cannot be read, or is no longer as the walk saw it; the signal's reason once that is
 * aborted
 */
export async function hashPieces(
  files: readonly WalkedFile[],
  pieceLengthBytes: number,
  { signal, onProgress }: HashOptions,
): Promise<Uint8Array> {
  const digests: Uint8Array[] = []
  const buffer = bufferFor(files)
  let piece = createHash('sha1')
  let room = pieceLengthBytes
  let doneBytes = 0
  const take = (chunk: Uint8Array) => {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + room)
      piece.update(part)
      at += part.length
      room -= part.length
      if (room > 0) continue
      digests.push(piece.digest())
      piece = createHash('sha1')
      room = pieceLengthBytes
    }
    doneBytes += chunk.length
    onProgress?.(doneBytes)
  }
  for (const file of files) if (file.sizeBytes > 0) await readFile(file, buffer, take, signal)
  if (room < pieceLengthBytes) digests.push(piece.digest())
  // A file that was hashed first may have changed while the last one was.
  for (const file of files) await checkUnchanged(file, signal)
  return Buffer.concat(digests, digests.length * SHA1_BYTES)
}

/**
 * As {@link hashPieces}, with zeros behind each file up to the next piece, and the hash trees of version 2 (BEP 52).
 * @param files in the order of the tree
 * @returns trees by file; undefined for one without a byte
 */
export async function hashHybrid(
  files: readonly WalkedFile[],
  pieceLengthBytes: number,
  { signal, onProgress }: HashOptions,
): Promise<{ pieces: Uint8Array; trees: (FileHashes | undefined)[] }> {
  const digests: Uint8Array[] = []
  const trees: (FileHashes | undefined)[] = []
  const padding = paddingOf(files, pieceLengthBytes)
  const buffer = bufferFor(files)
  let doneBytes = 0
  for (const [at, file] of files.entries()) {
    if (file.sizeBytes === 0) {
      trees.push(undefined)
      continue
    }
    const tree = new FileTree(pieceLengthBytes / BLOCK_BYTES, sha256)
    let piece = createHash('sha1')
    let room = pieceLengthBytes
    // Reads begin at a multiple of both lengths, but where a disk gives less than it was asked for.
    let block = createHash('sha256')
    let blockRoom = BLOCK_BYTES
    const take = (chunk: Uint8Array) => {
      for (let from = 0; from < chunk.length; ) {
        const part = chunk.subarray(from, from + blockRoom)
        piece.update(part)
        block.update(part)
        from += part.length
        room -= part.length
        blockRoom -= part.length
        if (blockRoom === 0) {
          tree.add(block.digest())
          block = createHash('sha256')
          blockRoom = BLOCK_BYTES
        }
        if (room > 0) continue
        digests.push(piece.digest())
        piece = createHash('sha1')
        room = pieceLengthBytes
      }
      doneBytes += chunk.length
      onProgress?.(doneBytes)
    }
    await readFile(file, buffer, take, signal)
    if (blockRoom < BLOCK_BYTES) tree.add(block.digest())
    if (room < pieceLengthBytes) digests.push(piece.update(new Uint8Array(padding[at] ?? 0)).digest())
    trees.push(tree.end())
  }
  for (const file of files) await checkUnchanged(file, signal)
  return { pieces: Buffer.concat(digests, digests.length * SHA1_BYTES), trees }
}

/** No longer than the longest file: thousands of small ones are hashed one after the other. */
const bufferFor = (files: readonly WalkedFile[]): Buffer =>
  Buffer.allocUnsafe(files.reduce((most, { sizeBytes }) => Math.min(CHUNK_BYTES, Math.max(most, sizeBytes)), 0))

const sha256: Sha256 = (chunks) => {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest()
}

async function readFile(
  file: WalkedFile,
  buffer: Uint8Array,
  take: (chunk: Uint8Array) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  let handle: FileHandle | undefined
  try {
    // Neither follows a link nor waits for a pipe that was put there since the walk.
    const opening = open(file.absolute, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    handle = await untilAborted(opening, signal, (opened) => opened.close())
    checkLooks(file, await handle.stat({ bigint: true }))
    for (let position = 0; position < file.sizeBytes; ) {
      const length = Math.min(buffer.length, file.sizeBytes - position)
      const { bytesRead } = await untilAborted(handle.read(buffer, 0, length, position), signal)
      if (bytesRead === 0) throw changed(file)
      take(buffer.subarray(0, bytesRead))
      position += bytesRead
    }
    checkLooks(file, await handle.stat({ bigint: true }))
  } catch (cause) {
    throw problem(file, cause, signal)
  } finally {
    // Not awaited: after an abort a read may be under way that never ends.
    void handle?.close().catch(() => {})
  }
}

async function checkUnchanged(file: WalkedFile, signal: AbortSignal | undefined): Promise<void> {
  try {
    checkLooks(file, await untilAborted(lstat(file.absolute, { bigint: true }), signal))
  } catch (cause) {
    throw problem(file, cause, signal)
  }
}

/** What was only touched is hashed again before it is served: its stamp is of before. */
function checkLooks(file: WalkedFile, found: BigIntStats): void {
  if (looksOf(stampOf(found)) !== looksOf(file.stamp)) throw changed(file)
}

const changed = (file: WalkedFile): TorrentError =>
  new TorrentError('DISK', `${file.absolute} changed while it was hashed: publish it when nothing writes to it`)

function problem(file: WalkedFile, cause: unknown, signal: AbortSignal | undefined): unknown {
  if (cause instanceof TorrentError || signal?.aborted) return cause
  return new TorrentError('DISK', `${file.absolute} cannot be read: ${readProblem(cause)}`, { cause })
}
