import type { EventLog, Millis, NodeId } from '../../src/events/index.ts'
import { signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import type { Commit } from '../../src/events/log/commit-plan.ts'
import { CommittedLog } from '../../src/events/log/committed-log.ts'
import { MemoryStore } from '../../src/events/log/event-log.memory.ts'
import { LogState } from '../../src/events/log/log-state.ts'
import { allProjections, type ProjectionStates } from '../../src/projections/all.ts'
import { createProjectionRunner, type ProjectionRunner } from '../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../src/projections/sha256.system.ts'
import { noUpcast } from '../events/samples.ts'
import { TEST_KEYS, TEST_NETWORK } from '../events/test-network.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

/** Where a log in memory is, with as much room as there is memory, or none. */
export class Disk extends MemoryStore {
  isFull = false
  /** What a write that is to be on the disk waits for. */
  synced: Promise<void> = Promise.resolve()

  override async write(commit: Commit, durable: boolean): Promise<void> {
    if (this.isFull) throw new Error('no space left on device')
    if (durable) await this.synced
    await super.write(commit, durable)
  }
}

/** A node's log in memory, and its projections in step with it. */
export type SmallLog = AsyncDisposable & {
  readonly id: NodeId
  readonly log: CommittedLog
  /** Refuses to write while it is full. */
  readonly disk: Disk
  readonly states: ProjectionRunner<ProjectionStates>
  readonly time: VirtualTime
}

export async function openSmallLog(name = 1): Promise<SmallLog> {
  const time = new VirtualTime()
  const signer = signerFromSeed(new Uint8Array(32).fill(name), TEST_NETWORK)
  const disk = new Disk()
  const log = new CommittedLog(new LogState(), disk, { signer, clock: { now: () => time.now() as Millis }, upcast: noUpcast })
  const states = createProjectionRunner<ProjectionStates>({
    ...{ log, store: openMemoryProjectionStore(), timers: time, newSha256 },
    projections: allProjections(log.author, TEST_KEYS),
  })
  await states.open()
  return {
    ...{ id: log.author, log, disk, states, time },
    async [Symbol.asyncDispose]() {
      await states.close()
      await log[Symbol.asyncDispose]()
    },
  }
}

/** Appends events of another node, signed by it. */
export async function hears(at: SmallLog, from: SmallLog, ...events: Parameters<EventLog['append']>[0][number]['event'][]) {
  const envelopes = await from.log.append(events.map((event) => ({ event })))
  await at.log.ingest(await from.log.readSignedAt(envelopes.map(({ seq }) => seq)))
}
