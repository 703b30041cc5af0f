import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { timed } from './harness.ts'

// An operation of the product that is killed at moments spread over all the time it takes, and what is there afterwards.

/** What is there after a kill, once a user has gone on. */
export type Found = {
  readonly acknowledged: number
  readonly lost: number
  /** Logs that `log verify` calls damaged, and nodes or commands that refuse them. */
  readonly damaged: number
  /** Projections that differ from a replay. */
  readonly different: number
  /** Files and folders that a killed run left, after the next start. */
  readonly leftover: number
}

export const NOTHING_FOUND: Found = { acknowledged: 0, lost: 0, damaged: 0, different: 0, leftover: 0 }

export function sum(a: Found, b: Found): Found {
  const names = Object.keys(NOTHING_FOUND) as (keyof Found)[]
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as Found
}

export type Stage = {
  /** Empty; of this bench alone. */
  readonly directory: string
  /** What a command takes that does nothing, ms: before that, no kill comes in the midst of anything. */
  readonly commandMs: number
  readonly rounds: number
  readonly random: () => number
  readonly note: (text: string) => void
}

export type Moment<S> = {
  /** In what it is killed, as in "kill -9 in NAME". */
  readonly name: string
  /** Makes what is there before. Rounds may differ. */
  prepare(folder: string, round: number): Promise<S>
  /**
   * The operation, killed after so many ms unless it ends before.
   * @returns true if it went on when it was killed
   */
  run(scene: S, killAfterMs: number | undefined): Promise<boolean>
  /** Goes on as a user would, and looks. */
  afterwards(scene: S): Promise<Found>
}

/** An operation that goes on is given this long where nothing kills it, ms. */
export const UNKILLED_MS_MAX = 120_000

/** @returns what was found in all rounds, and in how many the kill came while the operation went on */
export async function killedIn<S>(moment: Moment<S>, stage: Stage): Promise<Found & { readonly hits: number }> {
  const folder = join(stage.directory, 'round')
  const scenes = async (round: number, use: (scene: S) => Promise<Found>): Promise<Found> => {
    try {
      return await use(await moment.prepare(folder, round))
    } finally {
      if (existsSync(folder)) rmSync(folder, { recursive: true })
    }
  }
  // Each kind of round once without a kill: how long it takes, and that what is looked for is not there then either.
  const wholeMs: number[] = []
  let found = NOTHING_FOUND
  for (const round of [0, 1]) {
    const once = await scenes(round, async (scene) => {
      wholeMs.push(await timed(async () => void (await moment.run(scene, undefined))))
      return moment.afterwards(scene)
    })
    found = sum(found, once)
  }
  stage.note(`${moment.name} takes ${wholeMs.map((ms) => Math.round(ms)).join(' and ')} ms`)
  let hits = 0
  for (let round = 0; round < stage.rounds; round++) {
    // One in each part of the time, so that few rounds reach all of it.
    const longest = Math.max(0, (wholeMs[round % 2] ?? 0) - stage.commandMs)
    const killAfterMs = Math.round(stage.commandMs + ((round + stage.random()) / stage.rounds) * longest)
    const once = await scenes(round, async (scene) => {
      const isHit = await moment.run(scene, killAfterMs)
      if (isHit) hits++
      return moment.afterwards(scene)
    })
    const { lost, damaged, different, leftover } = once
    if (lost + damaged + different + leftover > 0)
      stage.note(`${moment.name}, round ${round}, killed after ${killAfterMs} ms: ${JSON.stringify(once)}`)
    found = sum(found, once)
  }
  return { ...found, hits }
}
