import { endpointOf } from '../endpoint.ts'
import { bytesOfIp, ipOfBytes } from '../ip-bytes.ts'

// Peers as trackers and peer exchange write them (BEP 23, BEP 7): an address and a port, one after the other.

const V4_BYTES = 6
const V6_BYTES = 18

/** @returns endpoints, `host:port`; what is left over at the end, and port 0, are nobody's */
export function peersOfCompact(bytes: Uint8Array, family: 4 | 6, countMax: number): string[] {
  const size = family === 4 ? V4_BYTES : V6_BYTES
  const endpoints: string[] = []
  for (let at = 0; at + size <= bytes.length && endpoints.length < countMax; at += size) {
    const port = ((bytes[at + size - 2] ?? 0) << 8) | (bytes[at + size - 1] ?? 0)
    if (port > 0) endpoints.push(endpointOf(ipOfBytes(bytes.subarray(at, at + size - 2)), port))
  }
  return endpoints
}

/**
 * @param host IPv4, or IPv6 in any form; IPv4 that is mapped into IPv6 goes with the IPv4 ones
 * @returns undefined for a name, and for an address with a zone, which means something on one machine alone
 */
export function compactOf(host: string, port: number): { family: 4 | 6; bytes: Uint8Array } | undefined {
  const address = bytesOfIp(host)
  if (address === undefined || !(port > 0 && port < 65_536)) return undefined
  const bytes = new Uint8Array(address.length + 2)
  bytes.set(address)
  bytes.set([port >> 8, port & 0xff], address.length)
  return { family: address.length === 4 ? 4 : 6, bytes }
}
