export type Plain = number | string | Uint8Array | readonly Plain[] | { readonly [key: string]: Plain }

/** Bencode (BEP 3) with sorted keys; lets numbers through that no torrent should hold. */
export function bencode(value: Plain): Uint8Array {
  if (typeof value === 'number') return Buffer.from(`i${value}e`)
  if (typeof value === 'string') return bencode(Buffer.from(value))
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value])
  if (Array.isArray(value))
    return Buffer.concat([Buffer.from('l'), ...value.map((each: Plain) => bencode(each)), Buffer.from('e')])
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  const parts = entries.flatMap(([key, each]) => [bencode(key), bencode(each)])
  return Buffer.concat([Buffer.from('d'), ...parts, Buffer.from('e')])
}
