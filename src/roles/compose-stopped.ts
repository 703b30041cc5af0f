import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { upcastSteps } from '../../migrations/index.ts'
import { type JoinedNetwork, type LogView, type Millis, type NodeId, type NodeRole, upcaster } from '../events/index.ts'
import { signerFromSeed } from '../events/keys/signer.sodium.ts'
import { readLevelLog, type StoppedLog } from '../events/log/event-log.level.ts'
import { systemClock, systemTimers } from '../events/model/time.system.ts'
import { allProjections, type ProjectionStates } from '../projections/all.ts'
import { frozenStore } from '../projections/frozen-store.ts'
import { createProjectionRunner, type ProjectionRunner, type ProjectionStore } from '../projections/index.ts'
import { openLevelProjectionStore } from '../projections/projection-store.level.ts'
import { openMemoryProjectionStore } from '../projections/projection-store.memory.ts'
import { newSha256 } from '../projections/sha256.system.ts'
import type { StoreOwner } from '../projections/store-owner.level.ts'
import { newTurns } from '../projections/turns.system.ts'
import { openStoppedDirectory, readStoppedDirectory, type StoppedDirectory } from './directory/data-directory.fs.ts'
import { readSeed } from './directory/key-file.fs.ts'
import { mendNode } from './directory/mended-node.level.ts'
import { backUp } from './node/backup.fs.ts'
import { lazyQueries } from './node/lazy-queries.ts'
import { createLogQueries } from './node/log-queries.ts'
import { logStats } from './node/log-stats.ts'
import { planMigration } from './node/migration.ts'
import { networkKeys } from './node/network-keys.ts'
import { createRebuilder, knownProjections, told } from './node/rebuild.ts'
import { asServiceError } from './node/service-errors.ts'
import { verifyStopped } from './node/verification.ts'
import { withProgress } from './node/with-progress.ts'
import type {
  BackupProgress,
  BackupResult,
  LogQueries,
  Migrated,
  MigrationPlan,
  Progressive,
  RebuildProgress,
  RebuildResult,
} from './services.ts'

// Wires what is done with a node that does not run; compose.ts wires one that does.

export type StoppedNode = LogQueries &
  AsyncDisposable & { readonly role: NodeRole; readonly id: NodeId; readonly joined: JoinedNetwork }

/**
 * Reads the log of a node that does not run, projections and all, without changing anything. The log is opened at the
 * first question that needs it, so that a damaged one can still be verified.
 * @throws ServiceError if there is no node, or it runs
 */
export async function openStoppedNode(dataDirectory: string): Promise<StoppedNode> {
  const cleanup = new AsyncDisposableStack()
  try {
    const node = cleanup.use(readStoppedDirectory(dataDirectory))
    let log: Promise<StoppedLog> | undefined
    let opened: Promise<LogQueries> | undefined
    const openLog = () => {
      log ??= readLog(dataDirectory, node.id).then(
        (read) => cleanup.use(read),
        (error: unknown) => Promise.reject(asServiceError(error, dataDirectory)),
      )
      return log
    }
    const open = () => {
      opened ??= openLog()
        .then((log) => openQueries(dataDirectory, node, log, cleanup))
        .catch((error: unknown) => Promise.reject(asServiceError(error, dataDirectory)))
      return opened
    }
    return {
      ...lazyQueries(open),
      // No projection is needed for it, so none is brought up to date.
      async *stats(options) {
        return yield* logStats(await openLog(), newTurns(), options)
      },
      verify: (options) => verifyStopped(dataDirectory, node, options),
      role: node.role,
      id: node.id,
      joined: node,
      async [Symbol.asyncDispose]() {
        // What is being opened comes under the cleanup only when it is open.
        await opened?.catch(() => {})
        await log?.catch(() => {})
        await cleanup.disposeAsync()
      },
    }
  } catch (error) {
    await cleanup.disposeAsync().catch(() => {})
    throw asServiceError(error)
  }
}

/**
 * Makes the node.json of a node that does not run again, where it is damaged or gone and the log says what stood in it.
 * @returns a sentence about it; undefined where nothing was done
 * @throws ServiceError if the node runs, or its directory is of a newer version or unusable
 */
export async function mendStopped(dataDirectory: string): Promise<string | undefined> {
  try {
    const mended = await mendNode(dataDirectory, upcaster(upcastSteps))
    if (mended === undefined) return undefined
    const { damage, bootstraps } = mended
    const entries =
      bootstraps.length === 0
        ? 'where its bootstraps are could not be read: name one with --bootstrap HOST:PORT'
        : `its bootstraps are ${bootstraps.join(', ')}`
    return `${damage}: it was made again from the log; ${entries}`
  } catch (error) {
    throw asServiceError(error, dataDirectory)
  }
}

const readLog = (directory: string, author: NodeId): Promise<StoppedLog> =>
  readLevelLog({ directory, author, upcast: upcaster(upcastSteps) })

