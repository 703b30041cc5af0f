import { existsSync, globSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Test files that are expected to notice a fault in a source file: `test/a/b.test.ts` of `src/a/b.ts` and of `src/a/b.fs.ts`, or where there is
 * none those of its folder, or of the nearest folder above that has any.
 * @param source path from `root`
 * @returns paths from `root`; none if no folder has any
 */
export function mirrorTests(root: string, source: string): string[] {
  const mirror = source.replace(/^src\//, 'test/')
  // Of an adapter with its suffix or without.
  const own = [mirror.replace(/\.ts$/, '.test.ts'), mirror.replace(/(\.[a-z]+)?\.ts$/, '.test.ts')]
  const found = own.find((path) => existsSync(join(root, path)))
  if (found !== undefined) return [found]
  for (let folder = dirname(mirror); folder !== 'test' && folder !== '.'; folder = dirname(folder)) {
    const tests = globSync(`${folder}/*.test.ts`, { cwd: root }).sort()
    if (tests.length > 0) return tests
  }
  return []
}

/** Test files that globs name, in ascending order. */
export const testsOf = (root: string, globs: readonly string[]): string[] =>
  [...new Set(globs.flatMap((glob) => globSync(glob, { cwd: root })))].sort()
