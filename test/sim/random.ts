/** A random stream from a seed, 0 <= x < 1 (sfc32; Doty-Humphrey, public domain). Equal seeds give equal streams. */
export function randomFrom(seed: number): () => number {
  let a = seed | 0
  let b = 0x9e3779b9
  let c = 0x243f6a88
  let counter = 1
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 0x1_0000_0000
  }
  for (let warm = 0; warm < 16; warm++) next()
  return next
}

/** A stream of its own for each part, so that what one part draws does not change what the others get. */
export function forked(seed: number, part: number): () => number {
  return randomFrom(Math.imul(seed + 1, 0x85ebca6b) ^ Math.imul(part + 1, 0xc2b2ae35))
}
