import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { upcastSteps } from '../../migrations/index.ts'
import { dataPaths, describeDirectory, openDataDirectory } from '../events/data-directory.fs.ts'
import { openLevelLog } from '../events/event-log.level.ts'
import { type NodeRole, type SignedEvent, upcaster } from '../events/index.ts'
import { SEED_BYTES, signerFromSeed, verifySignature } from '../events/signer.sodium.ts'
import { systemClock } from '../events/time.system.ts'
import { readEventFile } from './node/event-file.fs.ts'
import { ImportCheck, isFor, type Receiver } from './node/import-log.ts'
import { asServiceError } from './node/service-errors.ts'
import { withProgress } from './node/with-progress.ts'
import { type ImportProgress, type ImportResult, type Progressive, ServiceError } from './services.ts'

// Wires the import of a log into a node that does not run.

export type ImportOptions = {
  /** Absolute. */
  readonly file: string
  /** Of a node that is not there yet. */
  readonly role?: NodeRole
  /** File with the seed of the key that a node that is not there yet gets, instead of a new one. */
  readonly keyFile?: string
  readonly withoutPrivate?: boolean
}

type Report = (progress: ImportProgress) => void

/**
 * Takes the events of an export into the log of a node that does not run, or of a new one. All of them are checked before
 * the first is stored, so a file that is refused changes nothing.
 * @throws ServiceError
 */
export function importLog(dataDirectory: string, options: ImportOptions): Progressive<ImportProgress, ImportResult> {
  return withProgress(async (report) => {
    try {
      return existsSync(dataPaths(dataDirectory).node)
        ? await intoNode(dataDirectory, options, report)
        : await intoNewNode(dataDirectory, options, report)
    } catch (error) {
      throw asServiceError(error)
    }
  })
}

async function intoNode(dataDirectory: string, options: ImportOptions, report: Report): Promise<ImportResult> {
  const { role } = describeDirectory(dataDirectory)
  if (options.keyFile !== undefined) throw new ServiceError('usage', `${dataDirectory} has a key already: leave --key out`)
  if (options.role !== undefined && options.role !== role)
    throw new ServiceError(
      'usage',
      `${dataDirectory} is the data directory of a node with the role ${role}, not ${options.role}`,
    )
  await using node = await openNode(dataDirectory, role)
  await check(node.log, options, report)
  return await store(node, role, options, report)
}

async function intoNewNode(dataDirectory: string, options: ImportOptions, report: Report): Promise<ImportResult> {
  const { role, keyFile } = options
  if (role === undefined)
    throw new ServiceError('usage', `there is no node in ${dataDirectory}: say with --role what the new one is`)
  const seed = keyFile === undefined ? undefined : readKey(keyFile)
  const author = seed && signerFromSeed(seed).id
  await check({ author, lamport: 0, has: () => false, async *readSigned() {} }, options, report)
  if (seed !== undefined) {
    mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
    writeFileSync(dataPaths(dataDirectory).keySeed, seed, { mode: 0o600, flag: 'wx' })
  }
  await using node = await openNode(dataDirectory, role)
  return await store(node, role, options, report)
}

function readKey(file: string): Uint8Array {
  let seed: Uint8Array
  try {
    seed = readFileSync(file)
  } catch (cause) {
    throw new ServiceError('usage', `cannot read the key in ${file}: ${(cause as Error).message}`, { cause })
  }
  if (seed.length !== SEED_BYTES) throw new ServiceError('usage', `${file} has ${seed.length} bytes, a key has ${SEED_BYTES}`)
  return seed
}

async function openNode(dataDirectory: string, role: NodeRole) {
  const cleanup = new AsyncDisposableStack()
  try {
    const { signer } = cleanup.use(await openDataDirectory(dataDirectory, { role }))
    const upcast = upcaster(upcastSteps)
    const log = cleanup.use(await openLevelLog({ directory: dataDirectory, signer, clock: systemClock, upcast }))
    return { log, [Symbol.asyncDispose]: () => cleanup.disposeAsync() }
  } catch (error) {
    await cleanup.disposeAsync()
    throw error
  }
}

async function check(to: Receiver, { file, withoutPrivate = false }: ImportOptions, report: Report): Promise<void> {
  const rules = { verify: verifySignature, upcast: upcaster(upcastSteps), withoutPrivate }
  const checking = new ImportCheck(to, rules)
  for await (const events of readEventFile(file)) {
    for (const event of events) await checking.take(event)
    report({ phase: 'checking', done: checking.checked.events, total: null })
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (checking.checked.events === 0) throw new ServiceError('usage', `there is no event in ${file}`)
}

async function store(
  { log }: Awaited<ReturnType<typeof openNode>>,
  role: NodeRole,
  { file }: ImportOptions,
  report: Report,
): Promise<ImportResult> {
  const counts = { events: 0, stored: 0, duplicates: 0, privateLeftOut: 0, deferred: 0 }
  const take = async (events: readonly SignedEvent[]): Promise<void> => {
    const wanted = events.filter((event) => isFor(log.author, event))
    counts.events += events.length
    counts.privateLeftOut += events.length - wanted.length
    for (const { outcome } of await log.ingest(wanted)) {
      if (outcome === 'appended') counts.stored += 1
      else if (outcome === 'duplicate') counts.duplicates += 1
      else if (outcome === 'deferred') counts.deferred += 1
      // It was checked a moment ago: the file is another by now.
      else throw new ServiceError('failed', `${file} was changed while it was read; ${counts.stored} events had been imported`)
    }
    report({ phase: 'writing', done: counts.events, total: null })
  }
  for await (const events of readEventFile(file)) await take(events)
  // Closing the log brings all of it to the disk.
  return { ...counts, id: log.author, role }
}
