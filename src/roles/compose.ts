import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { upcastSteps } from '../../migrations/index.ts'
import {
  type Appender,
  CredentialError,
  type CredentialFault,
  type Event,
  type EventLog,
  fromHex,
  type Invitation,
  type JoinedNetwork,
  type NetworkId,
  type NodeId,
  type NodeRole,
  type Signer,
  toHex,
  upcaster,
  type VerifySignature,
} from '../events/index.ts'
import { SigningThread } from '../events/keys/signing-thread.sodium.ts'
import { isHeadClean } from '../events/log/head-file.fs.ts'
import { systemClock, systemTimers } from '../events/model/time.system.ts'
import type { Endpoint } from '../network/index.ts'
import { startMainlineNode } from '../network/peer-directory.mainline.ts'
import { createOverlay } from '../network/runtime.ts'
import { createHyperswarmTransport } from '../network/transport.hyperswarm.ts'
import { freeUdpPort } from '../network/udp-port.hyperswarm.ts'
import { allProjections, type NetworkKeys, type ProjectionStates } from '../projections/all.ts'
import {
  createProjectionRunner,
  isShown,
  members,
  nextIncarnation,
  type ProjectionRunner,
  type ProjectionStore,
} from '../projections/index.ts'
import { openLevelProjectionStore } from '../projections/projection-store.level.ts'
import { parametersOf, SEED_V1 } from '../projections/reputation/index.ts'
import { newSha256 } from '../projections/sha256.system.ts'
import { newTurns, yieldToEventLoop } from '../projections/turns.system.ts'
import { PUBLIC_DHT_NODES } from '../torrent/index.ts'
import { createClient } from './client/client.ts'
import { openDataDirectory } from './directory/data-directory.fs.ts'
import { dropTitles } from './index-node/drop-titles.ts'
import { createIndexNode } from './index-node/index-node.ts'
import { liveIndexMap } from './index-node/live-index-map.ts'
import { careForAdmissions } from './node/admission-care.ts'
import { Admittance } from './node/admittance.ts'
import { backUp } from './node/backup.fs.ts'
import { credentialSentence } from './node/credential-sentences.ts'
import { HeldOff } from './node/held-off.ts'
import { serveHistory } from './node/history-exchange.ts'
import { countKept } from './node/kept-count.ts'
import { careForLog } from './node/log-care.ts'
import { createLogQueries } from './node/log-queries.ts'
import { startScrub } from './node/log-scrub.ts'
import { looseModes } from './node/loose-modes.fs.ts'
import { anchorsAmong, missingMembers } from './node/member-links.ts'
import { memberSight } from './node/member-sight.ts'
import { type MetricsServer, startMetrics } from './node/metrics.ts'
import { networkKeys } from './node/network-keys.ts'
import { readNetworkMemory, writeNetworkMemory } from './node/network-memory.fs.ts'
import { createNodeService, type NodeParts } from './node/node-service.ts'
import { NoticeBoard } from './node/notices.ts'
import { enforceOperatorBans } from './node/operator-bans.ts'
import { OwnEventsGate } from './node/own-events-gate.ts'
import { OwnHistory } from './node/own-history.ts'
import { openOwnLog } from './node/own-log.ts'
import { startProgramLog } from './node/program-log.pino.ts'
import { readFork, readRestoredMark, removeRestoredMark, writeFork } from './node/restored.fs.ts'
import { DAY_MS, RETAIN_LIVENESS_DAYS, startRetention } from './node/retention.ts'
import { runnerNotice } from './node/runner-notices.ts'
import { asServiceError } from './node/service-errors.ts'
import { verifyRunning } from './node/verification.ts'
import { ServiceError } from './services.ts'
import type { EngineName, RunningNode, StartOptions } from './start.ts'
import { VERSION } from './version.ts'

// The place where the adapters of a running node are chosen and wired; compose-stopped.ts wires those of a stopped one.

