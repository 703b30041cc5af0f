import { createHash } from 'node:crypto'
import type { Sha1 } from './metainfo.ts'

export const sha1: Sha1 = (chunks) => {
  const hash = createHash('sha1')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}
