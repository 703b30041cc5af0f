// torrent: how bytes move. The engine port, the check of metainfo, piece blame (pure), the identity extension, and the
// webtorrent adapter with its guard. Imports events only. engine.webtorrent.ts is imported by its own path, and late:
// loading webtorrent takes a second.
export * from './engine.ts'
export { priorityOfFile } from './file-selection.ts'
export { TORRENT_FILE_BYTES_MAX } from './metainfo/limits.ts'
export { PUBLIC_DHT_NODES } from './sources/public-dht-nodes.ts'
export { looksOfPath, looksOfTorrent, realPath } from './standing-files.fs.ts'
export { withSources } from './torrent-file.ts'
