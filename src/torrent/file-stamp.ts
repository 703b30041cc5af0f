/**
 * What a file looked like on the disk: size in bytes, time of the last change in ns since 1970, inode. Compared with another
 * one, never parsed. A change that keeps all three is not seen: nothing does that by accident.
 */
export type FileStamp = string

export const stampOf = (stats: { size: bigint; mtimeNs: bigint; ino: bigint }): FileStamp =>
  `${stats.size}-${stats.mtimeNs}-${stats.ino}`
