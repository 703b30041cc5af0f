import { lookup } from 'node:dns/promises'
import { reachOf } from '../endpoint.ts'
import { isOwnMachine } from './tracker-address.ts'

/**
 * Where a web seed's server is.
 * A torrent must not make its reader ask services of the reader's own machine or network to do something: there an address with a
 * query is none of files (as libtorrent has it).
 * @throws Error, a sentence
 */
export async function serverOf(address: string): Promise<{ host: string; port: number }> {
  const url = URL.parse(address)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw new Error('its address is none of the web')
  const name = url.hostname.replace(/^\[|\]$/g, '')
  if (isOwnMachine(url.hostname) && url.search !== '') throw new Error('it is on this machine, and its address has a query')
  const host = await addressOf(name)
  if (url.search !== '' && reachOf(host) !== 'world') throw new Error('it is on this network, and its address has a query')
  return { host, port: Number(url.port) || (url.protocol === 'https:' ? 443 : 80) }
}

async function addressOf(name: string): Promise<string> {
  try {
    return (await lookup(name)).address
  } catch {
    throw new Error(`there is no address of ${name}`)
  }
}
