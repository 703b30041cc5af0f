import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { NodeProcess } from '../test/cli/program.ts'
import { bansUntil, command, finished, killedDuring, started, startedAndKilled, startWords, stopped } from './crash-commands.ts'
import { type Events, foundAfterStart, foundIn } from './crash-findings.ts'
import { type Moment, type Stage, sum } from './crash-moment.ts'

// A backup of a running node that is killed with the node, or whose command is killed while the node goes on, and the same
// command again; then the first start on a backup.

type Scene = {
  readonly folder: string
  readonly directory: string
  readonly node: NodeProcess
  readonly kills: 'node' | 'command'
  bans: readonly string[]
}

const backupWords = (directory: string, folder: string): string[] => [
  ...['node', 'backup', '--data', directory, '--output', join(folder, 'backup')],
]

export const backups = (original: string, events: Events, { note }: Stage): Moment<Scene> => ({
  name: 'node backup',
  async prepare(folder, round) {
    const directory = join(folder, 'node')
    cpSync(original, directory, { recursive: true })
    const node = await started(startWords('bootstrap', directory))
    return { folder, directory, node, kills: round % 2 === 0 ? 'node' : 'command', bans: [] }
  },
  async run(scene, killAfterMs) {
    const { directory, folder, node, kills } = scene
    const stop = new AbortController()
    const bans = bansUntil(directory, stop.signal)
    const words = backupWords(directory, folder)
    const isHit =
      kills === 'command'
        ? (await command(words, killAfterMs)).exit === null
        : await killedDuring(node, command(words), killAfterMs)
    stop.abort()
    scene.bans = await bans
    return isHit
  },
  async afterwards({ folder, directory, node, bans }) {
    const backup = join(folder, 'backup')
    const running = node.child.exitCode === null && node.child.signalCode === null ? node : undefined
    const words = backupWords(directory, folder)
    // A user whose command is gone looks whether the backup is there, as the node may have gone on with it.
    const isComplete = existsSync(backup)
    const again = running ?? (await started(startWords('bootstrap', directory)))
    if (!isComplete) {
      const { exit, stderr } = await command(words)
      // Made whole by the first command meanwhile.
      const isMade = exit === 2 && existsSync(backup)
      if (exit !== 0 && !isMade) note(`the backup again ended with ${exit}: ${stderr}`)
    }
    await stopped(again)
    const copy = existsSync(backup)
      ? await foundIn({ directory: backup, acknowledged: { events }, note })
      : { acknowledged: events.size, lost: events.size, damaged: 1, different: 0, leftover: 0 }
    rmSync(backup, { recursive: true, force: true })
    const parts = readdirSync(folder).filter((name) => name !== 'node')
    if (parts.length > 0) note(`left beside the backup: ${parts.join(', ')}`)
    const whole = await foundAfterStart({ directory, acknowledged: { events, words: bans }, note })
    return sum(sum(copy, whole), { acknowledged: 0, lost: 0, damaged: 0, different: 0, leftover: parts.length })
  },
})

export const restores = (original: string, events: Events, { note }: Stage): Moment<string> => ({
  name: 'the first start on a backup',
  async prepare(folder) {
    mkdirSync(folder)
    await finished(['node', 'backup', '--data', original, '--output', join(folder, 'backup')])
    return join(folder, 'backup')
  },
  run: async (directory, killAfterMs) => !(await startedAndKilled(directory, killAfterMs)),
  afterwards: (directory) => foundAfterStart({ directory, acknowledged: { events }, note }),
})
