import { createHash, hash } from 'node:crypto'
import type { NewSha256 } from './sha256.ts'

export const newSha256: NewSha256 = () => {
  const hash = createHash('sha256')
  return {
    update(text) {
      hash.update(text, 'utf8')
    },
    digestHex: () => hash.digest('hex'),
  }
}

/** Of some bytes at once: 32 bytes. */
export const sha256Of = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')
