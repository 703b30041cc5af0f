// torrent: how bytes move. The engine port, the check of metainfo, piece blame (pure), the identity extension, and the
// webtorrent adapter with its guard. Imports events only.
export * from './engine.ts'
