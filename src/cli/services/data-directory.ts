import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { ControlError } from '../../control/index.ts'
import type { NodeRole } from '../../events/index.ts'
import { ServiceError } from '../../roles/index.ts'

const ROLES: readonly NodeRole[] = ['bootstrap', 'index', 'client']

/** `$XDG_DATA_HOME/p2pt/<role>`, by default `~/.local/share/p2pt/<role>` (XDG Base Directory Specification). */
export function defaultDataDirectory(role: NodeRole): string {
  const home = process.env.XDG_DATA_HOME
  return join(home?.startsWith('/') ? home : join(homedir(), '.local/share'), 'p2pt', role)
}

/**
 * The data directory a command means, absolute: the one given, else the default of its role. A command that is for
 * any role takes the only default that exists.
 * @throws ServiceError `usage` if several exist; ControlError `NOT_RUNNING` if none does
 */
export function dataDirectory(given: string | undefined, role?: NodeRole): string {
  if (given !== undefined && given !== '') return resolve(given)
  if (role !== undefined) return defaultDataDirectory(role)
  const found = ROLES.map(defaultDataDirectory).filter((directory) => existsSync(directory))
  const [only] = found
  if (found.length > 1)
    throw new ServiceError('usage', `there are several nodes here: say which with --data (${found.join(', ')})`)
  if (only === undefined)
    throw new ControlError(
      'NOT_RUNNING',
      'no node is running in a default data directory: say which one with --data DIR, or start one with `p2pt client start`',
    )
  return only
}
