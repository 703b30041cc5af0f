import {
  type AccessRevoked,
  type Appender,
  type Clock,
  CredentialError,
  type EventLog,
  type Invitation,
  type JoinedNetwork,
  LogError,
  type NodeId,
  type NodeRole,
  type PeerId,
  readRevocation,
  toHex,
  type VerifySignature,
} from '../../events/index.ts'
import type { Overlay, PeerDirectory, Transport } from '../../network/index.ts'
import type { ProjectionStates } from '../../projections/all.ts'
import { members, type ProjectionRunner } from '../../projections/index.ts'
import type { TorrentEngine } from '../../torrent/index.ts'
import {
  type LinkRow,
  type LogQueries,
  type NodeService,
  type NodeStatus,
  type OwnInvitation,
  ServiceError,
} from '../services.ts'
import type { StartOptions } from '../start.ts'
import type { Admittance } from './admittance.ts'
import type { HeldOff } from './held-off.ts'
import { peerNamed } from './log-queries.ts'
import { damageText, type LogScrub } from './log-scrub.ts'
import type { MemberSight } from './member-sight.ts'
import type { NoticeBoard } from './notices.ts'
import { orphanedRevocations } from './orphaned-revocations.ts'
import { policyAdopted } from './policy-adopted.ts'
import { createRebuilder, knownProjections } from './rebuild.ts'
import { scoreRow } from './score-rows.ts'
import { tail } from './tail.ts'

/** Everything that a running node is made of; put together by compose.ts. */
export type NodeParts = {
  options: StartOptions
  version: string
  startedAt: number
  incarnation: number
  clock: Clock
  verify: VerifySignature
  admittance: Admittance
  joined: JoinedNetwork
  /** What admits this node itself; undefined for a client of an open network. */
  invitation: Invitation | undefined
  heldOff: HeldOff
  scrub: Pick<LogScrub, 'damage'>
  notices: NoticeBoard
  /** To read, and for events of others. */
  log: Omit<EventLog, 'append'>
  /** For what this node says itself, which may have to wait. */
  appender: Appender
  states: ProjectionRunner<ProjectionStates>
  transport: Transport
  overlay: Overlay
  /** What this node makes of what members are said to be. */
  sight: MemberSight
  /** Bootstraps run a Mainline node of their own; clients have their engine's. */
  directory: PeerDirectory | undefined
  engine: TorrentEngine | undefined
  /** What the node still waits for; null when it is ready. */
  waitingFor(): string | null
  queries: LogQueries
  /** Where metrics are served. */
  metrics(): { host: string; port: number } | null
  /** Copies the node to another directory, see backup.fs.ts. */
  backUp(directory: string): ReturnType<NodeService['backup']>
  /** Begins to stop the node. */
  stop(): void
}

/** What any running node can be asked. */
export function createNodeService(parts: NodeParts): NodeService {
  const { admittance, log, appender, states, overlay, notices, queries, sight } = parts
  const ledger = () => states.state('reputation')
  const isRevoked = (node: NodeId): boolean => admittance.isRevoked(node)
  const rebuilder = createRebuilder(states)

  const decide = async (kind: 'operator.banned' | 'operator.unbanned', peer: string, reason: string) => {
    const subject: PeerId = peerNamed(ledger(), peer)
    try {
      await appender.append([{ event: { kind, subject, reason } }], { durable: true })
    } catch (cause) {
      if (!(cause instanceof LogError)) throw cause
      // Only what the log has is carried out: neither here nor by the peers of the torrents has anything changed.
      const word = kind === 'operator.banned' ? 'ban' : 'unban'
      throw new ServiceError('failed', `the ${word} was not recorded and does not hold: ${cause.message}`, { cause })
    }
    return scoreRow(ledger(), subject, isRevoked)
  }

  return {
    ...queries,
    async status() {
      return statusOf(parts)
    },
    async links(): Promise<LinkRow[]> {
      return overlay.status().links.map((link) => {
        const { score, standing } = scoreRow(ledger(), link.peer, isRevoked)
        return {
          peer: link.peer,
          role: link.role ?? roleInTable(parts, link.peer),
          host: link.host,
          port: link.port,
          initiator: link.initiator,
          since: link.since,
          roundTripMs: link.roundTripMs ?? null,
          messagesIn: link.messagesIn,
          messagesOut: link.messagesOut,
          view: link.view,
          backlog: link.backlog,
          score,
          standing,
        }
      })
    },
    async members(asOf) {
      const rows = await queries.members(asOf)
      if (asOf?.at !== undefined) return rows
      return rows
        .filter(({ id, state }) => state === 'revoked' || sight.isMember(id))
        .map((row) => ({
          ...row,
          state: row.state === 'revoked' ? row.state : sight.stateOf({ id: row.id, state: row.state }),
          // Rolled-up beats are minutes old: what the last ping took is better.
          roundTripMs: overlay.roundTripMs(row.id) ?? row.roundTripMs,
        }))
    },
    async stop() {
      parts.stop()
    },
    rebuild: ({ projections }) => rebuilder(knownProjections(states, projections)),
    backup: ({ directory }) => parts.backUp(directory),
    tail: (options) => tail(log, options),
    notices: ({ last }) => notices.follow(last),
    async revoke(revocation, ownerSignature) {
      const event = revocationOf(parts, revocation, ownerSignature)
      await appender.append([{ event }], { durable: true })
      const repeated = await orphanedRevocations(log, isRevoked)
      if (repeated.length > 0)
        await appender.append(
          repeated.map((event) => ({ event })),
          { durable: true },
        )
      return queries.network()
    },
    ban: (peer, reason) => decide('operator.banned', peer, reason),
    unban: (peer, reason) => decide('operator.unbanned', peer, reason),
    async adopt(asked) {
      const policy = policyAdopted(asked)
      try {
        await appender.append([{ event: { kind: 'policy.adopted', policy: policy.id, parameters: policy.parameters } }], {
          durable: true,
        })
      } catch (cause) {
        if (!(cause instanceof LogError)) throw cause
        throw new ServiceError('failed', `the policy was not recorded and does not hold: ${cause.message}`, { cause })
      }
      return policy
    },
  }
}

