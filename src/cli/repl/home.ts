import { homedir } from 'node:os'
import { join } from 'node:path'

/** `~` and `~/...` as a shell has them: at the prompt there is no shell to do it. */
export const expandHome = (path: string): string =>
  path === '~' ? homedir() : path.startsWith('~/') ? join(homedir(), path.slice(2)) : path
