import type { VerifySignature } from '../../events/index.ts'

/** So many events at most, about 300 bytes each; the one that was met longest ago is forgotten first. */
export const VERIFIED_MAX = 8_192

/**
 * Checks a signature once: two owners prove a hit with the same events, and so does the next search for it. A check takes some 60
 * microseconds, and a page of 20 hits has up to 160 of them. What is remembered is compared byte by byte; a wrong one is checked each time.
 */
export function verifyingOnce(verify: VerifySignature): VerifySignature {
  const known = new Map<string, Uint8Array>()
  return (context, body, signature, author) => {
    const name = `${context} ${author} ${String.fromCharCode(...signature)}`
    const before = known.get(name)
    if (before !== undefined && isSame(before, body)) {
      known.delete(name)
      known.set(name, before)
      return true
    }
    if (!verify(context, body, signature, author)) return false
    // A copy: the body is a part of a message.
    known.set(name, new Uint8Array(body))
    const [oldest] = known.keys()
    if (known.size > VERIFIED_MAX && oldest !== undefined) known.delete(oldest)
    return true
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at])
