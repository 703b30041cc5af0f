import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { isIpv4 } from '../events/index.ts'
import { NetworkError } from './network-error.ts'

/** The IPv4 address of a host name or literal. HyperDHT and the Mainline DHT of BEP 5 speak IPv4 only. @throws NetworkError BAD_ADDRESS */
export async function ipv4Of(host: string): Promise<string> {
  if (isIPv4(host)) return host
  // The lookup would give an IPv6 literal back as it is, whatever family was asked for.
  if (isIPv6(host))
    throw new NetworkError('BAD_ADDRESS', `"${host}" is an IPv6 address: nodes reach one another over IPv4 only`)
  try {
    return (await lookup(host, { family: 4 })).address
  } catch (cause) {
    throw new NetworkError('BAD_ADDRESS', `"${host}" has no IPv4 address`, { cause })
  }
}

/** The same, of a host that is to be dialled. @throws NetworkError BAD_ADDRESS also for one that is not of one machine */
export async function dialableIpv4Of(host: string): Promise<string> {
  const address = await ipv4Of(host)
  if (!isIpv4(address))
    throw new NetworkError('BAD_ADDRESS', `${address} is not the address of one machine: nobody can dial it`)
  return address
}

/** The address others most likely reach this machine at when it listens on all of them. */
export function primaryIpv4(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) if (family === 'IPv4' && !internal) return address
  }
  return '127.0.0.1'
}

/**
 * A UDP port that can be bound: `port` itself, or for 0 one that the system chose.
 * HyperDHT itself would silently take the next port, or bind beside a socket that shares its address.
 * @param option the command line option that chooses it, for the message
 * @throws NetworkError PORT_IN_USE, BAD_ADDRESS (`host` is not an address of this machine)
 */
export async function freeUdpPort(host: string, port: number, option = '--port'): Promise<number> {
  const socket = createSocket({ type: 'udp4', reuseAddr: false })
  try {
    return await new Promise<number>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ address: host, port, exclusive: true }, () => resolve(socket.address().port))
    })
  } catch (cause) {
    throw portError(host, port, cause, option)
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()))
  }
}

/** What a failed bind means for the operator. */
export function portError(host: string, port: number, cause: unknown, option = '--port'): NetworkError {
  const code = (cause as { code?: string }).code
  if (code === 'EADDRINUSE') {
    return new NetworkError('PORT_IN_USE', `UDP port ${port} on ${host} is in use: choose another with ${option}`, { cause })
  }
  if (code === 'EACCES') {
    return new NetworkError('BAD_ADDRESS', `no permission to listen on UDP port ${port}: choose one above 1023`, { cause })
  }
  return new NetworkError('BAD_ADDRESS', `cannot listen on ${host}:${port}: ${(cause as Error).message}`, { cause })
}
