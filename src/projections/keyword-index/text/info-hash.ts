import type { InfoHash } from '../../../events/index.ts'

// Info hashes as people have them: 40 hexadecimal digits, 32 characters of base32 (BEP 9), or a magnet link.

const HEX = /^[0-9a-f]{40}$/i
const BASE32 = /^[a-z2-7]{32}$/i
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'

/** The info hash that a text is, in either spelling; undefined for other texts. */
export function infoHashIn(text: string): InfoHash | undefined {
  if (HEX.test(text)) return text.toLowerCase() as InfoHash
  if (!BASE32.test(text)) return undefined
  let hex = ''
  let bits = 0
  let bitCount = 0
  for (const character of text.toLowerCase()) {
    bits = (bits << 5) | ALPHABET.indexOf(character)
    bitCount += 5
    while (bitCount >= 4) {
      bitCount -= 4
      hex += (bits >> bitCount).toString(16)
      bits &= (1 << bitCount) - 1
    }
  }
  return hex as InfoHash
}

export const isMagnet = (text: string): boolean => /^magnet:\?/i.test(text)

/** The info hash of a magnet link; undefined where it names none of version 1. Source: BEP 9. */
export function infoHashOfMagnet(uri: string): InfoHash | undefined {
  const [, hash = ''] = /[?&]xt(?:\.\d+)?=urn:btih:([0-9a-z]+)/i.exec(uri) ?? []
  return infoHashIn(hash)
}

/** The keyword under which owners are found who hold a torrent by its info hash. No title has it. */
export const hashKeyword = (infoHash: InfoHash): string => `btih:${infoHash}`
