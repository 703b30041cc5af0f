import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Upcast } from '../codec/upcasting.ts'
import type { LogDatabase } from '../leveldb/log-database.level.ts'
import { wantedKinds } from '../segments/segment.ts'
import { kindBits, type SegmentDirectory } from '../segments/segment-directory.ts'
import { rowOfSnapshotKey, segmentKey, snapshotKey, summaryKey } from '../segments/segment-keys.ts'
import { decodeSummary, type SegmentSummary, shareKinds } from '../segments/segment-summary.ts'
import { CHECKSUM_BYTES, chainDigest, damaged, isSealed, orDamaged, storedFrames } from '../segments/segment-value.level.ts'
import type { PruneRequest, SnapshotRow } from './retention.ts'
import { joinPruned, type Thinned, thin } from './thinning.ts'

// What a pruning is to write, read from the database; the store writes it.

/** Segments whose events are taken out in one write: appends wait for some tens of milliseconds. */
const PRUNED_AT_ONCE = 64
const NO_BYTES = new Uint8Array()

export type Pruning = {
  readonly thinned: readonly Thinned[]
  /** The summaries that stand afterwards; an empty stretch may take in one that was empty before. */
  readonly rows: readonly SegmentSummary[]
  /** Where to go on, undefined at the end. */
  readonly next: number | undefined
}

type Where = { readonly directory: SegmentDirectory; readonly upcast: Upcast }

/**
 * Some segments, from the one with `from` on and up to `last`, without what is to go.
 * @throws LogError `LOG_DAMAGED`
 */
export async function planPruning(
  database: LogDatabase,
  { directory, upcast }: Where,
  request: PruneRequest,
  from: number,
  last: number,
): Promise<Pruning> {
  const [kinds, wanted] = [kindBits(request.kinds), wantedKinds(request.kinds)]
  const stretch = directory.stretches(from, Math.min(request.to, last), kinds).flat()
  const thinned: Thinned[] = []
  for (const entry of stretch.slice(0, PRUNED_AT_ONCE)) {
    if (!shareKinds(entry.kinds, kinds)) continue
    const end = entry.first + entry.count - 1
    const [value, sealed] = await database.getMany([segmentKey(entry.first), summaryKey(entry.first)])
    if (value === undefined || sealed === undefined) throw damaged({ from: entry.first, to: end, what: 'missing' })
    if (!isSealed(value) || !isSealed(sealed)) throw damaged({ from: entry.first, to: end, what: 'altered' })
    const done = orDamaged(entry.first, end, () =>
      thin(
        decodeSummary(sealed.subarray(CHECKSUM_BYTES)),
        storedFrames(value),
        { to: request.to, wanted, drop: request.drop },
        { upcast, digest: (bytes) => chainDigest(NO_BYTES, bytes) },
      ),
    )
    if (done !== undefined) thinned.push(done)
  }
  return { thinned, rows: await joinedRows(database, directory, thinned), next: stretch[PRUNED_AT_ONCE]?.first }
}

async function joinedRows(
  database: LogDatabase,
  directory: SegmentDirectory,
  thinned: readonly Thinned[],
): Promise<SegmentSummary[]> {
  const rows: SegmentSummary[] = []
  for (const { summary } of thinned) {
    const before = rows.at(-1)
    const earlier = before ?? (await emptyBefore(database, directory, summary.first))
    const joined = earlier && joinPruned(earlier, summary)
    if (joined === undefined) rows.push(summary)
    else if (before === undefined) rows.push(joined)
    else rows[rows.length - 1] = joined
  }
  return rows
}

async function emptyBefore(
  database: LogDatabase,
  directory: SegmentDirectory,
  first: number,
): Promise<SegmentSummary | undefined> {
  const entry = directory.find(first - 1)
  if (entry?.gone !== true) return undefined
  const sealed = await database.get(summaryKey(entry.first))
  return sealed && isSealed(sealed) ? decodeSummary(sealed.subarray(CHECKSUM_BYTES)) : undefined
}

/** The rows of a projection that stand for what was pruned. @throws LogError `LOG_DAMAGED` */
export async function readSnapshot(database: LogDatabase, projection: string): Promise<SnapshotRow[]> {
  const range = { gte: snapshotKey(projection, ''), lt: snapshotKey(projection, '\uffff') }
  const rows: SnapshotRow[] = []
  for (const [key, value] of await database.iterator(range).all()) {
    if (!isSealed(value)) throw damaged({ from: 1, to: 1, what: 'altered' })
    rows.push([rowOfSnapshotKey(key), value.subarray(CHECKSUM_BYTES).toString()])
  }
  return rows
}

/** Bytes of the files of a directory. */
export async function bytesIn(directory: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(directory)) {
    // Gone meanwhile: compacted away.
    bytes += await stat(join(directory, name)).then(
      ({ size }) => size,
      () => 0,
    )
  }
  return bytes
}
