import type { TorrentSources } from '../../events/index.ts'
import { SOURCE_URL_BYTES_MAX, SOURCE_URLS_MAX } from '../../events/index.ts'
import { type Bencoded, decodePrefix } from '../bencode.ts'
import type { TorrentSource } from '../engine.ts'

// The trackers and web seeds that a torrent file (BEP 3, 12, 19) or a magnet link (BEP 9) names. Whether they are asked is a
// person's choice.

/** Nothing where it cannot be read: who adds it says why. */
export function sourcesIn(source: TorrentSource): Pick<TorrentSources, 'trackers' | 'webSeeds'> {
  if (source.kind === 'magnet') {
    const parameters = new URLSearchParams(source.uri.slice(source.uri.indexOf('?') + 1))
    return { trackers: usable(parameters.getAll('tr')), webSeeds: usable(parameters.getAll('ws')) }
  }
  let file: Bencoded
  try {
    file = decodePrefix(source.bytes).value
  } catch {
    return { trackers: [], webSeeds: [] }
  }
  if (!(file instanceof Map)) return { trackers: [], webSeeds: [] }
  return {
    trackers: usable([...textsOf(file.get('announce-list')), ...textsOf(file.get('announce'))]),
    webSeeds: usable(textsOf(file.get('url-list'))),
  }
}

/** A text, a list of texts, or a list of lists of texts. */
function textsOf(value: Bencoded | undefined): string[] {
  if (value instanceof Uint8Array) return [new TextDecoder().decode(value)]
  return Array.isArray(value) ? value.slice(0, SOURCE_URLS_MAX).flatMap(textsOf) : []
}

function usable(urls: readonly string[]): string[] {
  const trimmed = urls.map((url) => url.trim())
  const kept = trimmed.filter((url) => url.length <= SOURCE_URL_BYTES_MAX / 4 && URL.canParse(url))
  return [...new Set(kept)].slice(0, SOURCE_URLS_MAX)
}
