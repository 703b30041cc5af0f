import { Reader } from './reader.ts'
import { ALONE_BRIDGED, type Emit } from './words.ts'

// One tokenizer for titles and queries: titles have all words that it finds, queries ask by their roles (terms.ts).

/** Rises when a title gives other words; it is part of the projection's version, so another one means a rebuild. */
export const TOKENIZER_VERSION = 3

/** Emits every word of a text in reading order. @returns the number of positions */
export const eachWord = (text: string, emit: Emit): number => new Reader(text, emit).read()

/** A word, its place among the pieces of the title, and how many of them it stands for. */
export type Token = { readonly word: string; readonly position: number; readonly span: number }

/** The words of a title as they are indexed. */
export function titleTokens(title: string): Token[] {
  const tokens: Token[] = []
  eachWord(title, (word, position, span, role) => {
    if (role !== ALONE_BRIDGED) tokens.push({ word, position, span })
  })
  return tokens
}

/** The distinct words of a title: each has a partition, and the title's events go to the owners of all of them. */
export function keywordsOf(title: string): string[] {
  const words = new Set<string>()
  eachWord(title, (word, _position, _span, role) => {
    if (role !== ALONE_BRIDGED) words.add(word)
  })
  return [...words]
}
