// Used by tests alone, as an independent reader of torrent files.
declare module 'parse-torrent' {
  export default function parseTorrent(torrentFile: Uint8Array): Promise<{ infoHash: string; name: string }>
}
