import type { InfoHash } from '../../../events/index.ts'
import { CODECS } from './aliases.ts'
import { classAt, PAIRED } from './characters.ts'
import { fold, spellings } from './fold.ts'
import { hashKeyword } from './info-hash.ts'
import { eachWord } from './tokenizer.ts'
import { ALONE, ALONE_BRIDGED, BRIDGE, JOINED, LAST, LINKED, NAME, PLAIN } from './words.ts'

// What words that were typed ask of titles. Where a word can be written in several ways, any of them will do.

/**
 * One thing to look for in a title. `phrase`: these words in a row, each from where the one before ends; the last one may be
 * the beginning of a word (`begins`).
 */
export type Term =
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'prefix'; readonly word: string }
  | { readonly kind: 'phrase'; readonly words: readonly string[]; readonly begins?: true }
  | { readonly kind: 'infohash'; readonly infoHash: InfoHash }

/** Whole words that a title must have to match a term: none for a prefix; for an info hash, its keyword. */
export function wholeWordsOf(term: Term): readonly string[] {
  switch (term.kind) {
    case 'word':
      return [term.word]
    case 'prefix':
      return []
    case 'phrase':
      return term.begins === true ? term.words.slice(0, -1) : term.words
    case 'infohash':
      return [hashKeyword(term.infoHash)]
  }
}

/** Must hold: at least one of its terms. */
export type Clause = readonly Term[]

/** Words of a query, those that are left out too: a title pasted whole has fewer. Of more nothing is made. */
export const WORDS_MAX = 128
/** Ways to write one phrase; others are not looked for. */
const WAYS_MAX = 8

/** One piece, or several that have one name. `end`: the position after it. */
type Atom = {
  readonly words: string[]
  readonly at: number
  readonly end: number
  readonly isLinked: boolean
  /** One character of a script without spaces: the words that it begins are meant. */
  readonly isBeginning: boolean
  /** The last character of a run of these. */
  readonly isLast: boolean
}
type Join = { readonly word: string; readonly at: number; readonly end: number }
type Reading = { readonly atoms: readonly Atom[]; readonly joins: readonly Join[]; readonly pieces: number }

function read(text: string, isQuoted: boolean): Reading {
  const plain: (string[] | undefined)[] = []
  const linked = new Set<number>()
  const alone = new Map<number, string>()
  const names = new Map<number, { words: string[]; span: number }>()
  const lasts = new Set<number>()
  const joins: Join[] = []
  const add = (word: string, position: number): void => {
    const here = plain[position]
    if (here === undefined) plain[position] = [word]
    else here.push(word)
  }
  const pieces = eachWord(text, (word, position, span, role) => {
    if (role === PLAIN || role === LINKED) add(word, position)
    if (role === LINKED) linked.add(position)
    if (role === ALONE || role === ALONE_BRIDGED) alone.set(position, word)
    if (isQuoted && (role === LAST || role === BRIDGE)) add(word, position)
    if (role === LAST) lasts.add(position)
    if (role === JOINED) joins.push({ word, at: position, end: position + span })
    if (role !== NAME) return
    const known = names.get(position)
    if (known === undefined || known.span < span) names.set(position, { words: [word], span })
    else if (known.span === span) known.words.push(word)
  })
  const atoms: Atom[] = []
  for (let at = 0; at < pieces; ) {
    const name = names.get(at)
    const end = at + (name?.span ?? 1)
    const single = alone.get(at)
    const words = name?.words ?? plain[at] ?? (single === undefined ? undefined : [single])
    const isBeginning = name === undefined && plain[at] === undefined
    if (words !== undefined) atoms.push({ words, at, end, isLinked: linked.has(at), isBeginning, isLast: lasts.has(at) })
    at = end
  }
  return { atoms, joins, pieces }
}

