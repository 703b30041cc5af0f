import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What is mutated where no path is given; of `torrent` and `roles` only what is pure. */
const WHOLE = ['src/events', 'src/network', 'src/projections']
const PURE = ['src/torrent', 'src/roles']

/** Names of files that touch a library or the system. */
const ADAPTER = /\.(fs|level|hyperswarm|webtorrent|mainline|system|sodium|pino)\.ts$/

/** True if a file can have a fault of its own: neither generated, nor types, nor a list of exports. */
const isSource = (file: string): boolean =>
  file.endsWith('.ts') && !file.endsWith('.d.ts') && !file.endsWith('/index.ts') && !file.includes('/generated/')

/** True if `file` is `path`, or in the folder `path`. */
export const isWithin = (file: string, path: string): boolean => file === path || file.startsWith(`${path}/`)

/**
 * Source files to mutate, from `root`, in ascending order.
 * @param paths files or folders of src/; all that is mutated by default where there are none
 * @throws RangeError if one of the paths does not exist
 */
export function targets(root: string, paths: readonly string[]): string[] {
  const under = (path: string): string[] => {
    const stats = statSync(join(root, path), { throwIfNoEntry: false })
    if (stats === undefined) throw new RangeError(`there is no ${path}`)
    return stats.isFile() ? [path] : globSync(`${path}/**/*.ts`, { cwd: root })
  }
  const files =
    paths.length > 0
      ? paths.flatMap(under)
      : [...WHOLE.flatMap(under), ...PURE.flatMap(under).filter((file) => !ADAPTER.test(file))]
  return [...new Set(files.filter(isSource))].sort()
}
