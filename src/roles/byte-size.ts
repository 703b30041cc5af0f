// Sizes for people. Decimal units (1 kB = 1000 bytes), as disks and networks are sold.

const BYTE_UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'] as const

export function bytes(count: number): string {
  if (count < 1000) return `${Math.round(count)} B`
  let value = count
  let unit = -1
  // 999.95 would be shown as 1000.0: it belongs to the next unit.
  while (value >= 999.95 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value.toFixed(1)} ${BYTE_UNITS[unit] ?? ''}`
}
