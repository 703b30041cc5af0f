import { printable } from './printable.ts'
import { clip, padEnd, padStart, textWidth } from './text-width.ts'

export type Column<R> = {
  title: string
  value: (row: R) => string
  align?: 'right'
  /** Columns in the terminal; longer cells are cut. */
  widthMax?: number
}

/** Rows under their titles, columns aligned, two spaces between. Every cell is made printable here. */
export function table<R>(rows: readonly R[], columns: readonly Column<R>[]): string {
  const cells = rows.map((row) => columns.map(({ value, widthMax }) => clip(printable(value(row)), widthMax ?? 200)))
  const lines = [columns.map(({ title }) => title), ...cells]
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => textWidth(line[index] ?? ''))))
  return lines
    .map((line) =>
      line
        .map((cell, index) => (columns[index]?.align === 'right' ? padStart : padEnd)(cell, widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Names and what they are, one a line, the values aligned. Entries that are undefined are left out. */
export function fields(entries: readonly (readonly [name: string, value: string] | undefined)[]): string {
  const shown = entries.filter((entry) => entry !== undefined)
  const width = Math.max(...shown.map(([name]) => textWidth(name)))
  return shown.map(([name, value]) => `${padEnd(name, width)}  ${printable(value)}`.trimEnd()).join('\n')
}
