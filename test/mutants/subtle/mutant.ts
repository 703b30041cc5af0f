/** A small fault made by hand, of the kind that a careful attacker or a tired maintainer would leave behind. */
export type SubtleMutant = {
  /** Path from the root of the repository. */
  file: string
  /** Exact source text; stands in the file once. */
  find: string
  replace: string
  /** What goes wrong, in a few words. */
  breaks: string
  /** Globs; by default the test file that mirrors `file`, or if there is none the mirror folder's. */
  tests?: readonly string[]
  /** Why no test can be expected to notice it. */
  lives?: string
}

/** @returns the source with the fault in it, or undefined if the mutant is stale: its text does not stand there exactly once */
export function mutated(source: string, { find, replace }: Pick<SubtleMutant, 'find' | 'replace'>): string | undefined {
  const at = source.indexOf(find)
  if (find === '' || at < 0 || source.indexOf(find, at + 1) >= 0) return undefined
  return source.slice(0, at) + replace + source.slice(at + find.length)
}

/** Line of the mutant in its file, from 1; 0 if it is stale. */
export function lineOf(source: string, { find }: Pick<SubtleMutant, 'find'>): number {
  const at = source.indexOf(find)
  return at < 0 ? 0 : source.slice(0, at).split('\n').length
}
