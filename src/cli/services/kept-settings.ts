import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { replaceFile } from '../../events/files/replace-file.fs.ts'
import { ServiceError } from '../../roles/index.ts'
import { ENCRYPTIONS, ENGINES, type StartOptions } from '../../roles/start.ts'
import { LOG_LEVELS, PORT_MAX } from './start-flags.ts'

// What a node was last started with, in `settings.json` of its data directory: later starts need no flags. What it was told
// once only (a join string, the risk of a fork) and what is for tests is not kept.

export const SETTINGS_FILE = 'settings.json'

export type Settings = {
  bootstrap?: string[] | undefined
  host?: string | undefined
  port?: number | undefined
  advertise?: string | undefined
  'retain-liveness'?: number | undefined
  'disk-limit'?: string | undefined
  'scrub-rate'?: string | undefined
  metrics?: string | undefined
  'log-level'?: StartOptions['logLevel'] | undefined
  downloads?: string | undefined
  public?: boolean | undefined
  'public-dht'?: string | undefined
  'local-discovery'?: boolean | undefined
  'plain-peers'?: boolean | undefined
  engine?: StartOptions['engine'] | undefined
  encryption?: StartOptions['encryption'] | undefined
}
type Name = keyof Settings

const isText = (value: unknown): boolean => typeof value === 'string'
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

/** The file may be written by hand: no value of another type goes on as a flag. */
const CHECKS: { readonly [N in Name]-?: (value: unknown) => boolean } = {
  bootstrap: (value) => Array.isArray(value) && value.every(isText),
  host: isText,
  port: (value) => isCount(value) && Number(value) <= PORT_MAX,
  advertise: isText,
  'retain-liveness': isCount,
  'disk-limit': isText,
  'scrub-rate': isText,
  metrics: isText,
  'log-level': (value) => LOG_LEVELS.some((level) => level === value),
  downloads: isText,
  public: (value) => typeof value === 'boolean',
  'public-dht': isText,
  'local-discovery': (value) => typeof value === 'boolean',
  'plain-peers': (value) => typeof value === 'boolean',
  engine: (value) => ENGINES.some((name) => name === value),
  encryption: (value) => ENCRYPTIONS.some((name) => name === value),
}

const NAMES = Object.keys(CHECKS) as Name[]

/** @throws ServiceError `failed` if the file is there and cannot be read */
export function readSettings(directory: string): Settings {
  const file = join(directory, SETTINGS_FILE)
  if (!existsSync(file)) return {}
  try {
    const stored = (JSON.parse(readFileSync(file, 'utf8')) as { flags: Record<string, unknown> }).flags
    const kept = NAMES.filter((name) => stored[name] !== undefined)
    const wrong = kept.find((name) => !CHECKS[name](stored[name]))
    if (wrong !== undefined) throw new TypeError(`${wrong} is not what it should be`)
    return Object.fromEntries(kept.map((name) => [name, stored[name]]))
  } catch (cause) {
    const remedy = 'remove it, and give the flags of the start once more'
    throw new ServiceError('failed', `${file} cannot be read (${(cause as Error).message}): ${remedy}`, { cause })
  }
}

/** @throws what writing a file throws */
export function writeSettings(directory: string, settings: Settings): void {
  replaceFile(join(directory, SETTINGS_FILE), Buffer.from(`${JSON.stringify({ flags: settings }, null, 2)}\n`))
}

/** Those of these flags that are kept; an empty one is one that is to be forgotten. */
export function settingsIn(flags: Settings): Settings {
  const { downloads } = flags
  const absolute = downloads === undefined || downloads === '' ? {} : { downloads: resolve(downloads) }
  const given = { ...flags, ...absolute }
  return Object.fromEntries(NAMES.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]))
}

/** What holds at this start, and is kept for the next. */
export function joinSettings(kept: Settings, given: Settings): Settings {
  const joined: Settings = { ...kept, ...given }
  return Object.fromEntries(
    NAMES.filter((name) => joined[name] !== undefined && ![joined[name]].flat().every(isEmpty)).map((name) => [
      name,
      joined[name],
    ]),
  )
}

const isEmpty = (value: unknown): boolean => value === ''

/** As flags, for a person: those that hold and were not given this time. */
export function settingsText(kept: Settings, given: Settings): string {
  const words = NAMES.filter((name) => kept[name] !== undefined && given[name] === undefined).flatMap((name) =>
    [kept[name]].flat().map((value) => flagText(name, value)),
  )
  return words.join(' ')
}

const flagText = (name: string, value: unknown): string =>
  typeof value === 'boolean' ? `--${value ? '' : 'no-'}${name}` : `--${name} ${value}`

/** These flags with what holds of them now in place of what was typed. */
export const withSettings = <F extends Settings>(flags: F, settings: Settings): F => ({
  ...flags,
  ...Object.fromEntries(NAMES.map((name) => [name, undefined])),
  ...settings,
})
