import { classAt, isWordAt, JOINT, MARK, OTHER, PAIRED } from './characters.ts'

// C++, C#, F# and .NET are words; so is C, another one.

/** True where a word, or what joins two, ends. */
function isWithin(text: string, start: number): boolean {
  if (start === 0) return false
  const before = classAt(text, start - 1)
  return before <= MARK ? before !== OTHER : before === JOINT || before === PAIRED
}

/** The name that letters between `start` and `end` have with the signs about them, and where it ends; undefined for others. */
export function programmingNameAt(
  text: string,
  letters: string,
  start: number,
  end: number,
): { name: string; end: number } | undefined {
  if (letters === 'net') {
    const isName = text.charCodeAt(start - 1) === 0x2e && !isWordAt(text, end) && !isWithin(text, start - 1)
    return isName ? { name: '.net', end } : undefined
  }
  if (letters.length > 1) return undefined
  const unit = text.charCodeAt(end)
  // `한c++`: one of the letters of a word is no word.
  if ((unit !== 0x2b && unit !== 0x23) || isWithin(text, start)) return undefined
  if (unit === 0x2b) return letters === 'c' && text.charCodeAt(end + 1) === 0x2b ? { name: 'c++', end: end + 2 } : undefined
  return (letters === 'c' || letters === 'f') && !isWordAt(text, end + 1) ? { name: `${letters}#`, end: end + 1 } : undefined
}

/** Names that have .NET in them: who looks for that finds them. */
export const isNetName = (before: string): boolean => before === 'asp' || before === 'vb' || before === 'ado'