/** The version of what nodes speak with one another, part of the name under which they look for each other. */
const TOPIC = 'p2pt/1'
/** A peer that announced a torrent is told to others so long unless it announces again, ms. */
const MAINLINE_MAX_AGE_MS = 20 * 60_000
/** How often what is known of the DHTs is kept for the next start, ms. */
const NETWORK_MEMORY_MS = 30_000
/** UDP port of the Mainline DHT after HyperDHT's, on bootstraps. */
const MAINLINE_PORT_STEP = 1
const PORT_PAIR_ATTEMPTS = 50

/** What the nodes of a network look for one another by, 32 bytes. */
export const topicOf = (network: NetworkId): Uint8Array => createHash('sha256').update(`${TOPIC} ${network}`).digest()

/**
 * Starts a node; resolves when it listens, answers and looks for the others. Whatever was opened is closed again if it fails.
 * @throws ServiceError what the operator can mend
 */
export async function startNode(options: StartOptions, signal: AbortSignal): Promise<RunningNode> {
  const cleanup = new AsyncDisposableStack()
  try {
    const node = await compose(options, signal, cleanup)
    signal.throwIfAborted()
    return node
  } catch (error) {
    await cleanup.disposeAsync().catch(() => {})
    throw asServiceError(error, options.dataDirectory)
  }
}

