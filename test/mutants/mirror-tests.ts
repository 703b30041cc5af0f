import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/**
 * Test files that are expected to notice a fault in a source file: `test/a/b.test.ts` of `src/a/b.ts` and of `src/a/b.fs.ts`, with
 * `test/a/b-*.test.ts` where these belong to no source file of their own; or where there is none those that are nearest to it by what
 * they import.
 * @param source path from `root`
 * @returns paths from `root`; none if no test file leads to it
 */
export function mirrorTests(root: string, source: string): string[] {
  const mirror = source.replace(/^src\//, 'test/')
  // Of an adapter with its suffix or without.
  const own = [mirror.replace(/\.ts$/, '.test.ts'), mirror.replace(/(\.[a-z]+)?\.ts$/, '.test.ts')]
  const found = own.find((path) => existsSync(join(root, path)))
  return found === undefined ? nearest(importersIn(root), source) : [found, ...more(root, found)]
}

/** The other test files of a source file that has one. */
function more(root: string, own: string): string[] {
  const isNobodyElses = (test: string): boolean =>
    globSync(`${test.replace(/^test\//, 'src/').replace(/\.test\.ts$/, '')}{.ts,.*.ts}`, { cwd: root }).length === 0
  return globSync(own.replace(/\.test\.ts$/, '-*.test.ts'), { cwd: root })
    .filter(isNobodyElses)
    .sort()
}

type Importers = ReadonlyMap<string, readonly string[]>

/** Test files that lead to a source file by the fewest imports, and by one more. */
function nearest(importers: Importers, source: string): string[] {
  const seen = new Set([source])
  const tests: string[] = []
  let here: readonly string[] = [source]
  for (let isLast = false; here.length > 0 && !isLast; ) {
    isLast = tests.length > 0
    here = here.flatMap((file) => importers.get(file) ?? []).filter((file) => !seen.has(file) && seen.add(file))
    tests.push(...closest(here.filter(isTest), source))
  }
  return tests.slice(0, NEAREST_MAX).sort()
}

/** Beyond that the tests take minutes to load. */
const NEAREST_MAX = 12

/** Those in the same folders first. */
function closest(tests: readonly string[], source: string): string[] {
  const folders = foldersOf(source)
  const shared = (test: string): number => {
    const own = foldersOf(test)
    const apart = folders.findIndex((folder, at) => own[at] !== folder)
    return apart < 0 ? folders.length : apart
  }
  return tests.toSorted((a, b) => shared(b) - shared(a) || (a < b ? -1 : 1))
}

/** Below `src` or `test`. */
const foldersOf = (file: string): string[] => dirname(file).split('/').slice(1)

const isTest = (file: string): boolean => file.endsWith('.test.ts')

/** What `npm test` does not run. */
const OTHER_TIERS = /^test\/(?:docker|cluster|attacks|interop|mutants)\//

const known = new Map<string, Importers>()

/** The door of a folder leads to all that is behind it, and says something only of who belongs there or stands right before it. */
function isTelling(importer: string, imported: string): boolean {
  if (!imported.endsWith('/index.ts')) return true
  const [folders, from] = [foldersOf(imported), foldersOf(importer)]
  const isInside = folders.every((folder, at) => from[at] === folder)
  return isInside || folders.slice(0, -1).join('/') === from.join('/')
}

/** Which files import each file. */
function importersIn(root: string): Importers {
  const made = known.get(root)
  if (made !== undefined) return made
  const importers = new Map<string, string[]>()
  const files = globSync('{src,test}/**/*.ts', { cwd: root })
  for (const file of files.filter((path) => !OTHER_TIERS.test(path))) {
    const text = readFileSync(join(root, file), 'utf8')
    for (const [, path = ''] of text.matchAll(/^(?:import|export|\} from)\b[^;]*?\bfrom '(\.[^']+)'/gm)) {
      const imported = join(dirname(file), path)
      if (isTelling(file, imported)) importers.set(imported, [...(importers.get(imported) ?? []), file])
    }
  }
  known.set(root, importers)
  return importers
}

/** Test files that globs name, in ascending order. */
export const testsOf = (root: string, globs: readonly string[]): string[] =>
  [...new Set(globs.flatMap((glob) => globSync(glob, { cwd: root })))].sort()
