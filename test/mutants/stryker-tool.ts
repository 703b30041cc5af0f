import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** The one that is known to work with TypeScript 7, by its command runner. */
const STRYKER = '10.1.1'

/**
 * Stryker's program. It is no devDependency: it brings 194 packages and 60 MB that nobody but this runner needs, so it is
 * installed into a folder of the user's cache when it is first asked for.
 */
export async function strykerProgram(): Promise<string> {
  const folder = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'p2pt-mutants', `stryker-${STRYKER}`)
  const program = join(folder, 'node_modules/.bin/stryker')
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }))
  console.error(`Stryker ${STRYKER} is installed into ${folder}`)
  const args = ['install', '--no-audit', '--no-fund', '--save-exact', `@stryker-mutator/core@${STRYKER}`]
  await promisify(execFile)('npm', args, { cwd: folder })
  return program
}
