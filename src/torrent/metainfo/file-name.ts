import { NAME_BYTES_MAX } from './limits.ts'
import { quoted, refuse } from './refusal.ts'

// What a name in a torrent is called on the disk. A name that can be used stands as it is; of others the rules are those of
// libtorrent, so that files that one of the two has downloaded are where the other looks for them. What tries to leave the
// folder of its torrent is refused.

/** A longer name is cut here, at a whole character, and gets its extension back. */
const CUT_AT_BYTES = 240
/** In UTF-8, the dot counted. A longer one is no extension. */
const EXTENSION_BYTES_MAX = 9
/** In place of an empty name, and of each byte or character that cannot stand in one. */
export const PLACEHOLDER = '_'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** True if a text has more bytes than this as UTF-8; a torrent may have a million names, most of them short. */
export const isLonger = (text: string, bytesMax: number): boolean =>
  text.length * 3 > bytesMax && (text.length > bytesMax || encoder.encode(text).length > bytesMax)

export type FileName = {
  /** As it was meant, for people: what is no UTF-8 is U+FFFD here. */
  readonly shown: string
  /** As it stands on the disk, 1 to 255 bytes; undefined for a part that names nothing, such as `.`. */
  readonly name: string | undefined
}

/**
 * Reads one part of a path. What is no UTF-8 is `_` byte for byte, a control character too, slashes and backslashes are
 * dropped, and a name over 255 bytes is shortened.
 * @param isFirst the first part of a path, which would make it an absolute one
 * @throws TorrentError `TORRENT_REFUSED` for `..`, an absolute path and a NUL
 */
export function readFileName(raw: Uint8Array, isFirst: boolean): FileName {
  const shown = shownName(raw)
  if (raw.length === 0) return { shown, name: PLACEHOLDER }
  const text = isUtf8(raw, shown) ? shown : shown.replaceAll('\ufffd', PLACEHOLDER)
  if (!/[\u0000-\u001f\u007f/\\]/.test(text)) return { shown, name: usable(text, text) }
  if (text.includes('\0')) refuse(`${quoted(text)} has a NUL in a file name`)
  if (text.split(/[/\\]/).includes('..')) refuse(`${quoted(text)} leads out of its folder`)
  if (isFirst && /^([/\\]|[A-Za-z]:[/\\])/.test(text)) refuse(`${quoted(text)} is an absolute path`)
  return { shown, name: usable(text.replace(/[/\\]/g, '').replace(/[\u0001-\u001f\u007f]/g, PLACEHOLDER), text) }
}

/** Most names are short and ASCII, and a torrent may have a million: a decoder takes far longer for each. */
export const shownName = (raw: Uint8Array): string => asciiOf(raw) ?? decoder.decode(raw)

function asciiOf(raw: Uint8Array): string | undefined {
  if (raw.length > NAME_BYTES_MAX) return undefined
  let text = ''
  for (let at = 0; at < raw.length; at++) {
    const byte = raw[at] as number
    if (byte > 0x7f) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

function usable(name: string, text: string): string | undefined {
  if (text === '..') refuse(`${quoted(text)} leads out of its folder`)
  // Without its slashes it may have become the folder above: "./." is then two dots.
  if (name === '' || name === '.' || name === '..') return undefined
  return isLonger(name, NAME_BYTES_MAX) ? shortened(name) : name
}

/** The name of a file whose own name is taken: "a.2.mp4" for "a.mp4". */
export function numbered(name: string, number: number): string {
  const dot = name.lastIndexOf('.')
  const at = dot < 0 ? name.length : dot
  const whole = `${name.slice(0, at)}.${number}${name.slice(at)}`
  if (!isLonger(whole, NAME_BYTES_MAX)) return whole
  const extension = isLonger(name.slice(at), EXTENSION_BYTES_MAX) ? '' : name.slice(at)
  const end = `.${number}${extension}`
  const stem = encoder.encode(name.slice(0, name.length - extension.length))
  // A character that is cut within goes as a whole.
  return decoder.decode(stem.subarray(0, NAME_BYTES_MAX - encoder.encode(end).length)).replace(/\ufffd+$/, '') + end
}

function isUtf8(raw: Uint8Array, text: string): boolean {
  if (!text.includes('\ufffd')) return true
  // The replacement character may stand in a name by right; what is made of other bytes does not come back as them.
  const encoded = encoder.encode(text)
  return encoded.length === raw.length && encoded.every((byte, at) => byte === raw[at])
}

function shortened(name: string): string {
  const dot = name.lastIndexOf('.')
  const extension = dot > 0 && !isLonger(name.slice(dot), EXTENSION_BYTES_MAX) ? name.slice(dot) : ''
  let stem = ''
  let bytes = 0
  for (const character of name) {
    if (bytes >= CUT_AT_BYTES) break
    stem += character
    bytes += encoder.encode(character).length
  }
  return stem + extension
}
