import { existsSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import type { NodeRole } from '../../events/index.ts'
import { defaultDataDirectory } from './data-directory.ts'

/**
 * Lets the default data directory of a role lead to this one, where there is none yet, so that later commands need no
 * `--data`. A link that leads nowhere any more gives way, and so does what a start that was refused left empty.
 * @returns true if it does now and did not before
 * @throws what making a link throws
 */
export function makeDefault(role: NodeRole, directory: string): boolean {
  const place = defaultDataDirectory(role)
  const there = lstatSync(place, { throwIfNoEntry: false })
  const isLink = there?.isSymbolicLink() === true
  const givesWay = there === undefined || (isLink ? !existsSync(place) : there.isDirectory() && readdirSync(place).length === 0)
  if (place === directory || !givesWay) return false
  if (isLink) rmSync(place)
  else if (there !== undefined) rmdirSync(place)
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(directory, place)
  return true
}
