import type { InfoHash } from '../events/index.ts'
import { isInfoHash } from '../events/index.ts'
import { TorrentError } from './engine.ts'
import { trackerUrls, webSeedUrls } from './metainfo/sources.ts'

export type Magnet = {
  infoHash: InfoHash
  /** `dn`, for show only until the metainfo is known. */
  name: string | undefined
  /** `x.pe`: peers to dial at once. */
  peers: readonly { host: string; port: number }[]
  /** `tr`, each once: http, https, udp, ws and wss. */
  trackers: readonly string[]
  /** `ws` (BEP 19): http and https. */
  webSeeds: readonly string[]
  /** `so` (BEP 53): ranges of places in its list of files, ascending and apart; undefined: all of them. */
  selected: readonly { first: number; last: number }[] | undefined
}

/** A title and 128 trackers fit many times over. */
const MAGNET_LENGTH_MAX = 64 * 1024
const PEERS_MAX = 16
const NAME_LENGTH_MAX = 255
const RANGES_MAX = 1_024
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

const bad = (why: string): never => {
  throw new TorrentError('BAD_MAGNET', `not a usable magnet link: ${why}`)
}

/**
 * Reads a magnet link (BEP 9, 53), or a bare info hash of 40 hex digits or 32 base32 letters. Keys may be in any case and
 * have a number behind a dot; white space around it does not count. Of the topics of a hybrid the first counts (BEP 52).
 * @throws TorrentError `BAD_MAGNET`
 */
export function parseMagnet(uri: string): Magnet {
  if (uri.length > MAGNET_LENGTH_MAX) bad(`it has ${uri.length} letters, at most ${MAGNET_LENGTH_MAX} are read`)
  const text = uri.trim()
  const bare = infoHashOf(text)
  if (bare !== undefined) return magnetOf(bare, new Map())
  if (!/^magnet:\/{0,2}\?/i.test(text)) {
    bad('it does not start with magnet:? and is no info hash of 40 hex digits or 32 base32 letters')
  }
  const values = valuesOf(text.slice(text.indexOf('?') + 1))
  const topics = values.get('xt') ?? []
  const topic = topics.find((each) => BTIH.test(each))
  if (topic === undefined) {
    if (topics.some((each) => /^urn:btmh:/i.test(each))) {
      bad('it names a v2-only torrent (btmh), and those are not supported yet: ask for a link with xt=urn:btih:')
    }
    return bad('it has no xt=urn:btih: with an info hash')
  }
  const hash = topic.replace(BTIH, '').trim()
  const infoHash = infoHashOf(hash)
  if (infoHash === undefined) {
    return bad(`its info hash must be 40 hex digits or 32 base32 letters, not ${JSON.stringify(hash.slice(0, 80))}`)
  }
  return magnetOf(infoHash, values)
}

const BTIH = /^\s*urn:btih:/i

function magnetOf(infoHash: InfoHash, values: ReadonlyMap<string, readonly string[]>): Magnet {
  const all = (key: string): readonly string[] => values.get(key) ?? []
  return {
    infoHash,
    name: all('dn')[0]?.slice(0, NAME_LENGTH_MAX) || undefined,
    peers: all('x.pe').flatMap(endpointOf).slice(0, PEERS_MAX),
    trackers: trackerUrls(all('tr')),
    webSeeds: webSeedUrls(all('ws')),
    selected: selectedOf(all('so')),
  }
}

/** Values by key; `xt.1` and `XT` are `xt`. */
function valuesOf(query: string): Map<string, string[]> {
  const values = new Map<string, string[]>()
  // Links that were copied out of a page have its entities.
  for (const [written, value] of new URLSearchParams(query.replaceAll('&amp;', '&'))) {
    const key = written
      .trim()
      .toLowerCase()
      .replace(/\.\d+$/, '')
    const others = values.get(key)
    if (others === undefined) values.set(key, [value])
    else others.push(value)
  }
  return values
}

function infoHashOf(text: string): InfoHash | undefined {
  const lower = text.toLowerCase()
  if (isInfoHash(lower)) return lower
  return /^[a-z2-7]{32}$/.test(lower) ? fromBase32(lower) : undefined
}

function fromBase32(text: string): InfoHash {
  let bits = ''
  for (const letter of text) bits += BASE32.indexOf(letter).toString(2).padStart(5, '0')
  let hex = ''
  for (let at = 0; at < bits.length; at += 4) hex += Number.parseInt(bits.slice(at, at + 4), 2).toString(16)
  return hex as InfoHash
}

/** IPv6 in brackets, as BEP 9 has it, or without. */
function endpointOf(text: string): { host: string; port: number }[] {
  const match = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text.trim())
  const host = match?.[1]
  const port = Number(match?.[2])
  return host !== undefined && port > 0 && port < 65_536 ? [{ host, port }] : []
}

/** `0,2,4-6`. Places that are not numbers are left out; of a list without any nothing is known. */
function selectedOf(lists: readonly string[]): Magnet['selected'] {
  const ranges: { first: number; last: number }[] = []
  for (const part of lists.join(',').split(',', RANGES_MAX)) {
    const match = /^\s*(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(part)
    const first = Number(match?.[1])
    const last = Number(match?.[2] ?? match?.[1])
    if (match !== null && first <= last) ranges.push({ first, last })
  }
  if (ranges.length === 0) return undefined
  const merged: { first: number; last: number }[] = []
  for (const { first, last } of ranges.sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1)
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last)
    else merged.push({ first, last })
  }
  return merged
}
