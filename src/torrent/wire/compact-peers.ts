import { endpointOf } from '../endpoint.ts'

// Peers as trackers and peer exchange write them (BEP 23, BEP 7): an address and a port, one after the other.

const V4_BYTES = 6
const V6_BYTES = 18

/** @returns endpoints, `host:port`; what is left over at the end, and port 0, are nobody's */
export function peersOfCompact(bytes: Uint8Array, family: 4 | 6, countMax: number): string[] {
  const size = family === 4 ? V4_BYTES : V6_BYTES
  const endpoints: string[] = []
  for (let at = 0; at + size <= bytes.length && endpoints.length < countMax; at += size) {
    const port = ((bytes[at + size - 2] ?? 0) << 8) | (bytes[at + size - 1] ?? 0)
    const address = bytes.subarray(at, at + size - 2)
    if (port > 0) endpoints.push(endpointOf(family === 4 ? address.join('.') : v6Of(address), port))
  }
  return endpoints
}

/** @param host IPv4, or IPv6 in any form; @returns undefined for a name */
export function compactOf(host: string, port: number): { family: 4 | 6; bytes: Uint8Array } | undefined {
  const address = bytesOfV4(host) ?? bytesOfV6(host)
  if (address === undefined || !(port > 0 && port < 65_536)) return undefined
  const bytes = new Uint8Array(address.length + 2)
  bytes.set(address)
  bytes.set([port >> 8, port & 0xff], address.length)
  return { family: address.length === 4 ? 4 : 6, bytes }
}

function v6Of(address: Uint8Array): string {
  const groups: string[] = []
  for (let at = 0; at < 16; at += 2) groups.push((((address[at] ?? 0) << 8) | (address[at + 1] ?? 0)).toString(16))
  return groups.join(':')
}

function bytesOfV4(host: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host)
  const numbers = match?.slice(1).map(Number)
  return numbers?.every((number) => number < 256) === true ? Uint8Array.from(numbers) : undefined
}

function bytesOfV6(host: string): Uint8Array | undefined {
  const halves = host.split('::')
  if (halves.length > 2 || !/^[0-9a-f:]+$/i.test(host)) return undefined
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return Uint8Array.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]))
}
