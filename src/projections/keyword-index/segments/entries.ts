// A document as a segment lists it. Its place in the segment is its rank there: place 0 is the best.

/**
 * `ordinal`: the torrent, by the order in which it came here. `serial`: rises with every listing, so that an older listing of
 * the same torrent is told apart. `author`: whose description is shown, by the order in which authors came. `rank`: see
 * `rankOf`; higher is better.
 */
export type Entry = { readonly ordinal: number; readonly serial: number; readonly author: number; readonly rank: number }

/** Bytes of an entry in its row. */
export const ENTRY_BYTES = 20
/** Entries in a row. */
export const ENTRIES_A_ROW = 256

/** Ranks of one step: so many doublings of parties and seeders, published at any time. */
export const BUCKET_SPAN = 2 ** 42
const LAMPORT_SPAN = BUCKET_SPAN

/** In doublings, so that one more seeder of hundreds moves nothing. 0 to 31. */
export const doublings = (count: number): number => Math.min(31, Math.floor(Math.log2(count + 1)))

/** The static rank as one number: parties that hold it, then seeders, each in doublings, then the later published. */
export const rankOf = (backers: number, seeders: number, lamport: number): number =>
  (doublings(backers) * 32 + doublings(seeders)) * LAMPORT_SPAN + Math.min(lamport, LAMPORT_SPAN - 1)

/** Negative if `a` is better. */
export const compareEntries = (a: Entry, b: Entry): number => b.rank - a.rank || a.ordinal - b.ordinal

export function writeEntry(row: DataView, index: number, { ordinal, serial, author, rank }: Entry): void {
  const at = index * ENTRY_BYTES
  row.setUint32(at, ordinal, true)
  row.setUint32(at + 4, serial, true)
  row.setUint32(at + 8, author, true)
  row.setFloat64(at + 12, rank, true)
}

export function readEntry(row: DataView, index: number): Entry {
  const at = index * ENTRY_BYTES
  return {
    ordinal: row.getUint32(at, true),
    serial: row.getUint32(at + 4, true),
    author: row.getUint32(at + 8, true),
    rank: row.getFloat64(at + 12, true),
  }
}
