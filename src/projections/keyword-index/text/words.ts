// The words of a text as they are told one by one: what a word stands for, and its role in titles and queries.

/** The piece as it stands. */
export const PLAIN = 0
/** The same; and whoever types it so means the piece before it and this one in a row. */
export const LINKED = 1
/** The one name of what it spans: every title with those pieces has it too. */
export const NAME = 2
/** Another way to write what it spans; a title that has the pieces apart may not have it. */
export const JOINED = 3
/** Follows from another word at its place; of titles only. */
export const IMPLIED = 4
/** The last character of a run of `PAIRED` ones, which begins no pair. */
export const LAST = 5
/** The pair of the last character of a run with the first one of the next: some write them apart. */
export const BRIDGE = 6
/** A run of one character. */
export const ALONE = 7
/** The same before a bridge, which has it in a title. Of queries only. */
export const ALONE_BRIDGED = 8

/** `span`: pieces that the word stands for, from `position` on. */
export type Emit = (word: string, position: number, span: number, role: number) => void

/** Takes the words that a text has. */
export interface Words {
  put(word: string, position: number, span: number, role: number): void
}

/** No separator before a piece, or two units and more; single ones are told by their class. */
export const NONE = -1
export const WIDE = -2
/** A dot and a space. */
export const DOT_SPACE = -3
/** A hyphen between two spaces. */
export const DASH = -4

/** What a piece is made of. */
export const LETTERS = 1
export const DIGITS = 2
export const MIXED = LETTERS | DIGITS

/**
 * Letters and digits between separators. `kind`: 0 for what is no word. `flags`: what aliases.ts knows of it. `end`: where it ends
 * in the text.
 */
export type Piece = { readonly word: string; readonly kind: number; readonly flags: number; readonly end: number }
