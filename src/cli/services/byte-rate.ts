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
  t: 1e12,
  tb: 1e12,
  tib: 2 ** 40,
}

/**
 * Bytes a second of a text like `500kB`, `2MB`, `1.5MiB/s`.
 * @throws ServiceError `usage`
 */
export function parseByteRate(text: string): number {
  const rate = bytesOf(text.trim().replace(/\/s$/i, ''))
  if (rate === undefined) throw new ServiceError('usage', `not a rate (bytes a second, e.g. 500kB or 2MB): ${text}`)
  return rate
}

/**
 * Bytes of a text like `500MB`, `20GB`, `1.5GiB`.
 * @throws ServiceError `usage`
 */
export function parseByteCount(text: string): number {
  const count = bytesOf(text.trim())
  if (count === undefined) throw new ServiceError('usage', `not a size (e.g. 500MB or 20GB): ${text}`)
  return count
}

function bytesOf(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text)
  const unit = UNITS[(match?.[2] ?? '').toLowerCase()]
  const count = Math.round(Number(match?.[1]) * (unit ?? Number.NaN))
  return Number.isSafeInteger(count) && count >= 1 ? count : undefined
}
