/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * JSON with the keys of every object in ascending order (code units), so that equal values are equal text and their
 * digests can be compared between nodes. Fastest for objects that were made with their keys in that order.
 */
export function canonicalJson(value: Json): string {
  return JSON.stringify(isSorted(value) ? value : sorted(value))
}

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)

function isSorted(value: Json): boolean {
  if (value === null || typeof value !== 'object') return true
  if (isList(value)) return value.every(isSorted)
  let before: string | undefined
  for (const key in value) {
    // Keys like "1" come first whatever the order of making; such an object is taken for unsorted only at worst.
    if (before !== undefined && key < before) return false
    if (!isSorted(value[key] as Json)) return false
    before = key
  }
  return true
}

function sorted(value: Json): Json {
  if (value === null || typeof value !== 'object') return value
  if (isList(value)) return value.map(sorted)
  const entries = Object.keys(value)
    .sort()
    .map((key): [string, Json] => [key, sorted(value[key] as Json)])
  return Object.fromEntries(entries)
}
