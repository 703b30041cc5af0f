import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { verifyLog } from '../src/events/damage/verify-log.fs.ts'
import { openLevelLog } from '../src/events/log/event-log.level.ts'
import { systemClock, systemTimers } from '../src/events/model/time.system.ts'
import { allProjections, type ProjectionStates } from '../src/projections/all.ts'
import { createProjectionRunner } from '../src/projections/index.ts'
import { openLevelProjectionStore } from '../src/projections/projection-store.level.ts'
import { newSha256 } from '../src/projections/sha256.system.ts'
import { TEST_KEYS, TEST_NETWORK } from '../test/events/test-network.ts'
import { operations } from './crash-operations.ts'
import type { Bench } from './harness.ts'
import { signerOf } from './log-corpus.ts'
import { withDirectory } from './log-directory.ts'
import { randomFrom, seedOfRun } from './seeded-random.ts'

// Kill -9 and power cuts at random moments: what was acknowledged and is gone, and whether projections are what a replay
// says. `--only` runs one part: an appender, the product's own operations (or one of them by its name), power cuts. These
// need root and the lab's powercut.sh, which P2PT_POWERCUT may name; else they are skipped, by name.

const APPENDER = join(import.meta.dirname, 'crash-appender.ts')
const POWERCUT = process.env.P2PT_POWERCUT ?? join(import.meta.dirname, '../../shared/lab/powercut.sh')
const POWER_CUT_ROUNDS = 10

const bench: Bench = ({ full, report, note, only }) =>
  withDirectory(async (directory) => {
    const rounds = full ? 20 : 5
    const seed = seedOfRun()
    note(`seed ${seed}: P2PT_SEED draws the same kills again`)
    const random = randomFrom(seed)
    for (const durable of only === undefined || only === 'appender' ? [true, false] : []) {
      const kept = { lost: 0, different: 0, acknowledged: 0, damaged: 0 }
      const node = join(directory, durable ? 'durable' : 'not-durable')
      for (let round = 0; round < rounds; round++) {
        const acknowledged = await appendAndKill(node, durable, 200 + random() * 600)
        add(kept, await afterwards(node, acknowledged))
      }
      tell(`${rounds} kill -9, ${durable ? 'durable' : 'not durable'}`, kept)
    }
    if (only !== 'appender' && only !== 'power cuts') {
      const stage = { directory: join(directory, 'operations'), rounds: full ? 24 : 4, random, note }
      mkdirSync(stage.directory)
      for await (const killed of operations(stage, { full, only })) {
        const what = `${stage.rounds} kill -9 in ${killed.name}`
        report({ name: `${what}: came while it went on`, value: killed.hits, unit: 'kills', target: { atLeast: 1 } })
        tell(what, killed)
        const leftover = { value: killed.leftover, unit: 'entries', target: { atMost: 0 } }
        report({ name: `${what}: temporary files left after the next start`, ...leftover })
      }
    }
    if (only !== undefined && only !== 'power cuts') return
    const reason = whyNoPowerCuts()
    if (reason !== undefined) {
      note(`skipped: power cuts, ${reason}`)
      return
    }
    const kept = { lost: 0, different: 0, acknowledged: 0, damaged: 0 }
    for (let round = 0; round < (full ? POWER_CUT_ROUNDS : 2); round++) {
      const after = join(directory, `cut-${round}`)
      const acks = join(directory, `acks-${round}`)
      const seconds = (2 + random() * 2).toFixed(2)
      const script = `exec "${process.execPath}" "${APPENDER}" "$DISK/node" durable > "${acks}"`
      const ended = spawnSync('unshare', ['-m', POWERCUT, after, seconds, 'bash', '-c', script], { encoding: 'utf8' })
      if (ended.status !== 0) throw new Error(`the power cut did not work: ${ended.stderr}`)
      const acknowledged = wholeLines(readFileSync(acks, 'utf8'))
      // On a busy machine the power may fail before the node's first start is through: then nothing was promised.
      if (acknowledged.size === 0) note(`power cut ${round + 1} came before anything was acknowledged`)
      else add(kept, await afterwards(join(after, 'node'), acknowledged))
      rmSync(after, { recursive: true })
    }
    tell(`${full ? POWER_CUT_ROUNDS : 2} power cuts, durable`, kept)

    function tell(what: string, { lost, different, acknowledged, damaged }: typeof kept): void {
      report({ name: `${what}: acknowledged`, value: acknowledged, unit: 'events', target: { atLeast: 1 } })
      report({ name: `${what}: acknowledged events lost`, value: lost, unit: 'events', target: { atMost: 0 } })
      report({
        name: `${what}: projections that differ from a replay`,
        value: different,
        unit: 'projections',
        target: { atMost: 0 },
      })
      report({ name: `${what}: intact logs called damaged`, value: damaged, unit: 'logs', target: { atMost: 0 } })
    }
  })

export default bench

type Kept = { lost: number; different: number; acknowledged: number; damaged: number }

function add(sum: Kept, more: Kept): void {
  for (const name of ['lost', 'different', 'acknowledged', 'damaged'] as const) sum[name] += more[name]
}

/** Sequence and number of each acknowledged event. */
type Acknowledged = ReadonlyMap<number, string>

function wholeLines(said: string): Acknowledged {
  const lines = said.slice(0, said.lastIndexOf('\n') + 1).split('\n')
  return new Map(lines.filter((line) => line !== '').map((line) => [Number(line.split(' ')[0]), line.split(' ')[1] ?? '']))
}

async function appendAndKill(directory: string, durable: boolean, afterMs: number): Promise<Acknowledged> {
  mkdirSync(directory, { recursive: true })
  const child = spawn(process.execPath, [APPENDER, directory, durable ? 'durable' : 'fast'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => {
    if (said === '') setTimeout(() => child.kill('SIGKILL'), afterMs)
    said += chunk.toString()
  })
  const [, signal] = await once(child, 'close')
  if (signal !== 'SIGKILL') throw new Error('the appender ended by itself')
  return wholeLines(said)
}

/** What a restart finds. */
async function afterwards(directory: string, acknowledged: Acknowledged): Promise<Kept> {
  const damaged = (await verifyLog(directory)).intact ? 0 : 1
  const signer = signerOf(1)
  await using log = await openLevelLog({ directory, signer, clock: systemClock, upcast: (_k, _v, payload) => payload })
  const found = new Map<number, string>()
  for await (const { seq, event } of log.read()) if ('reason' in event) found.set(seq, event.reason)
  const lost = [...acknowledged].filter(([seq, number]) => found.get(seq) !== number).length
  await using store = await openLevelProjectionStore({
    directory: join(directory, 'projections'),
    owner: { author: signer.id, network: TEST_NETWORK },
  })
  await using states = createProjectionRunner<ProjectionStates>({
    ...{ log, store, projections: allProjections(signer.id, TEST_KEYS), timers: systemTimers, newSha256 },
  })
  await states.open()
  let different = 0
  for (const { name } of states.checkpoints()) if (states.digest(name) !== (await states.digestAt(name))) different++
  return { lost, different, acknowledged: acknowledged.size, damaged }
}

function whyNoPowerCuts(): string | undefined {
  if (process.getuid?.() !== 0) return 'not root'
  if (!existsSync(POWERCUT)) return 'there is no powercut.sh'
  return undefined
}
