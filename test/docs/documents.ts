import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const ROOT = join(import.meta.dirname, '../..')

/** The text of a document, by its path in the repository. */
export const document = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** The cells of the first table after a line that begins with `heading`, without its head. @throws Error if there is none */
export function tableAfter(text: string, heading: string): string[][] {
  const lines = text.split('\n')
  const from = lines.findIndex((line) => line.startsWith(heading))
  const rest = from < 0 ? [] : lines.slice(from + 1)
  const first = rest.findIndex((line) => line.startsWith('|'))
  if (first < 0) throw new Error(`no table after "${heading}"`)
  const end = rest.findIndex((line, index) => index > first && !line.startsWith('|'))
  return rest.slice(first + 2, end < 0 ? undefined : end).map((line) =>
    line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}