/** The ways to write what lies between two positions, the one that was typed first. */
function waysOf(atoms: readonly Atom[], joins: readonly Join[]): string[][] {
  const [first, last] = [atoms[0], atoms.at(-1)]
  const ways: string[][] = []
  if (first === undefined || last === undefined) return ways
  const steps = new Map<number, { word: string; end: number }[]>()
  for (const { at, end, words } of atoms)
    steps.set(
      at,
      words.map((word) => ({ word, end })),
    )
  for (const { at, end, word } of joins) if (end <= last.end) steps.get(at)?.push({ word, end })
  // A join may end within what has one name: no way leads on from there.
  const follow = (position: number, way: readonly string[]): void => {
    if (position === last.end) ways.push([...way])
    for (const { word, end } of position === last.end ? [] : (steps.get(position) ?? [])) {
      if (ways.length < WAYS_MAX && (end === last.end || steps.has(end))) follow(end, [...way, word])
    }
  }
  follow(first.at, [])
  return ways
}

const termOf = (words: readonly string[], begins: boolean): Term => {
  const [only = ''] = words
  if (words.length === 1) return { kind: begins ? 'prefix' : 'word', word: only }
  return begins ? { kind: 'phrase', words, begins } : { kind: 'phrase', words }
}

/** Clauses that titles with these words must meet, in the order of the words, and how many pieces were typed. */
export function clausesOf(text: string): { clauses: Clause[]; pieces: number } {
  const { atoms, joins, pieces } = read(text, false)
  if (pieces > WORDS_MAX) return { clauses: [], pieces }
  const groups: Atom[][] = []
  for (const atom of atoms) {
    const group = groups.at(-1)
    if (atom.isLinked && group !== undefined && group.at(-1)?.end === atom.at) group.push(atom)
    else groups.push([atom])
  }
  const clauses = groups.map((group) => waysOf(group, joins).map((words) => termOf(words, group.at(-1)?.isBeginning === true)))
  // Over a space: the words apart, wherever they are, or the one.
  const [starts, ends] = [new Map<number, number>(), new Map<number, number>()]
  for (const [index, group] of groups.entries()) {
    starts.set(group[0]?.at ?? -1, index)
    ends.set(group.at(-1)?.end ?? -1, index)
  }
  for (const { word, at, end } of joins) {
    const [from, to] = [starts.get(at), ends.get(end)]
    if (from === undefined || to === undefined || to <= from) continue
    for (let index = from; index <= to; index++) clauses[index]?.push({ kind: 'word', word })
  }
  return { clauses, pieces }
}

/** The ways to write a phrase that was quoted; none for one without words. `begins`: its last word may go on. */
export function phrasesOf(text: string, begins = false): { terms: Term[]; pieces: number } {
  const { atoms, joins, pieces } = read(text, true)
  if (pieces > WORDS_MAX) return { terms: [], pieces }
  const last = atoms.at(-1)
  // In a title that goes on there, the last character of the phrase begins a pair: the pair before it has it already.
  if (last?.isLast === true) return { terms: waysOf(atoms.slice(0, -1), joins).map((words) => termOf(words, false)), pieces }
  return { terms: waysOf(atoms, joins).map((words) => termOf(words, begins || last?.isBeginning === true)), pieces }
}

const WORD_AT_END = /[\p{L}\p{N}\p{M}]+$/u

/** The same for a word with an asterisk: its last piece may go on, as it was typed or by another name. */
export function clausesOfBeginning(text: string): { clauses: Clause[]; pieces: number } {
  const { atoms, pieces } = read(text, false)
  const last = atoms.at(-1)
  if (last === undefined || pieces > WORDS_MAX) return { clauses: [], pieces }
  const [typed = ''] = WORD_AT_END.exec(fold(text)) ?? []
  const words = new Set(last.words)
  if (typed !== '' && classAt(typed, typed.length - 1) !== PAIRED) for (const word of spellings(typed)) words.add(word)
  const terms: Term[] = [...words].map((word) => ({ kind: 'prefix', word }))
  for (const [name, word] of CODECS) {
    if (typed.length > 1 && name.startsWith(typed) && !words.has(word)) terms.push({ kind: 'word', word })
  }
  const before = atoms.slice(0, -1).map((atom): Clause => atom.words.map((word) => ({ kind: 'word', word })))
  return { clauses: [...before, terms], pieces }
}