async function compose(options: StartOptions, signal: AbortSignal, cleanup: AsyncDisposableStack): Promise<RunningNode> {
  const clock = systemClock
  const timers = systemTimers
  const notices = new NoticeBoard(clock)
  const startedAt = clock.now()

  const directory = cleanup.use(
    await openDataDirectory(options.dataDirectory, { role: options.role, joining: options.joining }),
  )
  const { signer, paths, joined } = directory
  for (const sentence of looseModes(directory.directory)) notices.post('warning', 'data.exposed', sentence)
  const keys = networkKeys(joined)
  const { verify } = keys
  const heldOff = new HeldOff(clock)
  const admittance: Admittance = new Admittance({
    ...{ joined, verify, clock },
    admissions: () => states.state('admissions'),
    onOverBudget: (author) => heldOff.note(author, 'over-budget'),
    ...(options.diskLimitBytes === undefined ? {} : { clientsDiskBytesMax: options.diskLimitBytes / 2 }),
  })
  const upcast = upcaster(upcastSteps)
  const commitSigner = cleanup.use(new SigningThread(signer, joined.network))
  const logOptions = { directory: directory.directory, signer, commitSigner, clock, upcast, rules: admittance }
  // Before the log is opened, whose head file then says no for as long as it is.
  const endedCleanly = isHeadClean(paths.head)
  const log = cleanup.use(await openOwnLog(logOptions, joined.network, notices))
  const logCare = cleanup.use(careForLog({ log, timers, notices }))
  const scrub = cleanup.use(startScrub({ directory: directory.directory, clock, timers, notices }, options.scrubBytesPerSecond))
  const gate = new OwnEventsGate(log)
  const store = cleanup.use(
    await openLevelProjectionStore({
      directory: paths.projections,
      owner: { author: signer.id, network: joined.network },
      isSuspect: !endedCleanly,
      onDiscarded: (reason) =>
        notices.post('warning', 'projections.discarded', `stored projections were unusable (${reason}): rebuilt from the log`),
    }),
  )
  const states: ProjectionRunner<ProjectionStates> = cleanup.use(runnerOf(log, store, keys, notices))
  await states.open()
  cleanup.defer(countKept(admittance.budgets, log, states))
  const invitation = ownInvitation(admittance, signer.id, options.role)
  const isShownAlready = invitation === undefined || isShown(states.state('admissions'), signer.id, invitation.key)
  const incarnation = nextIncarnation(states.state('liveness'), signer.id)
  await recordStart({ log, appender: gate, states }, [
    { kind: 'node.started', role: options.role, software: `p2pt/${VERSION}`, incarnation },
    ...(log.head === 0 || !isShownAlready ? [networkJoined(joined)] : []),
  ])
  let why = 'it did not start'
  cleanup.defer(async () => {
    try {
      await gate.append([{ event: { kind: 'node.stopped', reason: why } }], { durable: true })
    } catch (error) {
      // A full disk does not keep a node from stopping; without this event it looks like a crash, no more.
      notices.post('error', 'log.failed', `the stop was not recorded: ${error instanceof Error ? error.message : error}`)
    }
  })
  signal.throwIfAborted()

  const memoryPath = join(directory.directory, 'network.json')
  const memory = readNetworkMemory(memoryPath)
  const known = members(states.state('liveness')).filter(({ id }) => id !== signer.id)
  const port = options.role === 'bootstrap' && options.port === 0 ? await freePortPair(options.host) : options.port
  const mainline = options.role === 'bootstrap' ? cleanup.use(await startMainline(options, port, memory, notices)) : undefined
  const transport = createHyperswarmTransport({
    seed: signer.seed,
    role: options.role,
    host: options.host,
    port,
    ...(options.advertise === undefined ? {} : { advertise: options.advertise }),
    bootstrap: options.bootstrap,
    door: admittance.door,
    topic: topicOf(joined.network),
    clock,
    timers,
    knownEndpoints: known.map(({ id, host, port }) => ({ key: id, host, port })),
    dhtNodes: memory.dhtNodes,
    onNotice: (text) => notices.post('warning', 'network', text),
  })
  let notLetIn: string | undefined
  const refusedByPeers = (why: CredentialFault) => {
    const sentence = credentialSentence(why, admittance.genesis, options.role)
    if (sentence !== notLetIn) notices.post('error', 'network.refused', sentence)
    notLetIn = sentence
  }
  const overlay = createOverlay({
    role: options.role,
    software: `p2pt/${VERSION}`,
    incarnation,
    transport,
    log,
    appender: gate,
    verify,
    rules: admittance,
    clock,
    timers,
    random: Math.random,
    advertise: { dhtPort: mainline?.port ?? 0 },
    anchors: memory.anchors,
    retentionMs: (options.retainLivenessDays ?? RETAIN_LIVENESS_DAYS) * DAY_MS,
    isRecovering: () => history.isRecovering,
    members: known.map(({ id, role, host, port, dhtPort, incarnation: was, state }) => ({
      id,
      role,
      host,
      port,
      dhtPort,
      incarnation: was,
      state,
    })),
    onRefused: (peer, why, by) => {
      if (by === 'us') heldOff.note(peer, why)
      else refusedByPeers(why)
    },
    onNotice: (text) => notices.post('warning', 'network', text),
  })

  const sight = memberSight(admittance, overlay)
  let stopping = false
  let metrics: MetricsServer | undefined
  const stopAsked = Promise.withResolvers<void>()
  const engine = options.role === 'client' ? await createEngine(options, { ...signer, verify }, admittance) : undefined
  const parts: NodeParts = {
    options,
    version: VERSION,
    startedAt,
    incarnation,
    clock,
    verify,
    admittance,
    joined,
    invitation,
    heldOff,
    notices,
    log,
    appender: gate,
    scrub,
    states,
    transport,
    overlay,
    sight,
    directory: mainline,
    engine,
    waitingFor() {
      if (stopping) return 'the node to stop'
      if (logCare.waitingFor !== null) return logCare.waitingFor
      if (history.waitingFor !== null) return history.waitingFor
      const linked = transport.links().map(({ peer }) => peer)
      const known = members(states.state('liveness')).filter(({ id }) => id !== signer.id)
      const missing = missingMembers(options.role, linked, known, sight)
      return missing === undefined ? null : linked.length === 0 ? (notLetIn ?? missing) : missing
    },
    queries: createLogQueries({
      log,
      states,
      newSha256,
      newTurns,
      joined,
      clock,
      sign: (bytes) => signer.sign('audit', bytes),
      verifyLog: (options) => verifyRunning(log, joined.network, options),
    }),
    backUp: (output) => backUp({ directory: directory.directory, log }, output, () => clock.now()),
    metrics: () => (metrics === undefined ? null : { host: metrics.host, port: metrics.port }),
    stop: () => stopAsked.resolve(),
  }
  cleanup.defer(careForAdmissions({ log, admittance, transport, heldOff, timers }))
  const { budgets } = admittance
  const isRevoked = (author: NodeId) => admittance.isRevoked(author)
  cleanup.use(startRetention({ log, states, budgets, isRevoked, newTurns, clock, timers, notices }, options))
  const node = createNodeService(parts)
  const map = liveIndexMap(states, sight)
  serveHistory(log, overlay)
  if (options.acceptForkRisk === true) removeRestoredMark(directory.directory)
  const history = new OwnHistory({
    log,
    gate,
    overlay,
    verify,
    timers,
    notices,
    indexNodes: () => (options.role === 'client' ? map.indexNodes() : []),
    restored: readRestoredMark(directory.directory)?.from,
    fork: readFork(directory.directory),
    onRecovered: () => {
      removeRestoredMark(directory.directory)
      log.settleGossip().catch((error: unknown) => notices.post('warning', 'log.failed', String(error)))
    },
    onFork: (fork) => writeFork(directory.directory, fork),
  })

  // Stopped in this order: no more work, then goodbye, then sockets, then the log.
  cleanup.use(overlay)
  cleanup.use(history)
  cleanup.defer(enforceOperatorBans(log, states.state('reputation'), overlay))
  cleanup.use(startProgramLog(options.logLevel, { id: signer.id, notices, overlay }))
  const index =
    options.role === 'index'
      ? cleanup.use(
          createIndexNode({
            ...{ ...parts, map, timers, upcast, newSha256, newTurns, yieldToEventLoop },
            dropTitles: (torrents) => dropTitles(torrents, { log, states, budgets }),
          }),
        )
      : undefined
  overlay.onLinks(({ up, peer, why }) => {
    if (!up && why !== undefined && why !== 'stopped' && why !== 'remote' && why !== 'refused')
      notices.post('info', 'link.lost', `lost the link to ${peer.slice(0, 8)}: ${why}`)
  })
  history.start()
  // Before anything else that this node says of itself: without it nobody takes what follows.
  if (!isShownAlready) showCredential(gate, joined, notices)
  if (options.metrics !== undefined)
    metrics = cleanup.use(await startMetrics(options.metrics, { overlay, heldOff, status: node.status }))
  await overlay.start(signal)
  index?.start()
  const client =
    engine === undefined
      ? undefined
      : cleanup.use(
          await createClient(
            {
              ...{ ...parts, engine, map, timers, node, streams: transport.openPeerStreams(), upcast, yieldToEventLoop },
              onWriteFailure: (listener) => log.onWriteFailure(listener),
            },
            signal,
          ),
        )

  const remember = () =>
    writeNetworkMemory(memoryPath, {
      dhtNodes: [...transport.dhtNodes()],
      mainlineId: mainline === undefined ? null : toHex(mainline.nodeId),
      mainlineNodes: [...(mainline?.nodes() ?? [])],
      anchors: anchorsAmong(overlay.status().links, memory.anchors),
    })
  const remembering = setInterval(remember, NETWORK_MEMORY_MS)
  cleanup.defer(() => {
    clearInterval(remembering)
    remember()
  })

  why = 'stopped by the operator'
  const stopped = Promise.withResolvers<void>()
  const stop = (): Promise<void> => {
    if (!stopping) {
      stopping = true
      cleanup.disposeAsync().then(stopped.resolve, stopped.reject)
    }
    return stopped.promise
  }
  void stopAsked.promise.then(stop).catch(() => {})
  return {
    node,
    index: index?.service,
    client: client?.service,
    stopped: stopped.promise,
    [Symbol.asyncDispose]: stop,
  }
}

