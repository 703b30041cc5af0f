/** A running SHA-256 (FIPS 180-4), passed in so that the projections stay free of I/O. Adapter: sha256.system.ts. */
export interface Sha256 {
  /** Adds the UTF-8 bytes of `text`. */
  update(text: string): void
  /** 64 lower-case hex digits; the hash cannot be used after it. */
  digestHex(): string
}

export type NewSha256 = () => Sha256

/** Two lists of rows have the same digest only if they are the same rows: keys and values are framed by their lengths. */
export function digestRows(rows: Iterable<readonly [key: string, value: string]>, newSha256: NewSha256): string {
  const hash = newSha256()
  let pending = ''
  for (const [key, value] of rows) {
    pending += `${key.length}:${key}${value.length}:${value}`
    // One call a row would cost more than the hashing.
    if (pending.length > 64 * 1024) {
      hash.update(pending)
      pending = ''
    }
  }
  hash.update(pending)
  return hash.digestHex()
}
