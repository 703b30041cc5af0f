import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from '../test/cli/program.ts'
import { backups, restores } from './crash-backups.ts'
import { finished, started, startWords, stopped } from './crash-commands.ts'
import { eventsIn } from './crash-findings.ts'
import { imports } from './crash-imports.ts'
import { type Found, killedIn, type Moment, type Stage } from './crash-moment.ts'
import { addOwn, makeNode } from './crash-node.ts'
import { publications } from './crash-publications.ts'
import { runningRebuilds, stoppedRebuilds } from './crash-rebuilds.ts'
import { repairs, startsThatRepair } from './crash-repairs.ts'
import { timed } from './harness.ts'
import { signerOf } from './log-corpus.ts'
import { openLog } from './log-directory.ts'

/** Events in the logs that are repaired, imported, copied and folded. */
const EVENTS = { full: 60_000, quick: 15_000 }
const OWN_EVENTS = 1_000
const OTHER_EVENTS = 3_000

export type Killed = Found & { readonly name: string; readonly hits: number }

type Options = { readonly full: boolean; readonly only: string | undefined }

/** Kills each operation of the product; `only` one of them, where it is named. */
export async function* operations(room: Omit<Stage, 'commandMs'>, { full, only }: Options): AsyncGenerator<Killed> {
  build()
  const stage = { ...room, commandMs: await timed(async () => void (await finished(['--version']))) }
  const at = (name: string): string => join(stage.directory, name)
  const [original, older, foreign, other] = [at('original'), at('older'), at('foreign'), at('other')]
  await makeNode(original, 'bootstrap', full ? EVENTS.full : EVENTS.quick)
  cpSync(original, older, { recursive: true })
  await addOwn(original, 'bootstrap', OWN_EVENTS)
  mkdirSync(foreign)
  await fill(foreign)
  await makeNode(other, 'bootstrap', OTHER_EVENTS)
  const otherCopy = at('other-copy')
  cpSync(other, otherCopy, { recursive: true })
  const bundle = at('original.bundle')
  await finished(['log', 'export', '--format', 'bundle', '--output', bundle, '--data', original])
  const [events, otherEvents] = [await eventsIn(original), await eventsIn(other)]
  const entry = await started(startWords('bootstrap', other))
  const { ports } = JSON.parse(entry.ready) as { ports: { overlay: number } }
  const logs = { original, older, foreign, events }
  // Kinds of scenes differ: each moment knows its own.
  const run = <S>(moment: Moment<S>) => ({ name: moment.name, killed: () => killedIn(moment, stage) })
  const moments = [
    run(repairs(logs, stage)),
    run(startsThatRepair(logs, stage)),
    run(imports({ bundle, key: join(original, 'key.seed'), events, other: otherCopy, otherEvents }, stage)),
    run(backups(original, events, stage)),
    run(restores(original, events, stage)),
    run(stoppedRebuilds(original, events, stage)),
    run(runningRebuilds(original, events, stage)),
    run(publications(`127.0.0.1:${ports.overlay}`, stage)),
  ]
  try {
    for (const { name, killed } of moments)
      if (only === undefined || only === 'operations' || only === name) yield { name, ...(await killed()) }
  } finally {
    await stopped(entry)
  }
}

/** A log of another node, whose tables are put among ours. */
async function fill(directory: string): Promise<void> {
  for (let table = 0; table < 2; table++) {
    await using log = await openLog(directory, signerOf(77))
    for (let number = 0; number < 500; number++)
      await log.append([{ event: { kind: 'node.stopped', reason: `foreign ${number}` } }], { durable: false })
  }
}
