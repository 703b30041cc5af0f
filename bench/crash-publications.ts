import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDataDirectory } from '../src/roles/directory/data-directory.fs.ts'
import type { NodeProcess } from '../test/cli/program.ts'
import { joiningAs } from '../test/events/test-network.ts'
import { command, killedDuring, started, startWords, stopped } from './crash-commands.ts'
import { foundAfterStart } from './crash-findings.ts'
import type { Moment, Stage } from './crash-moment.ts'

// A client that is killed while it publishes. Acknowledged is what the command has said.

const FILES = 3
/** Takes a moment to be hashed. */
const FILE_BYTES = 24e6

type Scene = {
  readonly directory: string
  readonly files: readonly string[]
  readonly client: NodeProcess
  acknowledged: string[]
}

const hashesIn = (stdout: string): string[] =>
  (JSON.parse(stdout) as { published: { infoHash: string }[] }).published.map(({ infoHash }) => infoHash)

/** Publishes one file after the other until one fails. */
async function publish({ directory, files }: Scene): Promise<string[]> {
  const acknowledged: string[] = []
  for (const file of files) {
    const { exit, stdout } = await command(['client', 'publish', file, '--data', directory, '--json'])
    if (exit !== 0) break
    acknowledged.push(...hashesIn(stdout))
  }
  return acknowledged
}

export const publications = (bootstrap: string, { note }: Stage): Moment<Scene> => {
  const more = ['--bootstrap', bootstrap]
  return {
    name: 'client publish',
    async prepare(folder, round) {
      const directory = join(folder, 'node')
      mkdirSync(folder)
      ;(await openDataDirectory(directory, { role: 'client', joining: joiningAs('client') }))[Symbol.dispose]()
      const files = Array.from({ length: FILES }, (_, number) => {
        const path = join(folder, `survey ${round} ${number}.bin`)
        writeFileSync(path, Buffer.alloc(FILE_BYTES, `survey ${round} ${number}`))
        return path
      })
      return { directory, files, client: await started(startWords('client', directory, more)), acknowledged: [] }
    },
    async run(scene, killAfterMs) {
      const work = publish(scene)
      const isHit = await killedDuring(scene.client, work, killAfterMs)
      scene.acknowledged = await work
      scene.client.child.kill('SIGKILL')
      await scene.client.ended
      return isHit
    },
    async afterwards(scene) {
      const { directory, acknowledged } = scene
      const first = { directory, role: 'client', startMore: more, note } as const
      const found = await foundAfterStart({ ...first, acknowledged: { events: new Map(), words: acknowledged } })
      // What was not acknowledged is published again; the rest is published already and stays so.
      const client = await started(startWords('client', directory, more))
      const again = await publish(scene)
      await stopped(client)
      const isWhole = again.length === FILES && acknowledged.every((hash) => again.includes(hash))
      if (!isWhole) note(`published again: ${again.length} of ${FILES}`)
      return { ...found, lost: found.lost + (isWhole ? 0 : 1) }
    },
  }
}