function runnerOf(
  log: EventLog,
  store: ProjectionStore,
  keys: NetworkKeys,
  notices: NoticeBoard,
): ProjectionRunner<ProjectionStates> {
  return createProjectionRunner<ProjectionStates>({
    log,
    store,
    projections: allProjections(log.author, keys),
    timers: systemTimers,
    newSha256,
    newTurns,
    onNotice: (what) => {
      const { level, code, text } = runnerNotice(what)
      notices.post(level, code, text)
    },
  })
}

/** @throws ServiceError that says what to ask the owner of the network for */
function ownInvitation(admittance: Admittance, self: NodeId, role: NodeRole): Invitation | undefined {
  try {
    return admittance.own(self, role)
  } catch (cause) {
    if (!(cause instanceof CredentialError)) throw cause
    throw new ServiceError('failed', credentialSentence(cause.code, admittance.genesis, role), { cause })
  }
}

const networkJoined = ({ genesis, credential }: JoinedNetwork): Event => ({ kind: 'network.joined', genesis, credential })

function showCredential(appender: Appender, { credential }: JoinedNetwork, notices: NoticeBoard): void {
  appender
    .append([{ event: { kind: 'node.admitted', credential } }], { durable: true })
    .catch((error: unknown) => notices.post('error', 'log.failed', `the credential was not published: ${error}`))
}

