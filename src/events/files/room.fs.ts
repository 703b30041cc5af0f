import { open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Bytes on top of the rewritten data: the new manifest, the start of a new file, and whatever else is written meanwhile. */
const SPARE_BYTES = 256 * 1024
const CHUNK = new Uint8Array(64 * 1024)

/** Such a file that is there at a start is one of a process that was killed. */
export const ROOM_PREFIX = 'room-'

/**
 * Makes sure that LevelDB can open this database, before it is closed: at an open it writes what its `.log` files hold
 * into a table, and its manifest anew. A file of that size is written and removed, since free space, quotas, limits of
 * a process and failing disks tell of themselves only so.
 * @throws what the system says where it cannot be written
 */
export async function assertRoomToOpen(database: string): Promise<void> {
  let bytes = SPARE_BYTES
  for (const name of await readdir(database)) {
    if (!name.endsWith('.log') && !name.startsWith('MANIFEST')) continue
    // Gone meanwhile: what it held is in a table, or in a newer one.
    bytes += await stat(join(database, name)).then(
      ({ size }) => size,
      () => 0,
    )
  }
  const path = join(dirname(database), `${ROOM_PREFIX}${process.pid}.part`)
  try {
    await using file = await open(path, 'w', 0o600)
    for (let written = 0; written < bytes; ) {
      written += (await file.write(CHUNK, 0, Math.min(CHUNK.length, bytes - written))).bytesWritten
    }
    await file.datasync()
  } finally {
    await rm(path, { force: true })
  }
}
