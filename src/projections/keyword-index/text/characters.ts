// What each character is to the tokenizer. ASCII is looked up in a table; what lies beyond is asked of Unicode once for
// each code unit and remembered.

/** Divides words and says nothing more. */
export const OTHER = 0
export const LETTER = 1
export const DIGIT = 2
/** Belongs to the character before it; begins nothing. */
export const MARK = 3
/** Space, and the underscore, which stands for one in the names of files. */
export const SPACE = 4
export const DOT = 5
export const COMMA = 6
/** Hyphens, slashes, dots at mid-height, asterisks: between two words they may make one of them. */
export const LINK = 7
/** Apostrophes and marks that are not seen: between two words they make one of them. */
export const JOINT = 8
export const AMPERSAND = 9
/** A character of a script that is written without spaces between words: they are taken by pairs. */
export const PAIRED = 10
/** A picture, a word of its own. */
export const SYMBOL = 11
const UNKNOWN = 255

/** Of the code units below 128. */
export const ASCII = new Uint8Array(128)
for (let unit = 0; unit < 128; unit++) {
  const character = String.fromCharCode(unit)
  if (/[a-z]/i.test(character)) ASCII[unit] = LETTER
  else if (/[0-9]/.test(character)) ASCII[unit] = DIGIT
  else if (/[\s_]/.test(character)) ASCII[unit] = SPACE
  else if (/[-/*]/.test(character)) ASCII[unit] = LINK
  else if (/['`]/.test(character)) ASCII[unit] = JOINT
  else ASCII[unit] = { '.': DOT, ',': COMMA, '&': AMPERSAND }[character] ?? OTHER
}

const WIDE = new Uint8Array(0x1_0000).fill(UNKNOWN)

const IS_JOINT = /[\u00ad‘’‛´ʹ-ʿˈ′՚׳״＇]/u
const IS_LINK = /[‐-–·•∙⋅‧⁄∕−־]/u
const IS_PAIRED =
  /[[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]&&[\p{L}\p{M}\p{N}]]|[ー々]/v
const IS_PICTURE = /[\p{Extended_Pictographic}\p{Regional_Indicator}]/u
const IS_SPACE = /\s/u
const IS_MARK = /[\p{M}\p{Emoji_Modifier}]/u
const IS_LETTER = /[\p{L}\p{N}]/u

function classify(character: string): number {
  if (IS_JOINT.test(character)) return JOINT
  if (IS_LINK.test(character)) return LINK
  if (IS_PAIRED.test(character)) return PAIRED
  if (IS_MARK.test(character)) return MARK
  if (IS_LETTER.test(character)) return LETTER
  if (IS_SPACE.test(character)) return SPACE
  if (IS_PICTURE.test(character)) return SYMBOL
  return OTHER
}

/** The class of the character that begins at `index`, which lies in the text. */
export function classAt(text: string, index: number): number {
  const unit = text.charCodeAt(index)
  if (unit < 128) return ASCII[unit] as number
  if (unit >= 0xd800 && unit <= 0xdbff) return classify(String.fromCodePoint(text.codePointAt(index) ?? 0))
  const known = WIDE[unit] as number
  if (known !== UNKNOWN) return known
  const found = classify(text.charAt(index))
  WIDE[unit] = found
  return found
}

/** True where a word goes on. */
export function isWordAt(text: string, index: number): boolean {
  const found = index < text.length ? classAt(text, index) : OTHER
  return found === LETTER || found === PAIRED
}

/** Code units of the character at `index`. */
export const unitsAt = (text: string, index: number): number => {
  const unit = text.charCodeAt(index)
  return unit >= 0xd800 && unit <= 0xdbff ? 2 : 1
}

export const isAscii = (text: string): boolean => {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 127) return false
  return true
}
