import { join } from 'node:path'
import {
  type Envelope,
  type InfoHash,
  type NodeId,
  TITLE_BYTES_MAX,
  type Timers,
  type Upcast,
  utf8Length,
} from '../../events/index.ts'
import type { LevelLog } from '../../events/log/event-log.level.ts'
import type { PeerStreams } from '../../network/index.ts'
import { downloadsIn, pieceCount } from '../../projections/index.ts'
import { judge, summary } from '../../projections/reputation/index.ts'
import type { TorrentEngine } from '../../torrent/index.ts'
import type { IndexMap } from '../index-node/index-map.ts'
import type { NodeParts } from '../node/node-service.ts'
import { scoreRow } from '../node/score-rows.ts'
import type { ClientService, NodeService } from '../services.ts'
import { untilAdmitted, untilTrue } from '../until-true.ts'
import { createClientService } from './client-service.ts'
import { startsAfterDeaths } from './crash-loop.ts'
import { HeldOffOwners, SLOW_MS } from './held-off-owners.ts'
import { KeywordFrequencies } from './keyword-frequencies.ts'
import { OfferRenewal } from './offer-renewal.ts'
import { OwnClaims } from './own-claims.ts'
import { watchOwners } from './owner-watch.ts'
import { Publications } from './publications.ts'
import { Publisher } from './publisher.ts'
import { Torrents } from './torrents.ts'
import { Verdicts } from './verdicts.ts'
import { verifyingOnce } from './verified-signatures.ts'
import { WaysThroughRouters } from './ways-through-routers.ts'

export type ClientNodeParts = Omit<NodeParts, 'engine'> & {
  engine: TorrentEngine
  map: IndexMap
  timers: Timers
  node: NodeService
  /** As the log's own. */
  onWriteFailure: LevelLog['onWriteFailure']
  upcast: Upcast
  /** Lets everything else have its turn. */
  yieldToEventLoop(): Promise<void>
  /** Undefined where everybody reaches us. */
  streams: PeerStreams | undefined
}

export type ClientNode = AsyncDisposable & { readonly service: ClientService }

