import { NAME_BYTES_MAX } from './limits.ts'
import { quoted, refuse } from './refusal.ts'

// What a name in a torrent is called on the disk. A name that can be used stands as it is; of others the rules are those of
// libtorrent, so that files that one of the two has downloaded are where the other looks for them. What tries to leave the
// folder of its torrent is refused.

/** A longer name is cut here, at a whole character, and gets its extension back. */
const CUT_AT_BYTES = 240
/** The dot counted. A longer one is no extension. */
const EXTENSION_LENGTH_MAX = 9
/** In place of an empty name, and of each byte or character that cannot stand in one. */
export const PLACEHOLDER = '_'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
export const utf8Bytes = (text: string): number => encoder.encode(text).length

/**
 * One part of a path as a file name of 1 to 255 bytes. What is no UTF-8 is `_` byte for byte, a control character too,
 * slashes and backslashes are dropped, and a name over 255 bytes is shortened.
 * @param isFirst the first part of a path, which would make it an absolute one
 * @returns undefined for a part that names nothing, such as `.`
 * @throws TorrentError `TORRENT_REFUSED` for `..`, an absolute path and a NUL
 */
export function fileName(raw: Uint8Array, isFirst: boolean): string | undefined {
  if (raw.length === 0) return PLACEHOLDER
  const text = textOf(raw)
  if (text.includes('\0')) refuse(`${quoted(text)} has a NUL in a file name`)
  if (text.split(/[/\\]/).includes('..')) refuse(`${quoted(text)} leads out of its folder`)
  if (isFirst && /^([/\\]|[A-Za-z]:[/\\])/.test(text)) refuse(`${quoted(text)} is an absolute path`)
  const name = text.replace(/[/\\]/g, '').replace(/[\u0001-\u001f\u007f]/g, PLACEHOLDER)
  // Without its slashes it may have become the folder above: "./." is then two dots.
  if (name === '' || name === '.' || name === '..') return undefined
  return utf8Bytes(name) > NAME_BYTES_MAX ? shortened(name) : name
}

/** As it was meant, for people: what is no UTF-8 is U+FFFD here. */
export const shownName = (raw: Uint8Array): string => decoder.decode(raw)

/** The name of a file whose own name is taken: "a.2.mp4" for "a.mp4". */
export function numbered(name: string, number: number): string {
  const dot = name.lastIndexOf('.')
  const at = dot < 0 ? name.length : dot
  const end = `.${number}${name.slice(at)}`
  let stem = name.slice(0, at)
  while (utf8Bytes(stem) + utf8Bytes(end) > NAME_BYTES_MAX && stem !== '') stem = [...stem].slice(0, -1).join('')
  return stem + end
}

function textOf(raw: Uint8Array): string {
  const text = decoder.decode(raw)
  if (!text.includes('\ufffd')) return text
  // The replacement character may stand in a name by right; what is made of other bytes does not come back as them.
  const encoded = encoder.encode(text)
  if (encoded.length === raw.length && encoded.every((byte, at) => byte === raw[at])) return text
  return text.replaceAll('\ufffd', PLACEHOLDER)
}

function shortened(name: string): string {
  const dot = name.lastIndexOf('.')
  const extension = dot > 0 && name.length - dot <= EXTENSION_LENGTH_MAX ? name.slice(dot) : ''
  let stem = ''
  let bytes = 0
  for (const character of name) {
    if (bytes >= CUT_AT_BYTES) break
    stem += character
    bytes += utf8Bytes(character)
  }
  return stem + extension
}
