// Used by tests alone, as an independent reader of torrent files.
declare module 'parse-torrent' {
  type Parsed = {
    infoHash: string
    name: string
    length?: number
    pieceLength?: number
    files?: { path: string; length: number }[]
  }
  export default function parseTorrent(torrentFile: Uint8Array): Promise<Parsed>
}
