import { ServiceError } from '../../roles/index.ts'

const UNITS_MS: { readonly [unit: string]: number } = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
}

/** What is typed beyond it is a slip, and a date of six digits of years is one that no reader takes. */
export const SPAN_MS_MAX = 100 * (UNITS_MS.y ?? 0)

/**
 * ms of a text like 90m, 12h, 30d, 6w or 1y.
 * @throws ServiceError `usage` unless it is a number and a unit, of at most 100 years
 */
export function spanOf(flag: string, text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([mhdwy])$/.exec(text.trim()) ?? []
  const ms = Number(digits) * (UNITS_MS[unit] ?? 0)
  if (digits === '' || ms === 0) throw new ServiceError('usage', `${flag} ${text} is no time such as 90m, 12h, 30d, 6w or 1y`)
  if (ms > SPAN_MS_MAX) throw new ServiceError('usage', `${flag} ${text} is too long: at most 100 years, or leave it out`)
  return ms
}