async function openQueries(
  dataDirectory: string,
  node: StoppedDirectory,
  log: StoppedLog,
  cleanup: AsyncDisposableStack,
): Promise<LogQueries> {
  const stored = await openStored(node)
  if (stored !== undefined) cleanup.use(stored)
  const states = cleanup.use(runnerOver(log, node, stored === undefined ? openMemoryProjectionStore() : frozenStore(stored)))
  await states.open()
  return createLogQueries({
    log,
    states,
    newSha256,
    newTurns,
    joined: node,
    clock: systemClock,
    sign: (bytes) => signerFromSeed(readSeed(dataDirectory), node.network).sign('audit', bytes),
    verifyLog: (options) => verifyStopped(dataDirectory, node, options),
  })
}

const storeOf = ({ paths, id, network }: StoppedDirectory): { directory: string; owner: StoreOwner; isSuspect: true } => ({
  directory: paths.projections,
  owner: { author: id, network },
  // Nobody knows what has happened to it since its node has closed it.
  isSuspect: true,
})

/** The rows a node left behind; undefined where there are none, or they cannot be used: the log has everything. */
async function openStored(node: StoppedDirectory): Promise<ProjectionStore | undefined> {
  if (!existsSync(join(node.paths.projections, 'CURRENT'))) return undefined
  return openLevelProjectionStore({ ...storeOf(node), discard: false }).catch(() => undefined)
}

function runnerOver(log: LogView, joined: JoinedNetwork, store: ProjectionStore): ProjectionRunner<ProjectionStates> {
  return createProjectionRunner<ProjectionStates>({
    log: {
      head: log.head,
      readBatches: (range) => log.readBatches(range),
      snapshot: (name) => log.snapshot(name),
      onAppended: () => () => {},
    },
    store,
    projections: allProjections(log.author, networkKeys(joined)),
    timers: systemTimers,
    newSha256,
    newTurns,
  })
}

/**
 * Makes stored projections again from the log of a node that does not run, so that its next start finds them.
 * @throws ServiceError if there is no node, it runs, its log is damaged, or there is no such projection
 */
export function rebuildStopped(
  dataDirectory: string,
  names: readonly string[] | undefined,
): Progressive<RebuildProgress, RebuildResult> {
  return withStoppedLog(dataDirectory, async function* (log, node) {
    await using store = await openLevelProjectionStore(storeOf(node))
    await using states = runnerOver(log, node, store)
    const chosen = knownProjections(states, names)
    await states.open()
    return yield* createRebuilder(states)(chosen)
  })
}

/**
 * What this version would do with the log and the stored projections of a node that does not run.
 * @throws ServiceError as `migrateStopped`
 */
export async function planStoppedMigration(dataDirectory: string): Promise<MigrationPlan> {
  await using cleanup = new AsyncDisposableStack()
  try {
    const node = cleanup.use(readStoppedDirectory(dataDirectory))
    const log = cleanup.use(await readLog(dataDirectory, node.id))
    return await planOver(log, node)
  } catch (error) {
    throw asServiceError(error)
  }
}

async function planOver(log: LogView, node: StoppedDirectory): Promise<MigrationPlan> {
  const stored = await openStored(node)
  try {
    return await planMigration(log, stored, Object.values(allProjections(log.author, networkKeys(node))))
  } finally {
    await stored?.[Symbol.asyncDispose]()
  }
}

/**
 * Brings the stored projections of a node that does not run up to this version. The log stays as it is.
 * @throws ServiceError if there is no node, it runs, or its log is damaged or of a newer version
 */
export function migrateStopped(dataDirectory: string): Progressive<RebuildProgress, Migrated> {
  return withStoppedLog(dataDirectory, async function* (log, node) {
    const startedAt = performance.now()
    // Before anything is written: it may refuse.
    const plan = await planOver(log, node)
    await using store = await openLevelProjectionStore(storeOf(node))
    await using states = runnerOver(log, node, store)
    const names = plan.projections.filter((row) => row.rebuild !== null).map(({ name }) => name)
    yield* withProgress(async (report) => {
      await states.open({
        onProgress: ({ done, total }) => report(told(names.join(', '), done, total, performance.now() - startedAt)),
      })
    })
    const digests = Object.fromEntries(states.checkpoints().map(({ name }) => [name, states.digest(name)]))
    return { plan, elapsedMs: Math.round(performance.now() - startedAt), digests }
  })
}

/** Locks the directory of a node that does not run, and opens its log for reading while `work` goes on. */
async function* withStoppedLog<P, R>(
  dataDirectory: string,
  work: (log: StoppedLog, node: StoppedDirectory) => Progressive<P, R>,
  lock: typeof openStoppedDirectory = openStoppedDirectory,
): Progressive<P, R> {
  try {
    using directory = lock(dataDirectory)
    await using log = await readLog(dataDirectory, directory.id)
    return yield* work(log, directory)
  } catch (error) {
    throw asServiceError(error)
  }
}

/**
 * Copies a node that does not run to another directory, as `node backup` does of one that runs.
 * @throws ServiceError
 */
export function backUpStopped(dataDirectory: string, output: string): Progressive<BackupProgress, BackupResult> {
  const now = (): Millis => systemClock.now()
  return withStoppedLog(dataDirectory, (log) => backUp({ directory: dataDirectory, log }, output, now), readStoppedDirectory)
}
