/** How BEP 3 opens: the length of the name, and the name. */
const PLAIN_OPENING = Uint8Array.from('\x13BitTorrent protocol', (character) => character.charCodeAt(0))

/**
 * Whether an inbound connection speaks BitTorrent as it is, or MSE: that opens with a public key, which looks like noise
 * and begins as BEP 3 does once in 2^160. Looks at the first 20 bytes; `more` while what has come could be either.
 */
export function sniff(bytes: Uint8Array): 'plain' | 'encrypted' | 'more' {
  const length = Math.min(bytes.length, PLAIN_OPENING.length)
  for (let index = 0; index < length; index++) if (bytes[index] !== PLAIN_OPENING[index]) return 'encrypted'
  return length === PLAIN_OPENING.length ? 'plain' : 'more'
}
