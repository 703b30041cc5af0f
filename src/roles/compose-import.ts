import { existsSync, readFileSync } from 'node:fs'
import { upcastSteps } from '../../migrations/index.ts'
import {
  decodeGenesis,
  type JoinedNetwork,
  lamportMaxAt,
  type NetworkId,
  type NodeRole,
  networkIdOf,
  type SignedEvent,
  upcaster,
} from '../events/index.ts'
import { keyOfSeed, SEED_BYTES, sha256, verifierOf } from '../events/keys/signer.sodium.ts'
import { type LevelLog, openLevelLog } from '../events/log/event-log.level.ts'
import { systemClock } from '../events/model/time.system.ts'
import { dataPaths, describeDirectory, type OpenOptions, openDataDirectory } from './directory/data-directory.fs.ts'
import { beginImport, endImport, unfinishedImport } from './directory/unfinished-import.fs.ts'
import { readEventFile } from './node/event-file.fs.ts'
import { type Checked, ImportCheck, isFor, type Receiver } from './node/import-log.ts'
import { writeRestoredMark } from './node/restored.fs.ts'
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
  /** Take NDJSON that does not say how many events it holds, or says another number. */
  readonly allowPartial?: boolean
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
  const known = describeDirectory(dataDirectory)
  const { role, id } = known
  // The same command again, after it was cut off: the key stands there by now.
  const isAgain = unfinishedImport(dataDirectory) !== undefined
  if (options.keyFile !== undefined && !(isAgain && keyOfSeed(readKey(options.keyFile)) === id))
    throw new ServiceError('usage', `${dataDirectory} has a key already: leave --key out`)
  if (options.role !== undefined && options.role !== role)
    throw new ServiceError(
      'usage',
      `${dataDirectory} is the data directory of a node with the role ${role}, not ${options.role}`,
    )
  await using node = await openNode(dataDirectory, { role, importing: options.file })
  const { own } = await check(node.log, known, options, report)
  beginImport(dataDirectory, options.file)
  if (own !== undefined) await goOnFromCopy(node.log, dataDirectory, own)
  return await store(node, role, options, report)
}

async function intoNewNode(dataDirectory: string, options: ImportOptions, report: Report): Promise<ImportResult> {
  const { role, keyFile } = options
  if (role === undefined)
    throw new ServiceError('usage', `there is no node in ${dataDirectory}: say with --role what the new one is`)
  const seed = keyFile === undefined ? undefined : readKey(keyFile)
  const author = seed && keyOfSeed(seed)
  const genesis = await genesisIn(options)
  const receiver = { author, has: () => false, async *readSigned() {} }
  const { own, credential } = await check(receiver, { network: networkIdOf(genesis, sha256), genesis }, options, report)
  const joining = { genesis, bootstraps: [], credentialOf: () => credential }
  await using node = await openNode(dataDirectory, { role, seed, joining, importing: options.file })
  // Whatever the file has of it: a key that comes from elsewhere has spoken elsewhere.
  if (seed !== undefined) await goOnFromCopy(node.log, dataDirectory, own ?? { gossipSeq: 0, indexSeq: 0 })
  return await store(node, role, options, report)
}

/**
 * Before the first own event is stored: what the file has of this node may not be all that it has said. As a backup does
 * (ADR 10), so that no number is given out twice.
 */
async function goOnFromCopy(log: LevelLog, dataDirectory: string, own: NonNullable<Checked['own']>): Promise<void> {
  writeRestoredMark(dataDirectory, { from: 'import', at: systemClock.now(), ...own })
  await log.leaveOutIndexNumbers(own.indexSeq)
}

/** @throws ServiceError `usage` where the file does not say it, `damaged` where it is not whole */
async function genesisIn({ file, allowPartial = false }: ImportOptions): Promise<Uint8Array> {
  let found: Uint8Array | undefined
  const onGenesis = (genesis: Uint8Array) => {
    found ??= genesis
  }
  // What comes first is enough; whether the file is whole is for the check to say.
  for await (const _ of readEventFile(file, { allowPartial: true, onGenesis })) break
  if (found !== undefined) return found
  // It may be cut or damaged, which tells more than what it lacks.
  for await (const _ of readEventFile(file, { allowPartial })) await new Promise((resolve) => setImmediate(resolve))
  const remedy = 'start a node with --join STRING first, and import into that'
  throw new ServiceError('usage', `${file} does not say of which network its events are: ${remedy}`)
}

function refuseOtherNetwork(file: string, genesis: Uint8Array, network: NetworkId): void {
  if (networkIdOf(genesis, sha256) !== network)
    throw new ServiceError('usage', `the events in ${file} are of another network than the node: nothing was imported`)
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

type OpenNode = AsyncDisposable & { readonly log: LevelLog; finish(): Promise<void> }

async function openNode(dataDirectory: string, options: OpenOptions): Promise<OpenNode> {
  const cleanup = new AsyncDisposableStack()
  try {
    const { signer } = cleanup.use(await openDataDirectory(dataDirectory, options))
    const upcast = upcaster(upcastSteps)
    const log = cleanup.use(await openLevelLog({ directory: dataDirectory, signer, clock: systemClock, upcast }))
    return {
      log,
      async finish() {
        // Closing the log brings all of it to the disk.
        await log[Symbol.asyncDispose]()
        endImport(dataDirectory)
      },
      [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
    }
  } catch (error) {
    await cleanup.disposeAsync()
    throw error
  }
}

async function check(
  to: Receiver,
  { network, genesis }: Pick<JoinedNetwork, 'network' | 'genesis'>,
  { file, withoutPrivate = false, allowPartial = false }: ImportOptions,
  report: Report,
): Promise<Checked> {
  const lamportMax = lamportMaxAt(decodeGenesis(genesis).createdAt, systemClock.now())
  const rules = { verify: verifierOf(network), upcast: upcaster(upcastSteps), lamportMax, withoutPrivate }
  const checking = new ImportCheck(to, rules)
  const onGenesis = (found: Uint8Array) => refuseOtherNetwork(file, found, network)
  for await (const events of readEventFile(file, { allowPartial, onGenesis })) {
    for (const event of events) await checking.take(event)
    report({ phase: 'checking', done: checking.checked.events, total: null })
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (checking.checked.events === 0) throw new ServiceError('usage', `there is no event in ${file}`)
  return checking.checked
}

async function store(
  { log, finish }: OpenNode,
  role: NodeRole,
  { file, allowPartial = false }: ImportOptions,
  report: Report,
): Promise<ImportResult> {
  const counts = { events: 0, stored: 0, duplicates: 0, privateLeftOut: 0, deferred: 0 }
  const take = async (events: readonly SignedEvent[]): Promise<void> => {
    const wanted = events.filter((event) => isFor(log.author, event))
    counts.events += events.length
    counts.privateLeftOut += events.length - wanted.length
    for (const { outcome } of await log.ingest(wanted, { origin: 'stored' })) {
      if (outcome === 'appended') counts.stored += 1
      else if (outcome === 'duplicate') counts.duplicates += 1
      else if (outcome === 'deferred') counts.deferred += 1
      // It was checked a moment ago: the file is another by now.
      else throw new ServiceError('failed', `${file} was changed while it was read; ${counts.stored} events had been imported`)
    }
    report({ phase: 'writing', done: counts.events, total: null })
  }
  for await (const events of readEventFile(file, { allowPartial })) await take(events)
  await finish()
  return { ...counts, id: log.author, role }
}
