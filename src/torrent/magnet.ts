import type { InfoHash } from '../events/index.ts'
import { isInfoHash } from '../events/index.ts'
import { TorrentError } from './engine.ts'

export type Magnet = {
  infoHash: InfoHash
  /** `dn`, for show only until the metainfo is known. */
  name: string | undefined
  /** `x.pe`: peers to dial at once. */
  peers: readonly { host: string; port: number }[]
}

const PEERS_MAX = 16
const NAME_LENGTH_MAX = 255
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567'

const bad = (why: string): never => {
  throw new TorrentError('BAD_MAGNET', `not a usable magnet link: ${why}`)
}

/**
 * Reads a magnet link (BEP 9). Its trackers and web seeds are read by sources/named-sources.ts.
 * @throws TorrentError `BAD_MAGNET`
 */
export function parseMagnet(uri: string): Magnet {
  if (!/^magnet:\?/i.test(uri)) bad('it does not start with magnet:?')
  const parameters = new URLSearchParams(uri.slice(uri.indexOf('?') + 1))
  const topics = parameters.getAll('xt')
  const topic = topics.find((each) => /^urn:btih:/i.test(each))
  if (topic === undefined) {
    if (topics.some((each) => /^urn:btmh:/i.test(each))) bad('it names a version 2 torrent only (btmh); p2pt needs a btih')
    return bad('it has no xt=urn:btih: with an info hash')
  }
  return {
    infoHash: infoHashOf(topic.slice('urn:btih:'.length)),
    name: parameters.get('dn')?.slice(0, NAME_LENGTH_MAX) || undefined,
    peers: parameters.getAll('x.pe').flatMap(endpointOf).slice(0, PEERS_MAX),
  }
}

function infoHashOf(text: string): InfoHash {
  const lower = text.toLowerCase()
  if (isInfoHash(lower)) return lower
  if (/^[a-z2-7]{32}$/.test(lower)) return fromBase32(lower)
  return bad(`its info hash must be 40 hex digits or 32 base32 letters, not ${JSON.stringify(text.slice(0, 80))}`)
}

function fromBase32(text: string): InfoHash {
  let bits = ''
  for (const letter of text) bits += BASE32.indexOf(letter).toString(2).padStart(5, '0')
  let hex = ''
  for (let at = 0; at < bits.length; at += 4) hex += Number.parseInt(bits.slice(at, at + 4), 2).toString(16)
  return hex as InfoHash
}

function endpointOf(text: string): { host: string; port: number }[] {
  const match = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text)
  const host = match?.[1]
  const port = Number(match?.[2])
  return host !== undefined && port > 0 && port < 65_536 ? [{ host, port }] : []
}