/** The start itself, and, at the first one, the policy that holds from now on. */
async function recordStart(
  { log, appender, states }: Pick<NodeParts, 'log' | 'appender' | 'states'>,
  start: readonly Event[],
): Promise<void> {
  const policy: Event = { kind: 'policy.adopted', policy: SEED_V1.id, parameters: parametersOf(SEED_V1) }
  const events = log.head === 0 ? [...start, policy] : start
  await appender.append(
    events.map((event) => ({ event })),
    { durable: true },
  )
  if (states.applied < log.head) throw new Error('a projection did not follow the log')
}

/** HyperDHT's port and the one after it for Mainline, both free now: others derive the second from the first. */
async function freePortPair(host: string): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = await freeUdpPort(host, 0)
    try {
      if ((await freeUdpPort(host, port + MAINLINE_PORT_STEP)) > 0) return port
    } catch (error) {
      if (attempt === PORT_PAIR_ATTEMPTS) throw error
    }
  }
}

async function startMainline(
  options: StartOptions,
  overlayPort: number,
  memory: { mainlineId: string | null; mainlineNodes: Endpoint[] },
  notices: NoticeBoard,
) {
  return startMainlineNode({
    host: options.host,
    port: overlayPort + MAINLINE_PORT_STEP,
    bootstrap: options.bootstrap.map(mainlineOf),
    maxAgeMs: MAINLINE_MAX_AGE_MS,
    timers: systemTimers,
    ...(memory.mainlineId === null ? {} : { nodeId: fromHex(memory.mainlineId) }),
    nodes: memory.mainlineNodes,
    onNotice: (text) => notices.post('warning', 'network.mainline', text),
  })
}

const mainlineOf = ({ host, port }: Endpoint): Endpoint => ({ host, port: port + MAINLINE_PORT_STEP })

async function createEngine(
  options: StartOptions,
  identity: Signer & { readonly verify: VerifySignature },
  admittance: Admittance,
) {
  const takesPlainPeers = options.plainPeers === true || admittance.genesis.open
  return (await engineMaker(options.engine))({
    host: options.host,
    port: options.port,
    dhtBootstrap: options.bootstrap.map(mainlineOf),
    publicDhtBootstrap: options.publicDht?.length ? options.publicDht : PUBLIC_DHT_NODES,
    identity,
    ...(options.encryption === undefined ? {} : { encryption: options.encryption }),
    admits: (key) => (key === undefined ? takesPlainPeers : admittance.standingOf(key) !== undefined),
    clock: systemClock,
    timers: systemTimers,
  })
}

/** Only clients load an engine, and only one: webtorrent takes a second. */
async function engineMaker(name: EngineName = 'p2pt') {
  if (name === 'webtorrent') return (await import('../torrent/engine.webtorrent.ts')).createWebtorrentEngine
  return (await import('../torrent/engine.tcp.ts')).createTcpEngine
}
