import { TorrentError } from '../engine.ts'

/** Every reason is a row of docs/torrents-refused.md. @throws TorrentError `TORRENT_REFUSED` */
export const refuse = (why: string): never => {
  throw new TorrentError('TORRENT_REFUSED', `this torrent is refused: ${why}`)
}

export const quoted = (value: string): string => JSON.stringify(value.slice(0, 80))
