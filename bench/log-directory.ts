import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventLog, SignedEvent } from '../src/events/index.ts'
import type { CommitSigner, Signer } from '../src/events/keys/signer.ts'
import { openLevelLog } from '../src/events/log/event-log.level.ts'
import { systemClock } from '../src/events/model/time.system.ts'
import { signerOf } from './log-corpus.ts'

/** Runs with a directory of its own under the system's temporary one, which P2PT_BENCH_DIR replaces: fsync is the disk's. */
export async function withDirectory<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(process.env.P2PT_BENCH_DIR ?? tmpdir(), 'p2pt-bench-'))
  try {
    return await run(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

export const openLog = (directory: string, signer: Signer = OWN_SIGNER, commitSigner?: CommitSigner): Promise<EventLog> =>
  openLevelLog({
    directory,
    signer,
    clock: systemClock,
    upcast: (_kind, _version, payload) => payload,
    create: true,
    ...(commitSigner === undefined ? {} : { commitSigner }),
  })

export const OWN_SIGNER = signerOf(10_000)

/** A closed log with these events, in commits of 100. */
export async function makeLog(directory: string, events: readonly SignedEvent[]): Promise<void> {
  const log = await openLog(directory)
  for (let from = 0; from < events.length; from += 100) await log.ingest(events.slice(from, from + 100))
  await log[Symbol.asyncDispose]()
}
