import { lookup } from 'node:dns/promises'
import { isOwnMachine } from './tracker-address.ts'

/**
 * Where a web seed's server is.
 * A torrent must not make its reader ask services of the reader's own machine to do something: there an address with a query is
 * none of files (as libtorrent has it).
 * @throws Error, a sentence
 */
export async function serverOf(address: string): Promise<{ host: string; port: number }> {
  const url = URL.parse(address)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new Error('its address is none of the web')
  const name = url.hostname.replace(/^\[|\]$/g, '')
  if (isOwnMachine(url.hostname) && url.search !== '') throw new Error('it is on this machine, and its address has a query')
  try {
    const { address: host } = await lookup(name)
    return { host, port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) }
  } catch {
    throw new Error(`there is no address of ${name}`)
  }
}