const ownInvitation = ({ key, name, role, expiresAt }: Invitation): OwnInvitation => ({
  key,
  name,
  role,
  expiresAt: expiresAt || null,
})

function roleInTable({ states }: NodeParts, id: string): NodeRole | null {
  return members(states.state('liveness')).find((member) => member.id === id)?.role ?? null
}

function statusOf(parts: NodeParts): NodeStatus {
  const { options, log, states, overlay, transport, directory, engine, joined, invitation, admittance, sight } = parts
  const { links, ...gossip } = overlay.status()
  const inView = (view: string): number => links.filter((link) => link.view === view).length
  const counts = { alive: 0, suspect: 0, dead: 0, left: 0 }
  for (const member of members(states.state('liveness')))
    if (!admittance.isRevoked(member.id) && sight.isMember(member.id)) counts[sight.stateOf(member)] += 1
  const mainline = directory === undefined ? engine?.dht : { port: directory.port, nodeCount: directory.nodeCount }
  const waitingFor = parts.waitingFor()
  return {
    id: log.author,
    role: options.role,
    version: parts.version,
    pid: process.pid,
    dataDirectory: options.dataDirectory,
    network: {
      id: joined.network,
      name: admittance.genesis.name,
      open: admittance.genesis.open,
      genesis: toHex(joined.genesis),
      invitation: invitation === undefined ? null : ownInvitation(invitation),
    },
    heldOff: parts.heldOff.rows(),
    startedAt: parts.startedAt,
    incarnation: parts.incarnation,
    ready: waitingFor === null,
    waitingFor,
    endpoint: transport.endpoint ?? null,
    mainlineDht: mainline === undefined ? null : { port: mainline.port, nodes: mainline.nodeCount },
    torrentPort: engine?.port ?? null,
    bootstrap: options.bootstrap.map(({ host, port }) => `${host}:${port}`),
    links: links.length,
    log: { head: log.head, lamport: log.lamport, damage: parts.scrub.damage.map(damageText) },
    gossip: {
      ...gossip,
      eager: inView('eager'),
      lazy: inView('lazy'),
      backlog: links.reduce((sum, { backlog }) => sum + backlog, 0),
    },
    metrics: parts.metrics(),
    projections: states.checkpoints().map((row) => ({ ...row })),
    members: counts,
    memoryBytes: process.memoryUsage.rss(),
  }
}

/** @throws ServiceError if the owner of this network did not sign it */
function revocationOf({ admittance, verify }: NodeParts, revocation: string, ownerSignature: string): AccessRevoked {
  const event: AccessRevoked = {
    kind: 'access.revoked',
    revocation: new Uint8Array(Buffer.from(revocation, 'base64')),
    ownerSignature: new Uint8Array(Buffer.from(ownerSignature, 'base64')),
  }
  try {
    readRevocation(event, admittance.genesis.owner, verify)
    return event
  } catch (cause) {
    if (!(cause instanceof CredentialError)) throw cause
    const why = `the revocation is not signed by the owner of the network "${admittance.genesis.name}", to which this node belongs`
    throw new ServiceError('failed', why, { cause })
  }
}
