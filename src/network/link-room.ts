import type { NodeId } from '../events/index.ts'

/** Of the links that others open to us, so many are for members alone. */
export const INBOUND_FOR_MEMBERS = 12
/** Of the links that we looked for by ourselves, so many are for members alone. */
export const SOUGHT_FOR_MEMBERS = 4
/** Links of peers that have not shown yet who they are: beside those that have, and as many again that we looked for. */
export const OPENING_MAX = 24
/** Among more links than this that are not with members, at most a third share the first three bytes of an address. */
export const SAME_NETWORK_FREE = 12
const SAME_NETWORK_SHARE = 1 / 3

/** `asked`: this node dialled it by its own choice, whoever's connection it became. `party`: who answers for a peer that is no member. */
export type RoomLink = {
  readonly peer: NodeId
  readonly host: string
  readonly initiator: boolean
  readonly isOpen: boolean
  readonly isMember: boolean
  readonly asked: boolean
  readonly party: string
}

export type RoomLimits = { readonly linksMax: number; readonly linksInboundMax: number; readonly linksSought: number }

export type Room =
  /** `instead`: for which one of those there are has to go. */
  { readonly room: true; readonly instead: RoomLink | undefined } | { readonly room: false }

const FULL: Room = { room: false }
const FREE: Room = { room: true, instead: undefined }

/**
 * Whether there is room for one more link, beside those there are, the oldest first. Clients never take the places of
 * members, no invitation those of another, and no one network those of all others. Members are vouched for, and whom this
 * node dials it has chosen.
 */
export function roomFor(links: readonly RoomLink[], more: RoomLink, limits: RoomLimits): Room {
  if (more.asked) return links.length < limits.linksMax ? FREE : FULL
  const alike = links.filter(({ initiator, asked }) => initiator === more.initiator && !asked)
  const open = alike.filter(({ isOpen }) => isOpen)
  const isFull = links.length >= limits.linksMax || (!more.initiator && open.length >= limits.linksInboundMax)
  // One that is known as a client may have less to wait for than the others.
  if (!more.isOpen) return isFull && more.isMember ? FULL : roomToOpen(alike.filter(({ isOpen }) => !isOpen))
  if (isFull) return FULL
  if (more.isMember) return FREE
  const others = open.filter(({ isMember }) => !isMember)
  if (isCrowded(links, more)) return FULL
  const max = more.initiator
    ? Math.max(1, limits.linksSought - SOUGHT_FOR_MEMBERS)
    : Math.max(Math.ceil(limits.linksInboundMax / 2), limits.linksInboundMax - INBOUND_FOR_MEMBERS)
  return others.length < max ? FREE : roomAmongParties(others, more)
}

/**
 * Who says nothing must not keep others from saying who they are: the one that has had the longest time for it goes, of
 * the address that has most of them.
 */
function roomToOpen(opening: readonly RoomLink[]): Room {
  if (opening.length < OPENING_MAX) return FREE
  const [oldest] = largest(opening, ({ host }) => host)
  return { room: true, instead: oldest }
}

/** One invitation with many keys leaves others their share: its youngest link goes, if it has two more than who comes. */
function roomAmongParties(others: readonly RoomLink[], more: RoomLink): Room {
  const most = largest(others, ({ party }) => party)
  const own = others.filter(({ party }) => party === more.party)
  return most.length >= own.length + 2 ? { room: true, instead: most.at(-1) } : FULL
}

/** The links that have the same of something, where that are most. */
function largest(links: readonly RoomLink[], of: (link: RoomLink) => string): readonly RoomLink[] {
  return [...Map.groupBy(links, of).values()].reduce((most, group) => (group.length > most.length ? group : most), [])
}

function isCrowded(links: readonly RoomLink[], { host }: RoomLink): boolean {
  const network = publicNetworkOf(host)
  const others = links.filter(({ isMember, isOpen }) => !isMember && isOpen)
  if (network === undefined || others.length < SAME_NETWORK_FREE) return false
  const same = others.filter((link) => publicNetworkOf(link.host) === network).length
  return same + 1 > (others.length + 1) * SAME_NETWORK_SHARE
}

/** The first three bytes of an IPv4 address; undefined where all nodes may well share them: loopback, private, link-local and carriers' networks. */
function publicNetworkOf(host: string): string | undefined {
  const [a = 0, b = 0, c] = host.split('.').map(Number)
  if (c === undefined || a === 127 || a === 10 || (a === 192 && b === 168) || (a === 169 && b === 254)) return undefined
  if ((a === 172 && b >= 16 && b < 32) || (a === 100 && b >= 64 && b < 128)) return undefined
  return `${a}.${b}.${c}`
}
