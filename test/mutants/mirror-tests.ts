import { existsSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Test files that are expected to notice a fault in a source file: `test/a/b.test.ts` of `src/a/b.ts` and of `src/a/b.fs.ts`, with
 * `test/a/b-*.test.ts` where these belong to no source file of their own; or where there is none those of its folder, or of the nearest
 * folder above that has any.
 * @param source path from `root`
 * @returns paths from `root`; none if no folder has any
 */
export function mirrorTests(root: string, source: string): string[] {
  const mirror = source.replace(/^src\//, 'test/')
  // Of an adapter with its suffix or without.
  const own = [mirror.replace(/\.ts$/, '.test.ts'), mirror.replace(/(\.[a-z]+)?\.ts$/, '.test.ts')]
  const found = own.find((path) => existsSync(join(root, path)))
  if (found !== undefined) return [found, ...more(root, found)]
  for (let folder = dirname(mirror); folder !== 'test' && folder !== '.'; folder = dirname(folder)) {
    const tests = globSync(`${folder}/*.test.ts`, { cwd: root }).sort()
    if (tests.length > 0) return tests
  }
  return []
}

/** The other test files of a source file that has one. */
function more(root: string, own: string): string[] {
  const isNobodyElses = (test: string): boolean =>
    globSync(`${test.replace(/^test\//, 'src/').replace(/\.test\.ts$/, '')}{.ts,.*.ts}`, { cwd: root }).length === 0
  return globSync(own.replace(/\.test\.ts$/, '-*.test.ts'), { cwd: root })
    .filter(isNobodyElses)
    .sort()
}

/** Test files that globs name, in ascending order. */
export const testsOf = (root: string, globs: readonly string[]): string[] =>
  [...new Set(globs.flatMap((glob) => globSync(glob, { cwd: root })))].sort()
