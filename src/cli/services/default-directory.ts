import { existsSync, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import type { NodeRole } from '../../events/index.ts'
import { defaultDataDirectory } from './data-directory.ts'

/**
 * Lets the default data directory of a role lead to this one, where there is none yet, so that later commands need no
 * `--data`. A link that leads nowhere any more gives way.
 * @returns true if it does now and did not before
 * @throws what making a link throws
 */
export function makeDefault(role: NodeRole, directory: string): boolean {
  const place = defaultDataDirectory(role)
  if (place === directory || existsSync(place)) return false
  if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(place)
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(directory, place)
  return true
}
