import type { PlaceOptions } from './engine.ts'
import { layoutOf } from './file-layout.ts'
import type { Metainfo } from './metainfo.ts'
import { PrivatePlaces } from './private-places.fs.ts'
import { type Disk, Relocation, type Standing, tidy } from './relocation.fs.ts'
import type { TorrentEntry } from './torrent-entry.ts'

/**
 * Moves the files of a torrent that is closed, step by step as {@link PlaceOptions} tells them, and says in the entry where
 * they are. After a failure they are where they were, unless they stood in the new place already.
 * @throws TorrentError; the signal's reason; what the steps throw
 */
export async function moveTorrent(
  entry: TorrentEntry,
  metainfo: Metainfo,
  to: { standing: Standing; commit(): void },
  options: PlaceOptions & { signal: AbortSignal },
  disk?: Disk,
): Promise<void> {
  const { begun, staged, cleared, signal, onProgress } = options
  const from: Standing = { directory: entry.directory, metainfo }
  const layout = layoutOf(metainfo)
  const places = await PrivatePlaces.of(options.dataDirectory)
  const relocation = new Relocation(from, to.standing, disk)
  await relocation.check({
    stamps: entry.stamps,
    isNeeded: (file) => {
      const laid = layout.files[file]
      return laid !== undefined && layout.bytesIn(laid, (index) => entry.hasPiece(index)) > 0
    },
    checkFolder: (real) => places.checkTarget(real),
  })
  signal.throwIfAborted()
  await begun()
  try {
    const stamps = await relocation.stage(entry.stamps, { signal, onProgress })
    signal.throwIfAborted()
    await staged(stamps)
    to.commit()
    entry.stamp(stamps)
  } catch (error) {
    // What cannot be taken away now is at the next start: nobody was told that it is gone.
    await tidy(from, to.standing, false, disk)
      .then(cleared)
      .catch(() => {})
    throw error
  }
  await tidy(to.standing, from, true, disk)
  await cleared()
}
