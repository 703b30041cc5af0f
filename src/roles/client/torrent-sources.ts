import { type InfoHash, SOURCE_URL_BYTES_MAX, SOURCE_URLS_MAX, type TorrentSources, utf8Length } from '../../events/index.ts'
import type { Download } from '../../projections/downloads/index.ts'
import type { Inspected, TorrentEngine } from '../../torrent/index.ts'
import { ServiceError, type SourceRow, type SourcesRequest, type SourcesRow } from '../services.ts'

// Where a torrent finds peers besides its network: what a person has said of it, and what became of that.

/**
 * The sources that follow from a request.
 * @throws ServiceError `usage` for an address that cannot be one
 */
export function changedSources(before: TorrentSources, request: SourcesRequest): TorrentSources {
  const { addTrackers = [], removeTrackers = [], addWebSeeds = [], removeWebSeeds = [] } = request
  return {
    public: request.public ?? before.public,
    trackers: changed(before.trackers, addTrackers, removeTrackers, TRACKER),
    webSeeds: changed(before.webSeeds, addWebSeeds, removeWebSeeds, WEB_SEED),
    dht: request.dht ?? before.dht,
    local: request.local ?? before.local,
  }
}

/** Those for browsers are named in torrents too, and nobody here speaks to them. */
export const canBeAsked = (url: string): boolean => TRACKER.protocols.includes(URL.parse(url)?.protocol ?? '')

const TRACKER = {
  what: 'a tracker',
  protocols: ['http:', 'https:', 'udp:'],
  example: 'udp://tracker.example.org:6969/announce',
}
const WEB_SEED = { what: 'a web seed', protocols: ['http:', 'https:'], example: 'https://mirror.example.org/files/' }

function changed(
  before: readonly string[],
  added: readonly string[],
  removed: readonly string[],
  { what, protocols, example }: typeof TRACKER,
): string[] {
  for (const url of added) {
    const parsed = URL.parse(url)
    if (parsed === null || !protocols.includes(parsed.protocol) || utf8Length(url) > SOURCE_URL_BYTES_MAX)
      throw new ServiceError('usage', `${JSON.stringify(url.slice(0, 100))} is no address of ${what}, as ${example} is`)
    if (parsed.username !== '' || parsed.password !== '')
      throw new ServiceError(
        'usage',
        `${what} at ${parsed.host} cannot be asked with a name and a password in its address: leave them out`,
      )
    if (parsed.protocol === 'udp:' && parsed.port === '')
      throw new ServiceError('usage', `${JSON.stringify(url.slice(0, 100))} has no port: ${what} is named as ${example} is`)
  }
  const gone = removed.find((url) => !before.includes(url))
  if (gone !== undefined) throw new ServiceError('usage', `${JSON.stringify(gone.slice(0, 100))} is not among them`)
  const all = [...new Set([...before.filter((url) => !removed.includes(url)), ...added])]
  if (all.length > SOURCE_URLS_MAX)
    throw new ServiceError('usage', `a torrent has at most ${SOURCE_URLS_MAX} of them, not ${all.length}`)
  return all
}

/** @throws ServiceError `usage` */
export function endpointsOf(texts: readonly string[]): { host: string; port: number }[] {
  return texts.map((text) => {
    const match = /^(?:\[([0-9a-f:]+)\]|([^:\s[\]]+)):(\d{1,5})$/i.exec(text)
    const host = match?.[1] ?? match?.[2]
    const port = Number(match?.[3])
    if (host === undefined || !(port > 0 && port < 65_536))
      throw new ServiceError('usage', `${JSON.stringify(text.slice(0, 100))} is no peer: give HOST:PORT`)
    return { host, port }
  })
}

/** @param sources as they hold now, with what the client as a whole was told */
export function sourcesRow({ infoHash }: Download, sources: TorrentSources, engine: TorrentEngine): SourcesRow {
  const status = engine.status(infoHash)
  const isPrivate = status?.isPrivate === true
  const asked = status === undefined ? [] : engine.sources(infoHash)
  const rows = asked.map(
    ({ kind, url, state, problem, seeders, leechers, peers, announcedAt, nodes }): SourceRow => ({
      ...{ kind, url, state, peers, problem: problem ?? null, seeders: seeders ?? null, leechers: leechers ?? null },
      ...{ announcedAt: announcedAt ?? null, nodes: nodes ?? null },
    }),
  )
  const known = new Set(rows.map(({ url }) => url))
  const notAsked = (kind: SourceRow['kind'], urls: readonly string[]): SourceRow[] =>
    urls
      .filter((url) => !known.has(url))
      .map((url) => ({
        ...{ kind, url, state: 'not-asked', problem: null, seeders: null, leechers: null, peers: 0 },
        ...{ announcedAt: null, nodes: null },
      }))
  return {
    infoHash,
    public: sources.public,
    dht: sources.dht,
    local: sources.local,
    private: isPrivate,
    why: whyNot(infoHash, isPrivate, sources.public, asked.length > 0 || !hasSources(sources)),
    sources: [...rows, ...notAsked('tracker', sources.trackers), ...notAsked('web-seed', sources.webSeeds)],
  }
}

const hasSources = ({ trackers, webSeeds, dht, local }: TorrentSources): boolean =>
  dht || local || trackers.length + webSeeds.length > 0

function whyNot(infoHash: InfoHash, isPrivate: boolean, isPublic: boolean, isAsked: boolean): string | null {
  if (isPrivate) return 'the torrent is private: its peers are those of this network alone'
  if (!isPublic)
    return `only peers of this network are asked: \`p2pt client sources ${infoHash} --public\` lets others take part, who then see this address`
  return isAsked ? null : 'it is not open: paused, waiting, or not looked at yet'
}

/** Those of a torrent file or link that an event of the log holds. */
export const namedSources = ({ trackers, webSeeds }: Pick<Inspected, 'trackers' | 'webSeeds'>) => ({
  trackers: kept(trackers),
  webSeeds: kept(webSeeds),
})

const kept = (urls: readonly string[]): string[] =>
  [...new Set(urls)].filter((url) => utf8Length(url) <= SOURCE_URL_BYTES_MAX).slice(0, SOURCE_URLS_MAX)
