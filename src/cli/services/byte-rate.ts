import { ServiceError } from '../../roles/index.ts'

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  kib: 2 ** 10,
  m: 1e6,
  mb: 1e6,
  mib: 2 ** 20,
  g: 1e9,
  gb: 1e9,
  gib: 2 ** 30,
}

/**
 * Bytes a second of a text like `500kB`, `2MB`, `1.5MiB/s`.
 * @throws ServiceError `usage`
 */
export function parseByteRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)(?:\/s)?$/i.exec(text.trim())
  const unit = UNITS[(match?.[2] ?? '').toLowerCase()]
  const rate = Math.round(Number(match?.[1]) * (unit ?? Number.NaN))
  if (!Number.isSafeInteger(rate) || rate < 1)
    throw new ServiceError('usage', `not a rate (bytes a second, e.g. 500kB or 2MB): ${text}`)
  return rate
}
