import { mkdirSync } from 'node:fs'
import type { AbstractSnapshot } from 'abstract-level'
import { syncDirectory } from '../files/sync-directory.fs.ts'
import { encodeMeta, type LogDatabase, logPaths, type Meta, openDatabase } from '../leveldb/log-database.level.ts'
import { firstOfKey, META_KEY, SEGMENTS } from '../segments/segment-keys.ts'
import { bootId, HeadFile } from './head-file.fs.ts'
import type { HeadMark } from './head-record.ts'

/** What a copy of a log reached, and the last own numbers that are in it. */
export type LogCopy = { readonly head: HeadMark; readonly gossipSeq: number; readonly indexSeq: number }

export type CopyOptions = {
  readonly meta: Pick<Meta, 'author' | 'floors'>
  /** Told the first event of each segment as it is copied. */
  readonly onProgress?: ((seq: number) => void) | undefined
}

const ENTRIES_PER_BATCH = 100
const READ_AHEAD_BYTES = 1024 * 1024

/**
 * Writes all entries of a log's database, as they stood at `moment`, to the log of another data directory, which must
 * not have one. Segments, chain and places are the same. Closed as cleanly as a node closes its log.
 */
export async function copyLog(
  source: LogDatabase,
  moment: AbstractSnapshot,
  directory: string,
  head: HeadMark,
  { meta, onProgress }: CopyOptions,
): Promise<void> {
  const paths = logPaths(directory)
  mkdirSync(paths.database, { recursive: true })
  const target = await openDatabase(paths.database, true)
  const iterator = source.iterator({ snapshot: moment, highWaterMarkBytes: READ_AHEAD_BYTES })
  try {
    for (
      let chunk = await iterator.nextv(ENTRIES_PER_BATCH);
      chunk.length > 0;
      chunk = await iterator.nextv(ENTRIES_PER_BATCH)
    ) {
      const batch = target.batch()
      for (const [key, value] of chunk) {
        batch.put(key, value)
        if (key[0] === SEGMENTS.gte[0]) onProgress?.(firstOfKey(key))
      }
      await batch.write()
    }
    await target.put(META_KEY, encodeMeta(meta), { sync: true })
  } finally {
    await iterator.close()
    await target.close()
    // As at a first start: the names of LevelDB's files too.
    syncDirectory(paths.database)
  }
  const file = new HeadFile(paths.head)
  for (let slot = 0; slot < 2; slot++) file.write({ latest: head, durable: head, clean: true, boot: bootId() })
  file.close()
}
