import type { Event, MemberAddress, NodeId } from '../events/index.ts'
import { Dialer } from './dialer.ts'
import { Gossip } from './gossip/gossip.ts'
import type { GossipInput, GossipTimer } from './gossip/gossip-protocol.ts'
import { Handshake } from './handshake.ts'
import { LinkBook } from './link-book.ts'
import { LinkMaintenance } from './link-maintenance.ts'
import { LogBridge } from './log-bridge.ts'
import { Membership } from './membership/membership.ts'
import type { MembershipInput, MembershipTimer } from './membership/membership-protocol.ts'
import { Messenger } from './messenger.ts'
import { Offences } from './offences.ts'
import { type OverlayOptions, RETENTION_MS } from './overlay-options.ts'
import { type EffectParts, ProtocolDriver } from './protocol-driver.ts'
import { Sender } from './sender.ts'
import { Supplier } from './supplier.ts'
import type { Endpoint, LinkLoss } from './transport.ts'
import type { GossipMessage, MembershipMessage, WireMessage } from './wire.ts'

/** What an overlay is made of. The protocols are asked here, and told things at their doors, `toGossip` and `toMembership`. */
export type OverlayParts = ReturnType<typeof createParts>

/** @param isUp false before the start and after the end: nothing is dialled then, and no protocol's timer is set */
export function createParts(options: OverlayOptions, isUp: () => boolean) {
  const { transport, log, verify, rules, random, role, incarnation, timers, clock, software, onNotice = () => {} } = options
  const { self } = transport
  const links = new LinkBook()
  const now = (): number => clock.now()
  const drop = (peer: NodeId, why: LinkLoss): void => transport.drop(peer, why)
  const append = (event: Event): void => bridge.append(event)

  /** Nothing that a peer sends may throw out of a handler; what does is a bug of ours, and is said. */
  const guarded = (run: () => void): void => {
    try {
      run()
    } catch (error) {
      onNotice(`a fault in the network layer: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
  }

  const address = (): MemberAddress => {
    const { advertise = {} } = options
    const { host = '', port = 0 } = transport.endpoint ?? {}
    return { host, port, dhtPort: 0, ...(typeof advertise === 'function' ? advertise() : advertise) }
  }

  const endpointOf = (peer: NodeId): Endpoint | undefined => {
    const known = membership.member(peer, now())?.address
    return known !== undefined && known.port > 0 ? { host: known.host, port: known.port } : undefined
  }

  const { retentionMs = RETENTION_MS, isRecovering = () => false } = options
  const gossip = new Gossip({
    ...{ self, isClient: role === 'client', held: log, verify, rules, random, retentionMs, isRecovering },
  })
  const membership = new Membership({
    ...{ self, role, incarnation, random, address },
    isLinked: (peer) => links.get(peer) !== undefined,
    heardAt: (peer) => links.get(peer)?.heardAt,
    isAdmitted: (node, role) => rules.mayBe(node, role),
  })
  const bridge = new LogBridge({
    log,
    appender: options.appender,
    onOwn: (events) => guarded(() => toGossip.feed({ type: 'own-stored', events })),
    onIngestDone: (outcome) => guarded(() => toGossip.feed({ type: 'ingest-done', ...outcome })),
    onAppendFailed: (events, why) =>
      guarded(() => {
        for (const event of events) {
          toGossip.feed({ type: 'append-failed', event, why })
          if (event.kind === 'event.quarantined') offences.notStored(event)
          else toMembership.feed({ type: 'append-failed', event, why })
        }
      }),
    onNotice,
  })
  const offences = new Offences({ now, timers, append, drop })
  const dialer = new Dialer({ transport, links, timers, onNotice })
  const sender = new Sender({
    ...{ transport, links, dialer, now, guarded },
    mayDial: (peer) => isUp() && peer !== self && !offences.refuses(peer),
  })
  const send = (to: NodeId, message: WireMessage): boolean => sender.send(to, message)
  const connect = async (to: NodeId): Promise<boolean> => (await sender.connect(to, endpointOf(to))) === 'linked'
  const supplier = new Supplier(log, send)
  const messenger = new Messenger({ timers, send, connect })
  const handshake = new Handshake({
    ...{ links, timers, role, software, address, send, drop },
    charge: (peer, reason) => offences.charge(peer, reason),
    mayBe: (peer, claimed) => rules.mayBe(peer, claimed),
    onGreeted({ link: { peer, initiator }, neighbour }) {
      if (neighbour) toGossip.feed({ type: 'link-up', peer, initiator })
      toMembership.feed({ type: 'link-up', peer })
    },
  })
  const maintenance = new LinkMaintenance({
    ...{ links, timers, random, now },
    members: () => [...membership.members(now())].filter(({ id }) => id !== self),
    anchors: options.anchors ?? [],
    connect: (to) => void sender.connect(to, endpointOf(to), true),
    drop: (peer) => drop(peer, 'stopped'),
  })

  const effects: EffectParts = {
    ...{ now, timers, isUp, guarded, append },
    send: (effect, onFailed) => sender.deliver(effect, onFailed),
    ingest: (events) => bridge.ingest(events),
    supply: (to, order) => supplier.order(to, order),
    charge: (peer, reason, evidence) => offences.charge(peer, reason, evidence),
    memberGone: (member) => toGossip.feed({ type: 'member-gone', member }),
  }
  const toGossip = new ProtocolDriver<GossipInput, GossipMessage, GossipTimer>(gossip, effects)
  const toMembership = new ProtocolDriver<MembershipInput, MembershipMessage, MembershipTimer>(membership, effects)

  return {
    ...{ options, links, now, guarded, drop, isUp, onRefused: options.onRefused },
    ...{ gossip, membership, toGossip, toMembership },
    ...{ bridge, offences, dialer, supplier, messenger, handshake, maintenance },
  }
}
