import type { InfoHash } from '../events/index.ts'

/** A magnet link (BEP 9) with no tracker: peers are found in the network's own DHT. */
export function magnetOf(infoHash: InfoHash | string, title: string): string {
  return `magnet:?xt=urn:btih:${infoHash}&dn=${encodeURIComponent(title)}`
}

/** The display name (`dn`) of a magnet link, or undefined. */
export function titleOfMagnet(uri: string): string | undefined {
  const query = uri.indexOf('?')
  return new URLSearchParams(query < 0 ? '' : uri.slice(query + 1)).get('dn') ?? undefined
}
