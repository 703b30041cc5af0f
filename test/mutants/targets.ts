import { existsSync, globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

// Which files mutants are put into, and which tests should notice.

/** Adapters of torrents and roles are tried by real processes and not by mirror tests. */
const PURE_ONLY = /^src\/(torrent|roles)\//
const ADAPTER = /\.(fs|level|hyperswarm|webtorrent|tcp|mainline|system|sodium|pino)\.ts$/
const NO_CODE = /(^|\/)generated\/|\.d\.ts$|(^|\/)index\.ts$/
const CORE = ['src/events', 'src/projections', 'src/network', 'src/torrent', 'src/roles']

/** The files of the core below these paths, all of it where none is given. */
export function filesOf(root: string, paths: readonly string[]): string[] {
  const wanted = paths.length === 0 ? CORE : paths
  return wanted
    .flatMap((path) => (path.endsWith('.ts') ? [path] : globSync(`${path.replace(/\/$/, '')}/**/*.ts`, { cwd: root })))
    .filter((file) => !NO_CODE.test(file) && !(PURE_ONLY.test(file) && ADAPTER.test(file)))
    .sort()
}

/** The mirror test of a file: its own, or else those of the nearest folder that has any. */
export function mirrorOf(root: string, file: string): string[] {
  const own = file.replace(/^src\//, 'test/').replace(/\.ts$/, '.test.ts')
  const plain = own.replace(/\.\w+\.test\.ts$/, '.test.ts')
  const mine = [own, plain].filter((path) => existsSync(join(root, path)))
  // A folder may have one test for many small parts, which tells more than a file's own.
  const folder = dirname(own)
  const beside = ['small-parts.test.ts', `${basename(folder)}.test.ts`].map((name) => join(folder, name))
  const both = [...new Set([...mine, ...beside.filter((path) => existsSync(join(root, path)))])]
  if (mine.length > 0) return both
  for (let at = folder; at !== '.'; at = dirname(at)) {
    const there = globSync(`${at}/*.test.ts`, { cwd: root }).sort()
    if (there.length > 0) return there
  }
  return []
}
