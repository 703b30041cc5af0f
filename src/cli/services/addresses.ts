import { lookup } from 'node:dns/promises'
import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isIpv4 } from '../../events/index.ts'
import { ServiceError } from '../../roles/index.ts'

export type Endpoint = { host: string; port: number }

/** An IPv6 address with a port, in brackets or not, or without one. */
const isIpv6Endpoint = (text: string): boolean =>
  text.startsWith('[') || isIPv6(text) || isIPv6(text.slice(0, text.lastIndexOf(':')))

const onlyIpv4 = (text: string): ServiceError =>
  new ServiceError(
    'usage',
    `${text} is IPv6, and nodes reach one another over IPv4 only: give an IPv4 address, or a name that has one`,
  )

/** @throws ServiceError `usage` unless it is HOST:PORT, without IPv6 */
export function parseEndpoint(text: string): Endpoint {
  if (isIpv6Endpoint(text.trim())) throw onlyIpv4(text)
  const match = /^([A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))[:](\d{1,5})$/.exec(text.trim())
  const port = Number(match?.[2])
  if (match?.[1] === undefined || port < 1 || port > 65_535)
    throw new ServiceError('usage', `not an address of the form HOST:PORT (port 1 to 65535): ${text}`)
  if (isIPv4(match[1]) && !isIpv4(match[1]))
    throw new ServiceError('usage', `${match[1]} is not the address of one machine: nobody can dial it`)
  return { host: match[1], port }
}

/**
 * The IPv4 address of a name: the DHTs carry literal addresses only.
 * @throws ServiceError `usage` if the name has none, or is an IPv6 address
 */
export async function ipv4(host: string): Promise<string> {
  if (isIPv4(host)) return host
  // The lookup would give an IPv6 literal back as it is, whatever family was asked for.
  if (isIPv6(host.replace(/^\[(.*)\]$/, '$1'))) throw onlyIpv4(host)
  try {
    return (await lookup(host, { family: 4 })).address
  } catch (cause) {
    throw new ServiceError('usage', `cannot find an IPv4 address for ${host}`, { cause })
  }
}

/**
 * The same, of a host that others are to dial.
 * @throws ServiceError `usage` also for an address that is not of one machine
 */
export async function dialableIpv4(host: string): Promise<string> {
  const address = await ipv4(host)
  if (!isIpv4(address)) throw new ServiceError('usage', `${address} is not the address of one machine: nobody can dial it`)
  return address
}

/** The address that others should dial, where the node listens on all: the first of this machine that is not loopback. */
export function outwardAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}

/** How long names are tried before the node starts without them, and how long between two tries, ms. */
const RESOLVE_MS_MAX = 15_000
const RESOLVE_INTERVAL_MS = 500

/**
 * Bootstrap nodes with their names turned into addresses. Containers start together, so a name may take a while to be
 * there; with no address at all the wait goes on, because a node without an entry point is alone.
 * @param tell is called once for each name that has to be waited for
 */
export async function resolveBootstrap(
  endpoints: readonly Endpoint[],
  tell: (sentence: string) => void,
  signal: AbortSignal,
): Promise<Endpoint[]> {
  const deadline = performance.now() + RESOLVE_MS_MAX
  const found = new Map<Endpoint, Endpoint>()
  for (let round = 0; !signal.aborted; round += 1) {
    for (const endpoint of endpoints) {
      if (found.has(endpoint)) continue
      const host = await ipv4(endpoint.host).catch(() => undefined)
      if (host !== undefined) found.set(endpoint, { host, port: endpoint.port })
      else if (round === 0) tell(`cannot find an address for bootstrap ${endpoint.host} yet: trying again`)
    }
    if (found.size === endpoints.length || (found.size > 0 && performance.now() > deadline)) break
    await new Promise((resolve) => setTimeout(resolve, RESOLVE_INTERVAL_MS))
  }
  return endpoints.flatMap((endpoint) => found.get(endpoint) ?? [])
}
