import { normalize } from './normalize.ts'

/** Rises when a title gives other words; it is part of the projection's version, so another one means a rebuild. */
export const TOKENIZER_VERSION = 2
/** Longer words are cut: nobody types them. UTF-16 units. */
export const WORD_LENGTH_MAX = 64

/** A word and its place among the words of the text; aliases stand at the place of what they are another name of. */
export type Token = { readonly word: string; readonly position: number }

type Emit = (word: string, position: number) => void

const isAsciiLetter = (unit: number): boolean => (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90)
const isAsciiDigit = (unit: number): boolean => unit >= 48 && unit <= 57
const isApostrophe = (unit: number): boolean => unit === 0x27 || unit === 0x2019 || unit === 0x02bc

/** Runs of word characters, with apostrophes between them, of which one is a letter to Unicode. */
const WORDS = /[[\p{L}\p{N}\p{M}]--ʼ]+(?:['’ʼ][[\p{L}\p{N}\p{M}]--ʼ]+)*/gv
const CJK = '[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}ー]'
const CJK_RUNS = new RegExp(`(${CJK}+)`, 'u')
const HAS_CJK = new RegExp(CJK, 'u')
const APOSTROPHES = /['’ʼ]/

/** Calls back for each run of word characters, apostrophes inside it included, in lower case. */
function eachRun(text: string, run: (word: string) => void): void {
  let start = -1
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit > 127) {
      // Anything beyond ASCII: the whole text takes the careful way. Nothing was called back yet.
      for (const [word] of normalize(text).matchAll(WORDS)) run(word)
      return
    }
  }
  const lower = text.toLowerCase()
  for (let index = 0; index <= lower.length; index++) {
    const unit = index < lower.length ? lower.charCodeAt(index) : 0
    const inside = isAsciiLetter(unit) || isAsciiDigit(unit)
    if (inside) {
      if (start < 0) start = index
      continue
    }
    if (start < 0) continue
    if (isApostrophe(unit)) {
      const next = lower.charCodeAt(index + 1)
      if (isAsciiLetter(next) || isAsciiDigit(next)) continue
    }
    run(lower.slice(start, index))
    start = -1
  }
}

const cut = (word: string): string => (word.length > WORD_LENGTH_MAX ? word.slice(0, WORD_LENGTH_MAX) : word)

/**
 * The words of a title as they are indexed, aliases included:
 * - release tokens stay whole (`x264`, `1080p`); `S01E05` is also `s01` and `1x05`, `1x05` also `s01e05`, `H.264` also `h264`;
 * - words with an apostrophe are joined (`dont`) and split (`don`, `t`);
 * - Chinese, Japanese and Korean runs are pairs of characters, and the last character alone, so that every character
 *   begins some word and can be found by prefix.
 */
export function titleTokens(title: string): Token[] {
  const tokens: Token[] = []
  eachTitleToken(title, (word, position) => tokens.push({ word, position }))
  return tokens
}

function eachTitleToken(title: string, emit: Emit): void {
  let position = 0
  let before = ''
  eachRun(title, (run) => {
    if (isPlain(run)) {
      const word = cut(run)
      emit(word, position)
      emitAliases(word, before, position, emit)
      before = word
      position += 1
      return
    }
    before = ''
    if (isJoined(run)) {
      emit(cut(run.replaceAll(/['’ʼ]/g, '')), position)
      for (const part of run.split(APOSTROPHES)) emit(cut(part), position)
      position += 1
      return
    }
    for (const part of partsOf(run)) {
      if (!HAS_CJK.test(part)) {
        emit(cut(part), position)
        position += 1
        continue
      }
      const characters = [...part]
      characters.forEach((character, index) => {
        emit(character + (characters[index + 1] ?? ''), position)
        position += 1
      })
    }
  })
}

/** An apostrophe inside a word; beside CJK it is no more than a mark between two. */
const isJoined = (run: string): boolean => APOSTROPHES.test(run) && !HAS_CJK.test(run)

/** A run without joined words, taken apart where CJK begins and ends. */
const partsOf = (run: string): string[] =>
  run.split(APOSTROPHES).flatMap((piece) => piece.split(CJK_RUNS).filter((part) => part !== ''))

/** No apostrophe and no CJK in it: the common case, told by the character codes alone. */
function isPlain(run: string): boolean {
  for (let index = 0; index < run.length; index++) {
    const unit = run.charCodeAt(index)
    if (isApostrophe(unit) || unit >= 0x1100) return !HAS_CJK.test(run) && !APOSTROPHES.test(run)
  }
  return true
}

const SEASON_EPISODE = /^s(\d{1,2})e(\d{1,3})$/
const SEASON_X_EPISODE = /^(\d{1,2})x(\d{2,3})$/
const CODEC = /^26[456]$/
const two = (digits: string): string => digits.padStart(2, '0')

function emitAliases(word: string, before: string, position: number, emit: Emit): void {
  const first = word.charCodeAt(0)
  if (first === 0x73 && word.length >= 4) {
    const [, season, episode] = SEASON_EPISODE.exec(word) ?? []
    if (season !== undefined && episode !== undefined) {
      emit(`s${two(season)}`, position)
      emit(`${Number(season)}x${two(episode)}`, position)
    }
  } else if (isAsciiDigit(first)) {
    if ((before === 'h' || before === 'x') && CODEC.test(word)) {
      emit(before + word, position)
      return
    }
    const [, season, episode] = word.includes('x') ? (SEASON_X_EPISODE.exec(word) ?? []) : []
    if (season !== undefined && episode !== undefined) {
      emit(`s${two(season)}e${two(episode)}`, position)
      emit(`s${two(season)}`, position)
    }
  }
}

/** A word of a query; `prefix` for a single CJK character, which is the beginning of the words that it is in. */
export type QueryToken = { readonly word: string; readonly prefix: boolean }

/** The words that a query asks for: as in titles, but one for each word, without aliases. */
export function queryTokens(text: string): QueryToken[] {
  const tokens: QueryToken[] = []
  eachRun(text, (run) => {
    if (isPlain(run)) {
      tokens.push({ word: cut(run), prefix: false })
      return
    }
    for (const part of isJoined(run) ? [run.replaceAll(/['’ʼ]/g, '')] : partsOf(run)) {
      const characters = HAS_CJK.test(part) ? [...part] : [cut(part)]
      if (characters.length === 1) tokens.push({ word: characters[0] ?? part, prefix: HAS_CJK.test(part) })
      for (let index = 0; index + 1 < characters.length; index++) {
        tokens.push({ word: `${characters[index]}${characters[index + 1]}`, prefix: false })
      }
    }
  })
  return tokens
}

/** The distinct keywords of a title: each has a partition, and the title's events go to the owners of all of them. */
export function keywordsOf(title: string): string[] {
  const words = new Set<string>()
  eachTitleToken(title, (word) => words.add(word))
  return [...words]
}
