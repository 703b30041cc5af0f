import { ServiceError } from '../../roles/index.ts'
import { DISK_LIMIT_BYTES_MIN } from '../../roles/start.ts'
import { bytes } from '../render/units.ts'

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
 * As {@link parseByteRate}, and 0 for `none` and for an empty text.
 * @throws ServiceError `usage`
 */
export const parseRateLimit = (text: string): number => (/^(none|)$/i.test(text.trim()) ? 0 : parseByteRate(text))

/**
 * Bytes of a text like `500MB`, `20GB`, `1.5GiB`.
 * @throws ServiceError `usage`
 */
export function parseByteCount(text: string): number {
  const count = bytesOf(text.trim())
  if (count === undefined) throw new ServiceError('usage', `not a size (e.g. 500MB or 20GB): ${text}`)
  return count
}

/**
 * The most that a log may take.
 * @throws ServiceError `usage` if it is no size, or less than an empty log can take
 */
export function parseDiskLimit(text: string): number {
  const limit = parseByteCount(text)
  if (limit < DISK_LIMIT_BYTES_MIN)
    throw new ServiceError(
      'usage',
      `--disk-limit ${text} is too little: the database under an empty log takes up to ${bytes(DISK_LIMIT_BYTES_MIN)}, give that or more`,
    )
  return limit
}

function bytesOf(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text)
  const unit = UNITS[(match?.[2] ?? '').toLowerCase()]
  const count = Math.round(Number(match?.[1]) * (unit ?? Number.NaN))
  return Number.isSafeInteger(count) && count >= 1 ? count : undefined
}
