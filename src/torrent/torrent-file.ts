import { joinBytes, type TorrentSources } from '../events/index.ts'
import { dictionarySpans, type Encodable, encode } from './bencode.ts'

const KEY_OF_INFO = 'info'
/** Hashes of version 2 (BEP 52), without which others do not take a hybrid. */
const KEY_OF_LAYERS = 'piece layers'
const [DICTIONARY, END] = [0x64, 0x65]

/**
 * A torrent file (BEP 3) with these trackers (BEP 12) and web seeds (BEP 19) and no others. Its info dictionary stays as it stands, byte
 * for byte, and so do its info hash and its piece layers.
 * @throws BencodeError for what is no torrent file
 */
export function withSources(
  torrentFile: Uint8Array,
  { trackers, webSeeds }: Pick<TorrentSources, 'trackers' | 'webSeeds'>,
): Uint8Array {
  const spans = dictionarySpans(torrentFile)
  const info = spans.get(KEY_OF_INFO) ?? new Uint8Array()
  const layers = spans.get(KEY_OF_LAYERS)
  const [first] = trackers
  const before: [string, Encodable][] =
    first === undefined
      ? []
      : [
          ['announce', first],
          ['announce-list', trackers.map((url) => [url])],
        ]
  const after: [string, Encodable][] = webSeeds.length === 0 ? [] : [['url-list', [...webSeeds]]]
  return joinBytes([
    Uint8Array.of(DICTIONARY),
    // Keys stand in the order of their bytes.
    ...before.flatMap(([key, value]) => [encode(key), encode(value)]),
    encode(KEY_OF_INFO),
    info,
    ...(layers === undefined ? [] : [encode(KEY_OF_LAYERS), layers]),
    ...after.flatMap(([key, value]) => [encode(key), encode(value)]),
    Uint8Array.of(END),
  ])
}
