import { cpSync } from 'node:fs'
import type { NodeProcess } from '../test/cli/program.ts'
import { bansUntil, command, finished, killedDuring, started, startWords } from './crash-commands.ts'
import { type Events, foundAfterStart } from './crash-findings.ts'
import type { Moment, Stage } from './crash-moment.ts'

// A rebuild of all projections that is killed: of a node that does not run, and with a node that does.

export const stoppedRebuilds = (original: string, events: Events, { note }: Stage): Moment<string> => ({
  name: 'node rebuild, stopped',
  async prepare(folder) {
    cpSync(original, folder, { recursive: true })
    return folder
  },
  run: async (directory, killAfterMs) => (await command(['node', 'rebuild', '--data', directory], killAfterMs)).exit === null,
  async afterwards(directory) {
    const found = await foundAfterStart({ directory, acknowledged: { events }, note })
    await finished(['node', 'rebuild', '--data', directory])
    return found
  },
})

type Scene = { readonly directory: string; readonly node: NodeProcess; bans: readonly string[] }

export const runningRebuilds = (original: string, events: Events, { note }: Stage): Moment<Scene> => ({
  name: 'node rebuild, running',
  async prepare(folder) {
    cpSync(original, folder, { recursive: true })
    return { directory: folder, node: await started(startWords('bootstrap', folder)), bans: [] }
  },
  async run(scene, killAfterMs) {
    const { directory, node } = scene
    const stop = new AbortController()
    const bans = bansUntil(directory, stop.signal)
    const isHit = await killedDuring(node, command(['node', 'rebuild', '--data', directory]), killAfterMs)
    stop.abort()
    scene.bans = await bans
    // One that was not to be killed is killed behind its rebuild.
    node.child.kill('SIGKILL')
    await node.ended
    return isHit
  },
  afterwards: ({ directory, bans }) => foundAfterStart({ directory, acknowledged: { events, words: bans }, note }),
})
