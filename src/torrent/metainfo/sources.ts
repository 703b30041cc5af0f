import type { Bencoded } from '../bencode.ts'
import { BencodeError, decode } from '../bencode.ts'

// What a torrent file says outside of its info dictionary about where to find it. Nobody signed it: a list that is malformed
// counts as none, and never keeps a torrent out.

export type NamedSources = {
  /** `announce-list` in its tiers, else `announce` (BEP 3, 12): http, https, udp, ws and wss. */
  trackers: readonly (readonly string[])[]
  /** `url-list` (BEP 19): http and https. */
  webSeeds: readonly string[]
  /** `nodes` (BEP 5): of a Mainline DHT. */
  nodes: readonly { host: string; port: number }[]
}

/** Of each kind; a torrent with more is after others than its readers. */
const SOURCES_MAX = 128
const URL_LENGTH_MAX = 2_048
const HOST_LENGTH_MAX = 255

export const NO_SOURCES: NamedSources = { trackers: [], webSeeds: [], nodes: [] }

/** @param spans values of a torrent file as they stand, by their keys */
export function sourcesOf(spans: ReadonlyMap<string, Uint8Array>): NamedSources {
  const tiers = tiersOf(decoded(spans.get('announce-list')))
  const first = urlsOf([decoded(spans.get('announce'))], TRACKER)
  const urls = decoded(spans.get('url-list'))
  return {
    trackers: tiers.length > 0 || first.length === 0 ? tiers : [first],
    webSeeds: urlsOf(isList(urls) ? urls : [urls], WEB).slice(0, SOURCES_MAX),
    nodes: nodesOf(decoded(spans.get('nodes'))),
  }
}

const TRACKER = /^(https?|udp|wss?):\/\/[^\s]+$/i
const WEB = /^https?:\/\/[^\s]+$/i

/** URLs among these values, each once. */
export function urlsOf(values: readonly (Bencoded | undefined | string)[], kind: RegExp): string[] {
  const urls = values.map((value) => (value instanceof Uint8Array ? new TextDecoder().decode(value) : value))
  const usable = urls.flatMap((url) => (typeof url === 'string' && url.length <= URL_LENGTH_MAX ? [url.trim()] : []))
  return [...new Set(usable.filter((url) => kind.test(url)))]
}

/** Of a magnet link. */
export const trackerUrls = (urls: readonly string[]): string[] => urlsOf(urls, TRACKER).slice(0, SOURCES_MAX)
export const webSeedUrls = (urls: readonly string[]): string[] => urlsOf(urls, WEB).slice(0, SOURCES_MAX)

function tiersOf(list: Bencoded | undefined): string[][] {
  if (!isList(list)) return []
  const tiers: string[][] = []
  let left = SOURCES_MAX
  for (const tier of list) {
    const urls = isList(tier) ? urlsOf(tier, TRACKER).slice(0, left) : []
    if (urls.length > 0) tiers.push(urls)
    left -= urls.length
  }
  return tiers
}

function nodesOf(list: Bencoded | undefined): { host: string; port: number }[] {
  if (!isList(list)) return []
  const nodes: { host: string; port: number }[] = []
  for (const entry of list) {
    if (nodes.length >= SOURCES_MAX) break
    const [host, port] = isList(entry) ? entry : []
    if (!(host instanceof Uint8Array) || host.length === 0 || host.length > HOST_LENGTH_MAX) continue
    if (typeof port !== 'number' || port < 1 || port > 65_535) continue
    nodes.push({ host: new TextDecoder().decode(host), port })
  }
  return nodes
}

function decoded(bytes: Uint8Array | undefined): Bencoded | undefined {
  try {
    return bytes && decode(bytes, { lenient: true, firstOfSame: true })
  } catch (error) {
    if (error instanceof BencodeError) return undefined
    throw error
  }
}

const isList = (value: Bencoded | undefined): value is readonly Bencoded[] => Array.isArray(value)
