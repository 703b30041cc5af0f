/** A node's ed25519 public key as 64 lower-case hex digits: it is the node's identity on every link. */
export type NodeId = string & { readonly __brand: 'NodeId' }

/** Which network a node belongs to: the SHA-256 of its genesis record (keys/genesis.ts) as 64 lower-case hex digits. */
export type NetworkId = string & { readonly __brand: 'NetworkId' }

/** A BitTorrent v1 info hash as 40 lower-case hex digits (BEP 3). */
export type InfoHash = string & { readonly __brand: 'InfoHash' }

/** A peer that proved no key, named by its address: `ip:` and the address without its port, which is ephemeral. */
export type AddressId = `ip:${string}` & { readonly __brand: 'AddressId' }

/** Whoever a verdict can be about: a node key, or an address where no key was proved. */
export type PeerId = NodeId | AddressId

/** A Lamport stamp: a whole number from 1 to 2^53 - 1 (Lamport 1978). */
export type Lamport = number & { readonly __brand: 'Lamport' }

/** Milliseconds since 1970 as some clock claimed them. */
export type Millis = number & { readonly __brand: 'Millis' }

const HEX_64 = /^[0-9a-f]{64}$/
const HEX_40 = /^[0-9a-f]{40}$/

export const isNodeId = (text: string): text is NodeId => HEX_64.test(text)
export const isInfoHash = (text: string): text is InfoHash => HEX_40.test(text)
export const isAddressId = (text: string): text is AddressId => text.startsWith('ip:') && text.length > 3

/**
 * The peer id of an address as a socket names it; IPv4 mapped into IPv6 (`::ffff:`) is the same peer as the plain IPv4, and
 * the zone of a link-local address means something on this machine alone.
 */
export function addressId(host: string): AddressId {
  return `ip:${host
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.)/, '')
    .replace(/%.*$/, '')}` as AddressId
}
