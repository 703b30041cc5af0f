import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, finished, startedAndKilled } from './crash-commands.ts'
import { type Events, foundAfterStart } from './crash-findings.ts'
import type { Found, Moment, Stage } from './crash-moment.ts'
import { DAMAGES } from './damages.ts'

// A repair that is killed, and the next one: every event is there whose bytes were whole before the first. By the command,
// for any damage, and by the start of a node, which mends its tables itself.

/** A log that is to be damaged, itself as it was before, and another's. */
export type Logs = { readonly original: string; readonly older: string; readonly foreign: string; readonly events: Events }

type Scene = { readonly directory: string; readonly files: readonly Buffer[]; readonly damage: string }

/** What is done to tables alone; `node start` repairs it. */
const IN_TABLES = ['sixteen bytes of a table zeroed', 'a disk block of a table zeroed', '64 KiB of a table zeroed']
/** The end of `.log` may be torn, and the head file alone may be gone: whoever looks finds nothing to repair. */
const kinds = Object.entries(DAMAGES)
const tableKinds = kinds.filter(([name]) => IN_TABLES.includes(name))

function damaged(logs: Logs, folder: string, from: typeof kinds, random: () => number): Scene {
  cpSync(logs.original, folder, { recursive: true })
  const [, damage] = from[Math.floor(random() * from.length)] as (typeof kinds)[number]
  const what = damage({ directory: folder, older: logs.older, foreign: logs.foreign, random })
  const files = readdirSync(join(folder, 'log'), { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [readFileSync(join(folder, 'log', entry.name))] : [],
  )
  return { directory: folder, files, damage: what }
}

const found = (scene: Scene, { events }: Logs, { note }: Stage): Promise<Found> =>
  foundAfterStart({
    directory: scene.directory,
    acknowledged: { events, isExcused: (event) => !scene.files.some((file) => file.includes(event)) },
    note: (text) => note(`${scene.damage}: ${text}`),
  })

export const repairs = (logs: Logs, stage: Stage): Moment<Scene> => ({
  name: 'log repair',
  prepare: async (folder) => damaged(logs, folder, kinds, stage.random),
  run: async ({ directory }, killAfterMs) => (await command(['log', 'repair', '--data', directory], killAfterMs)).exit === null,
  async afterwards(scene) {
    // 1: something is gone, and it says what.
    await finished(['log', 'repair', '--data', scene.directory], [0, 1])
    return found(scene, logs, stage)
  },
})

export const startsThatRepair = (logs: Logs, stage: Stage): Moment<Scene> => ({
  name: 'a start that repairs',
  prepare: async (folder) => damaged(logs, folder, tableKinds, stage.random),
  run: async ({ directory }, killAfterMs) => !(await startedAndKilled(directory, killAfterMs)),
  afterwards: (scene) => found(scene, logs, stage),
})
