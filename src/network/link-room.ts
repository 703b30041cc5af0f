import type { NodeId } from '../events/index.ts'

/** Of the links that others open to us, so many are for members alone. */
export const INBOUND_FOR_MEMBERS = 12
/** Of the links that we looked for by ourselves, so many are for members alone. */
export const SOUGHT_FOR_MEMBERS = 4
/** Links of peers that have not shown yet who they are, beyond the room of those who are no members. */
export const OPENING_MAX = 4
/** Among more links than this that are not with members, at most a third share the first three bytes of an address. */
export const SAME_NETWORK_FREE = 12
const SAME_NETWORK_SHARE = 1 / 3

/** `asked`: this node dialled it by its own choice, whoever's connection it became. */
export type RoomLink = {
  readonly peer: NodeId
  readonly host: string
  readonly initiator: boolean
  readonly isOpen: boolean
  readonly isMember: boolean
  readonly asked: boolean
}

export type RoomLimits = { readonly linksMax: number; readonly linksInboundMax: number; readonly linksSought: number }

/**
 * Whether there is room for one more link, beside those there are: clients never take the places of members, and no one
 * network takes the places of all others. Members are vouched for, and whom this node dials it has chosen.
 */
export function hasRoom(links: readonly RoomLink[], more: RoomLink, limits: RoomLimits): boolean {
  if (links.length >= limits.linksMax) return false
  if (more.asked) return true
  const alike = links.filter(({ initiator, asked }) => initiator === more.initiator && !asked)
  if (!more.initiator && alike.length >= limits.linksInboundMax) return false
  if (more.isMember) return true
  const others = alike.filter(({ isMember }) => !isMember)
  const max = more.initiator
    ? Math.max(1, limits.linksSought - SOUGHT_FOR_MEMBERS)
    : Math.max(Math.ceil(limits.linksInboundMax / 2), limits.linksInboundMax - INBOUND_FOR_MEMBERS)
  // A member that was never here before is not known as one until it has shown so.
  if (!more.isOpen)
    return others.filter(({ isOpen }) => isOpen).length < max || others.filter(({ isOpen }) => !isOpen).length < OPENING_MAX
  return others.filter(({ isOpen }) => isOpen).length < max && !isCrowded(links, more)
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
