import { key32 } from '../../bytes.ts'

// Where the rows of a segment stand: `s`, its number, then `d`: entries by rank; `w`: blocks of words, `W`: their first words;
// `e`, `E`: the same of prefixes; `p`: the rest of long posting lists.

const SEGMENTS = 's'
export type Dictionary = 'w' | 'e'

export const segmentKey = (segment: number): string => SEGMENTS + key32(segment)
export const entriesKey = (segment: number, row: number): string => `${segmentKey(segment)}d${key32(row)}`
export const termsKey = (segment: number, dictionary: Dictionary, block: number): string =>
  `${segmentKey(segment)}${dictionary}${key32(block)}`
export const firstTermsKey = (segment: number, dictionary: Dictionary): string =>
  `${segmentKey(segment)}${dictionary.toUpperCase()}`
export const postingsKey = (segment: number, row: number): string => `${segmentKey(segment)}p${key32(row)}`
