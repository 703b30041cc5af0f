import type { Buffer } from 'node:buffer'
import type { KeyRange } from '../segments/segment-keys.ts'

/** The entries of a log's database, whoever reads them: LevelDB of one that is open, or the files themselves. */
export type StoredEntries = {
  /** In the order of their keys. */
  entries(range: KeyRange): AsyncIterable<readonly [key: Uint8Array, value: Buffer]>
  get(key: Uint8Array): Promise<Buffer | undefined>
}
