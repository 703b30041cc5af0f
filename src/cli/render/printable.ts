// Text from the network is written by strangers. Before it reaches a terminal it passes here, always: a title must not
// move the cursor, recolour the screen, set the window's name, or turn the direction of what stands beside it.

/** Escape sequences as ECMA-48 has them: CSI, OSC and other strings up to their end, and two-byte ones. */
const ESCAPE_SEQUENCES =
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/gu

/** Line and paragraph separators and white space controls: they read as a gap. */
const GAPS = /[\t\n\v\f\r\u0085\u2028\u2029]+/gu

/** Controls, bidirectional marks and overrides (UAX #9), zero width characters, and the byte order mark. */
const INVISIBLE = /[\p{Cc}\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]/gu

/** `text` as one line that only shows characters. Lone surrogates become U+FFFD. */
export function printable(text: string): string {
  return text.toWellFormed().replace(ESCAPE_SEQUENCES, '').replace(GAPS, ' ').replace(INVISIBLE, '')
}