/** What a client adds: torrents, verdicts on peers, publications and searches. Resolves when all that was there before is taken up again. */
export async function createClient(parts: ClientNodeParts, signal: AbortSignal): Promise<ClientNode> {
  const { options, log, appender, states, overlay, engine, notices, map, timers } = parts
  const downloads = () => states.state('downloads')
  const ledger = () => states.state('reputation')
  const isRevoked = (node: NodeId): boolean => parts.admittance.isRevoked(node)

  const { streams, clock } = parts
  const ways = streams && new WaysThroughRouters({ streams, engine, timers, notices, now: () => clock.now() })
  const torrents = new Torrents({
    appender,
    engine,
    timers,
    clock,
    notices,
    settings: () => downloads().settings,
    directory: options.downloads ?? join(options.dataDirectory, 'downloads'),
    allowCorrupt: options.allowCorrupt ?? false,
    all: {
      public: options.public ?? false,
      dht: options.publicDht !== undefined,
      local: options.localDiscovery ?? false,
    },
    dataDirectory: options.dataDirectory,
    downloads: () => downloadsIn(downloads()),
    download: (infoHash) => downloads().downloads.get(infoHash),
    unreached: (infoHash) => ways?.unreached(infoHash) ?? 0,
  })
  const verdicts = new Verdicts({
    author: log.author,
    appender,
    onWriteFailure: parts.onWriteFailure,
    engine,
    notices,
    standingOf(peer, moreBad) {
      const judgement = judge(ledger(), peer, { moreBad, isRevoked })
      return { standing: judgement.standing, score: judgement.score, because: summary(judgement) }
    },
    peers: () => ledger().subjects.keys(),
  })
  const claims = new OwnClaims(log.author, map)
  await claims.read(log)
  const publications = new Publications({
    log,
    overlay,
    timers,
    ownersOf: map.ownersOf,
    current: () => claims.publications(),
    onProblem: (text) => notices.post('warning', 'publication.refused', text),
  })
  const publisher = new Publisher({ appender, map, publications, claims })
  const renewal = new OfferRenewal({
    ...{ clock, timers, claims, publisher },
    onProblem: (text) => notices.post('warning', 'offers.not-renewed', text),
  })

  const completed = async (infoHash: InfoHash) => {
    if (!(await torrents.completed(infoHash))) return
    // The title says where the index has it. One that is too long stands in no index.
    const download = downloads().downloads.get(infoHash)
    const title = download?.title ?? ''
    // Who holds a part of it offers nothing in the index, where a seeder is one of the whole.
    if (download === undefined || pieceCount(download.verified) !== download.pieceCount) return
    if (utf8Length(title) <= TITLE_BYTES_MAX && publisher.canBeFound(title)) await publisher.verified(infoHash, title)
  }
  engine.listen({
    described: (metainfo) => torrents.described(metainfo),
    checked: (infoHash, found) => torrents.checked(infoHash, found),
    stamped: (infoHash, stamps) => torrents.stamped(infoHash, stamps),
    changed: (infoHash, change) => torrents.changed(infoHash, change),
    verified: (infoHash, pieces) => torrents.verified(infoHash, pieces),
    judged: (infoHash, subject, good, bad) => verdicts.judged(infoHash, subject, good, bad),
    suspected: (infoHash, index, sources) => verdicts.suspected(infoHash, index, sources),
    completed: (infoHash) => {
      completed(infoHash).catch((error: unknown) =>
        notices.post('error', 'log.failed', `a completion was not recorded: ${error}`),
      )
    },
    failed: (infoHash, problem) => torrents.failed(infoHash, problem),
    peer: (_infoHash, change, peer) => {
      if (change === 'left') notices.post('info', 'peer.lost', `lost the peer ${peer.slice(0, 20)}`)
    },
  })

  const closing = new AbortController()
  const stopFollowing = log.onAppended((envelopes: readonly Envelope[]) => {
    claims.apply(envelopes)
    verdicts.onAppended(envelopes)
    // After the admissions projection, which follows the log first.
    if (envelopes.some(({ event }) => event.kind === 'access.revoked')) engine.enforceAdmission()
  })
  const stopWatching = watchOwners(log, map, () => publications)
  const close = async () => {
    closing.abort()
    stopFollowing()
    stopWatching()
    renewal.stop()
    publications.stop()
    await ways?.[Symbol.asyncDispose]()
    await torrents.stopQueue()
    await engine[Symbol.asyncDispose]()
    await verdicts.close()
    // What the engine told last is in the log before that closes.
    await Promise.all([torrents.settled(), publications.settled()])
  }
  try {
    verdicts.restore()
    if (await startsAfterDeaths(log)) await torrents.pauseAll()
    await engine.start(signal)
    const { downloadBytesPerSecond, uploadBytesPerSecond } = options
    await torrents.configureAtStart({ downloadBytesPerSecond, uploadBytesPerSecond })
    await torrents.restore()
    publications.start()
    renewal.start()
    ways?.start()
  } catch (error) {
    await close()
    throw error
  }

  return {
    service: createClientService({
      node: parts.node,
      engine,
      overlay,
      torrents,
      publisher,
      dataDirectory: options.dataDirectory,
      search: {
        ...{ overlay, timers, map, heldOff: new HeldOffOwners(() => performance.now()) },
        slow: new HeldOffOwners(() => performance.now(), SLOW_MS),
        frequencies: new KeywordFrequencies(),
        onCharged: (evidence) =>
          void appender
            .append([{ event: { kind: 'owner.charged', ...evidence } }])
            .catch((error: unknown) =>
              notices.post('error', 'log.failed', `what an index node did was not recorded: ${error}`),
            ),
        ...{ now: () => clock.now(), random: Math.random },
        untilIndexKnown: (waitMs) => untilIndexKnown(parts, waitMs, closing.signal),
        proofs: {
          ...{
            verify: verifyingOnce(parts.verify),
            upcast: parts.upcast,
            rules: parts.admittance,
            yieldToEventLoop: parts.yieldToEventLoop,
          },
          untilAdmitted: (attempt, waitMs) => untilAdmitted(states, attempt, { timers, waitMs, closing: closing.signal }),
          now: () => clock.now(),
        },
      },
      scoreOf: (peer) => scoreRow(ledger(), peer, isRevoked),
    }),
    [Symbol.asyncDispose]: close,
  }
}

/** Resolves when some index node is in the table, after `waitMs`, or when the client closes. */
function untilIndexKnown({ states, map, timers }: ClientNodeParts, waitMs: number, closing: AbortSignal): Promise<void> {
  const isKnown = () => map.indexNodes().length > 0
  return untilTrue(isKnown, (look) => [states.onChange('liveness', look), states.onChange('admissions', look)], {
    ...{ timers, waitMs, closing },
  })
}
