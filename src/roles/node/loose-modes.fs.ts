import { statSync } from 'node:fs'
import { keyPath } from '../directory/key-file.fs.ts'

/** Group and others: reading, or anything at all. */
const NOT_OWNER = 0o077
/** Group and others: writing. */
const NOT_OWNER_WRITES = 0o022

/**
 * What other users of this machine may do with a node's data directory and should not, each with the command that mends
 * it. They are told and no more: the modes may be meant so, as on a disk that has none.
 */
export function looseModes(directory: string): string[] {
  const key = keyPath(directory)
  const told: string[] = []
  const keyMode = modeOf(key)
  if ((keyMode & NOT_OWNER) !== 0)
    told.push(
      `other users of this machine may use the key in ${key} (mode ${octal(keyMode)}), and whoever has it can speak as this node: run \`chmod 600 ${key}\``,
    )
  const mode = modeOf(directory)
  if ((mode & NOT_OWNER_WRITES) !== 0)
    told.push(
      `other users of this machine may write to ${directory} (mode ${octal(mode)}), and so replace its key and its log: run \`chmod go-w ${directory}\``,
    )
  return told
}

const modeOf = (path: string): number => (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o777
const octal = (mode: number): string => `0${mode.toString(8).padStart(3, '0')}`
