import { bytesOfIp, ipOfBytes } from './ip-bytes.ts'

// Endpoints as text, in one spelling: bans, known endpoints and limits are looked up by it.

/**
 * An address in its one spelling: IPv4 that is mapped into IPv6 (`::ffff:`) is plain, IPv6 is as RFC 5952 writes it. A zone
 * stays, since nothing reaches a link-local address without it; a name stays as it is.
 */
export function canonicalHost(host: string): string {
  if (!host.includes(':')) return host
  const [address = '', ...zone] = host.split('%')
  const bytes = bytesOfIp(address)
  return bytes === undefined ? host : [ipOfBytes(bytes), ...zone].join('%')
}

/** `host:port`, IPv6 in brackets. */
export function endpointOf(host: string, port: number): string {
  const canonical = canonicalHost(host)
  return `${canonical.includes(':') ? `[${canonical}]` : canonical}:${port}`
}

/** @param endpoint `host:port`, IPv6 in brackets; @returns without brackets */
export const hostOf = (endpoint: string): string => endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/^\[|\]$/g, '')

export const portOf = (endpoint: string): number => Number(endpoint.slice(endpoint.lastIndexOf(':') + 1))

/** Bytes of an IPv6 address that name a network; whoever has one of its addresses has all of them. */
const NETWORK_BYTES = 8

/** What counts as one host: an IPv4 address, or a /64 of IPv6, written as its first address. */
export function networkOf(host: string): string {
  if (!host.includes(':')) return host
  const bytes = bytesOfIp(host.split('%')[0] ?? '')
  if (bytes === undefined) return host
  return bytes.length === 4 ? ipOfBytes(bytes) : `${ipOfBytes(Uint8Array.from(bytes).fill(0, NETWORK_BYTES))}/64`
}

/** How far an address reaches: none of one machine, this machine, a local network, the world. A name may be anywhere. */
export type Reach = 'none' | 'machine' | 'site' | 'world'

/** Source: RFC 6890 for IPv4, RFC 4291 and RFC 4193 for IPv6. */
export function reachOf(host: string): Reach {
  const bytes = bytesOfIp(host.split('%')[0] ?? '')
  if (bytes === undefined) return 'world'
  return bytes.length === 4 ? reachOfV4(bytes) : reachOfV6(bytes)
}

function reachOfV4([a = 0, b = 0]: Uint8Array): Reach {
  if (a === 0 || a > 223) return 'none'
  if (a === 127) return 'machine'
  const isSite =
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    (a === 100 && b >= 64 && b < 128)
  return isSite ? 'site' : 'world'
}

function reachOfV6(bytes: Uint8Array): Reach {
  const [a = 0, b = 0] = bytes
  if (a === 0xff) return 'none'
  if (bytes.subarray(0, 15).every((byte) => byte === 0)) return bytes[15] === 1 ? 'machine' : 'none'
  return (a & 0xfe) === 0xfc || (a === 0xfe && b >= 0x80) ? 'site' : 'world'
}

/**
 * True for an endpoint that may be dialled on the word of somebody who is this far away: what is on this machine is named by this
 * machine alone, or a stranger would have us talk to our own services.
 */
export function isBelieved(endpoint: string, from: Reach): boolean {
  const port = portOf(endpoint)
  const reach = reachOf(hostOf(endpoint))
  return port > 0 && port < 65_536 && reach !== 'none' && (reach !== 'machine' || from === 'machine')
}
