import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, finished } from './crash-commands.ts'
import { type Events, foundAfterStart } from './crash-findings.ts'
import type { Moment, Stage } from './crash-moment.ts'

// An import that is killed, and the same command again: into a new node with the key of the exported one, and into another
// node that has a log of its own.

export type Exported = {
  readonly bundle: string
  readonly key: string
  /** What is in the bundle. */
  readonly events: Events
  /** A node with other events, and these. */
  readonly other: string
  readonly otherEvents: Events
}

/** `log import BUNDLE --data DIRECTORY`; what is for a new node stands behind. */
const IMPORT_WORDS = 5

type Scene = {
  readonly directory: string
  readonly words: readonly string[]
  readonly events: Events
  readonly original: Buffer
}

export const imports = ({ bundle, key, events, other, otherEvents }: Exported, { note }: Stage): Moment<Scene> => ({
  name: 'log import',
  async prepare(folder, round) {
    mkdirSync(folder)
    const directory = join(folder, 'node')
    const isNew = round % 2 === 0
    if (!isNew) cpSync(other, directory, { recursive: true })
    const how = isNew ? ['--role', 'bootstrap', '--key', key] : ['--without-private']
    const travelling = [...events].filter(([name]) => !name.includes(' local '))
    return {
      ...{ directory, original: readFileSync(bundle) },
      words: ['log', 'import', bundle, '--data', directory, ...how],
      events: isNew ? events : new Map([...travelling, ...otherEvents]),
    }
  },
  run: async ({ words }, killAfterMs) => (await command(words, killAfterMs)).exit === null,
  async afterwards({ directory, words, events, original }) {
    // The command again; one that was through before it was killed says that the key is there already.
    const { exit } = await command(words)
    if (exit !== 0) await finished(words.slice(0, IMPORT_WORDS))
    const found = await foundAfterStart({ directory, acknowledged: { events }, note })
    return { ...found, damaged: found.damaged + (readFileSync(bundle).equals(original) ? 0 : 1) }
  },
})
