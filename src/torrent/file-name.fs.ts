import { TorrentError } from './engine.ts'

/** A name or path as text. @throws TorrentError `TORRENT_REFUSED` if it is no UTF-8: as text it would name another file */
export function decodeName(name: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name)
  } catch (cause) {
    throw new TorrentError('TORRENT_REFUSED', `the name "${escapedName(name)}" is no UTF-8: rename it, and publish again`, {
      cause,
    })
  }
}

/** A name as text; of one that is no UTF-8, each byte beyond printable ASCII as `\\xNN`. */
export function escapedName(name: Uint8Array): string {
  const text = Buffer.from(name).toString()
  if (Buffer.from(text).equals(name)) return text
  return [...name]
    .map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`))
    .join('')
}
