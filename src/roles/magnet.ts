import type { InfoHash } from '../events/index.ts'

/** A magnet link (BEP 9) with no tracker: peers are found in the network's own DHT. Any title will do, half a character too. */
export function magnetOf(infoHash: InfoHash | string, title: string): string {
  return `magnet:?xt=urn:btih:${infoHash}&dn=${encodeURIComponent(title.toWellFormed())}`
}

/** The display name (`dn`) of a magnet link, or undefined. */
export function titleOfMagnet(uri: string): string | undefined {
  const query = uri.indexOf('?')
  return new URLSearchParams(query < 0 ? '' : uri.slice(query + 1)).get('dn') ?? undefined
}
