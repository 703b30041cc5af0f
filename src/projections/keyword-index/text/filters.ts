import { categoryNamed, categoryOf } from './category.ts'
import { fold } from './fold.ts'

// What a query asks of a torrent beside its title.

export type Comparison = '>' | '>=' | '<' | '<=' | '='

export type Filter =
  | { readonly kind: 'size' | 'seeders'; readonly comparison: Comparison; readonly value: number }
  /** One of the torrent's tags, whole, as `tagForm` has it. */
  | { readonly kind: 'tag'; readonly tag: string }
  /** The same, or the category of the torrent, see `categoryOf`. */
  | { readonly kind: 'category'; readonly tag: string }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Filter[] }
  | { readonly kind: 'not'; readonly of: Filter }

/** What filters are put to. */
export type FilteredTorrent = {
  readonly title: string
  readonly sizeBytes: number
  readonly seeders: number
  readonly tags: readonly string[]
  /** Of the title, where they are known. */
  readonly keywords?: readonly string[]
}

/** A tag without case, marks and outer spaces. */
export const tagForm = (tag: string): string => fold(tag).trim().replaceAll(/\s+/g, ' ')

export function passes(torrent: FilteredTorrent, filter: Filter): boolean {
  switch (filter.kind) {
    case 'size':
      return compares(torrent.sizeBytes, filter.comparison, filter.value)
    case 'seeders':
      return compares(torrent.seeders, filter.comparison, filter.value)
    case 'tag':
      return torrent.tags.some((tag) => tagForm(tag) === filter.tag)
    case 'category': {
      if (torrent.tags.some((tag) => tagForm(tag) === filter.tag)) return true
      const asked = categoryNamed(filter.tag)
      return asked !== undefined && categoryOf(torrent.title, torrent.tags, torrent.keywords) === asked
    }
    case 'all':
      return filter.of.every((each) => passes(torrent, each))
    case 'any':
      return filter.of.some((each) => passes(torrent, each))
    case 'not':
      return !passes(torrent, filter.of)
  }
}

function compares(value: number, comparison: Comparison, bound: number): boolean {
  switch (comparison) {
    case '>':
      return value > bound
    case '>=':
      return value >= bound
    case '<':
      return value < bound
    case '<=':
      return value <= bound
    case '=':
      return value === bound
  }
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 1024,
  m: 1e6,
  mb: 1e6,
  mib: 1024 ** 2,
  g: 1e9,
  gb: 1e9,
  gib: 1024 ** 3,
  t: 1e12,
  tb: 1e12,
  tib: 1024 ** 4,
}

const NUMBER = String.raw`(\d{1,15}(?:[.,]\d{1,6})?)`
/** After a space a single letter is a word of the query. */
const UNIT = String.raw`(\s+[kmgt]i?b(?![\p{L}\d])|[kmgt]?i?b?)`
const amountIn = (unit: string): RegExp => new RegExp(String.raw`\s*(>=|<=|=>|=<|[<>=]|)\s*${NUMBER}${unit}(?=[\s|"]|$)`, 'iuy')
const rangeIn = (unit: string): RegExp =>
  new RegExp(String.raw`\s*${NUMBER}${unit}\s*(?:\.\.\.?|…|-|–)\s*${NUMBER}${unit}(?=[\s|"]|$)`, 'iuy')
const AMOUNTS = { size: amountIn(UNIT), seeders: amountIn('()') }
const RANGES = { size: rangeIn(UNIT), seeders: rangeIn('()') }

/** `1,5` is one and a half, `1,500` is fifteen hundred. */
const numberOf = (digits: string): number => Number(/,\d{3}$/.test(digits) ? digits.replace(',', '') : digits.replace(',', '.'))

/** What stands behind `size:` or `seeders:` in a query, and where it ends; undefined where it is no amount. */
export function readAmount(kind: 'size' | 'seeders', text: string, from: number): { filter: Filter; end: number } | undefined {
  const amountOf = (digits: string, unit: string): number => {
    const scale = UNITS[unit.trim().toLowerCase()]
    return scale === undefined ? Number.NaN : numberOf(digits) * scale
  }
  const { [kind]: rangeForm } = RANGES
  rangeForm.lastIndex = from
  const range = rangeForm.exec(text)
  if (range !== null) {
    const [, low = '', lowUnit = '', high = '', highUnit = ''] = range
    const least = amountOf(low, lowUnit === '' ? highUnit : lowUnit)
    const most = amountOf(high, highUnit)
    if (!(least <= most)) return undefined
    const of: Filter[] = [
      { kind, comparison: '>=', value: least },
      { kind, comparison: '<=', value: most },
    ]
    return { filter: { kind: 'all', of }, end: rangeForm.lastIndex }
  }
  const { [kind]: form } = AMOUNTS
  form.lastIndex = from
  const amount = form.exec(text)
  if (amount === null) return undefined
  const [, sign = '', digits = '', unit = ''] = amount
  const value = amountOf(digits, unit)
  if (Number.isNaN(value)) return undefined
  // `size:1GB` is what people type who want that much at least.
  const comparison = sign === '' ? '>=' : sign === '=>' ? '>=' : sign === '=<' ? '<=' : (sign as Comparison)
  return { filter: { kind, comparison, value }, end: form.lastIndex }
}
