import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyOfSeed, SEED_BYTES } from '../../events/keys/signer.sodium.ts'
import type { NodeId } from '../../events/model/ids.ts'
import { DataDirectoryError, unlessUnusable } from './data-directory-error.ts'

/** Where the seed of a node's key stands in its data directory. */
export const keyPath = (directory: string): string => join(directory, 'key.seed')

/** @throws DataDirectoryError `DIRECTORY_UNUSABLE` if it cannot be read, or is no seed */
export function readSeed(directory: string): Uint8Array {
  const seed = unlessUnusable(directory, () => readFileSync(keyPath(directory)))
  if (seed.length !== SEED_BYTES) {
    const reason = `key.seed has ${seed.length} bytes, not ${SEED_BYTES}`
    throw new DataDirectoryError({ code: 'DIRECTORY_UNUSABLE', directory, reason })
  }
  return seed
}

/** Whose key stands in a data directory; undefined where there is none. @throws as `readSeed` */
export function keyHolder(directory: string): NodeId | undefined {
  return existsSync(keyPath(directory)) ? keyOfSeed(readSeed(directory)) : undefined
}
