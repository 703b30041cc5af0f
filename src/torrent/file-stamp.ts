/**
 * What a file looked like on the disk: size in bytes, time of the last change of its bytes in ns since 1970, inode; and the time
 * of the last change of anything about it (ctime), which no program can set. A stamp of an early version ends at the inode.
 */
export type FileStamp = string

export const stampOf = (stats: { size: bigint; mtimeNs: bigint; ino: bigint; ctimeNs: bigint }): FileStamp =>
  `${stats.size}-${stats.mtimeNs}-${stats.ino}-${stats.ctimeNs}`

/** Size, time and inode: where these are others, it is another file or holds other bytes. */
export const looksOf = (stamp: FileStamp): string => stamp.split('-', 3).join('-')

/**
 * It looks as it did, but something of it was changed: its mode, its owner, its links, or its bytes by a program that sets the
 * time back (taggers and encoders do, when they are told to keep it). What it holds tells which.
 */
export function wasTouched(before: FileStamp, now: FileStamp): boolean {
  const [ctime] = before.split('-').slice(3)
  return ctime !== undefined && before !== now
}
