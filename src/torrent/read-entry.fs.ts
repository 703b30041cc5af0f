import type { AddOptions, TorrentSource } from './engine.ts'
import { TorrentError } from './engine.ts'
import { inSteps } from './in-steps.system.ts'
import { parseMagnet } from './magnet.ts'
import { type Metainfo, torrentFileSteps } from './metainfo.ts'
import { sha1 } from './sha1.system.ts'
import { TorrentEntry } from './torrent-entry.ts'

/** What is known of a torrent as it is added. @throws TorrentError */
export async function entryOf(source: TorrentSource, options: AddOptions): Promise<TorrentEntry> {
  const { directory, verified, stamps, changed, overwrite, selection, rates, sources, names, paused = false } = options
  const { torrentFile } = options
  const readAgain = () => inSteps(torrentFileSteps(torrentFile?.() ?? new Uint8Array(), sha1))
  const isReadable = () => torrentFile?.() !== undefined
  const given = { directory, paused, verified, stamps, changed, overwrite, selection, rates, sources, names }
  const common = { ...given, readAgain, isReadable }
  if (source.kind === 'torrent-file') {
    const metainfo = await inSteps(torrentFileSteps(source.bytes, sha1))
    return new TorrentEntry({ infoHash: metainfo.infoHash, metainfo, ...common })
  }
  const { infoHash, name, peers } = parseMagnet(source.uri)
  return new TorrentEntry({ infoHash, name, peers, ...common })
}

/** @throws TorrentError `NO_METADATA` */
export async function loaded(entry: TorrentEntry): Promise<Metainfo> {
  const metainfo = await entry.load()
  if (metainfo === undefined) throw new TorrentError('NO_METADATA', `nothing is known of what "${entry.name}" holds yet`)
  return metainfo
}
