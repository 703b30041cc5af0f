export type Word = {
  text: string
  /** Where it begins in the line, with its quote. */
  start: number
}

/** A line cut into words; `open` is the quote (or backslash) that was not finished. */
export type SplitLine = { words: Word[]; open: '"' | "'" | '\\' | undefined }

/**
 * Cuts a line as a POSIX shell does with words and quotes, and nothing else of it: 'as it is', "with \" and \\",
 * back\ slash outside.
 */
export function splitWords(line: string): SplitLine {
  const words: Word[] = []
  let word: Word | undefined
  let quote: '"' | "'" | undefined
  let escaped = false
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? ''
    if (escaped) {
      // Within double quotes a backslash means itself, but before a quote or another backslash.
      if (word !== undefined)
        word.text += quote === '"' && character !== '"' && character !== '\\' ? `\\${character}` : character
      escaped = false
    } else if (character === '\\' && quote !== "'") {
      escaped = true
      word ??= begin(words, at)
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined
      else if (word !== undefined) word.text += character
    } else if (character === '"' || character === "'") {
      quote = character
      word ??= begin(words, at)
    } else if (/\s/.test(character)) {
      word = undefined
    } else {
      word ??= begin(words, at)
      word.text += character
    }
  }
  return { words, open: quote ?? (escaped ? '\\' : undefined) }
}

function begin(words: Word[], start: number): Word {
  const word = { text: '', start }
  words.push(word)
  return word
}
