import type { DamagedRange } from './event-log.ts'

// What stands outside the database, so that a database that lost its end, or all of it, is found out: LevelDB opens
// either without a word. The record follows the log, it never leads it:
//   - it is written after the commit that it speaks of, so after kill -9 it may be behind the log, which is no damage;
//   - `latest` is all that was written: it must be there as long as the machine has not gone down since (`boot`);
//   - `durable` is what an fsync has confirmed: it must be there in any case;
//   - after a power cut the end that was never durable may be gone, and the record itself may be an older one.

/** The chain digest (hex) after an event. */
export type HeadMark = { readonly seq: number; readonly digest: string }

export type HeadRecord = {
  readonly latest: HeadMark
  readonly durable: HeadMark
  /** The log was closed after everything in it was brought to the disk. */
  readonly clean: boolean
  /** Names the boot of the machine that wrote it; null where that is not known. */
  readonly boot: string | null
}

/** The event up to which the log must be whole, by the record. */
export function provenMark(record: HeadRecord, boot: string | null): HeadMark {
  const sameBoot = boot !== null && record.boot === boot
  return record.clean || sameBoot ? record.latest : record.durable
}

/**
 * What the record says against a log that reads well up to `head`.
 * @param digest the log's chain digest (hex) after the event of `provenMark`, undefined if no commit ended there
 */
export function damageByRecord(
  record: HeadRecord | undefined,
  boot: string | null,
  head: number,
  digest: string | undefined,
): DamagedRange[] {
  if (record === undefined) return [{ from: 1, to: head, what: 'unproven' }]
  const proven = provenMark(record, boot)
  if (head < proven.seq) return [{ from: head + 1, to: proven.seq, what: 'missing' }]
  if (digest !== proven.digest) return [{ from: 1, to: proven.seq, what: 'altered' }]
  return []
}
