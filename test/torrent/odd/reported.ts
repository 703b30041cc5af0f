import { data, file, hashes, multi, type Odd, PIECE, single, torrent, type Value } from './odd-torrent.ts'

// Torrents that people reported to the authors of other clients as refused without need.

const latin = (text: string) => Buffer.from(text, 'latin1')

/** rndusr/torf-cli#44, rndusr/torf#60, BiglyBT#3529: libtorrent and Transmission take all four. */
const PIECE_LENGTHS = [4_192_256, 25_344, 8_192, 134_217_728]

function ofPieces(pieceLengthBytes: number): Odd {
  const bytes = data(Math.min(9_000_000, 3 * pieceLengthBytes), pieceLengthBytes)
  const more = { 'piece length': pieceLengthBytes, pieces: hashes(bytes, pieceLengthBytes) }
  return {
    name: `reported: pieces of ${pieceLengthBytes} bytes`,
    file: torrent(multi([file(bytes.length, 'a')], more)),
    expect: [['T/a', bytes.length]],
  }
}

/** transmission#129, casey/intermodal#454, bittorrent.org#55: the info hash is over the bytes as they stand (BEP 3). */
function unsorted(): Odd {
  const info = single({ length: 50_000, name: 'uns.bin', pieces: hashes(data(50_000), PIECE) })
  const keys = ['name', 'length', 'pieces', 'piece length']
  const ordered = new Map(keys.map((key): [string, Value] => [key, info.get(key) as Value]))
  return { name: 'reported: unsorted keys of info', file: torrent(ordered), expect: [['uns.bin', 50_000]] }
}

/** libtorrent#3695, #7463, qBittorrent#19280: old torrents in CP1251 and GBK, and plain doubles. */
const SAME: readonly Odd[] = [
  {
    name: 'reported: the same name twice',
    file: torrent(multi([file(20_000, 'a.mp4'), file(9_000, 'a.mp4')])),
    expect: [
      ['T/a.mp4', 20_000],
      ['T/a.1.mp4', 9_000],
    ],
  },
  {
    name: 'reported: two names that are no UTF-8',
    file: torrent(
      multi([file(20_000, latin('\xc0\xfd\xeb1.jpg')), file(9_000, latin('\xc1\xfe\xec1.jpg'))], { name: 'AELITA' }),
    ),
    expect: [
      ['AELITA/___1.jpg', 20_000],
      ['AELITA/___1.1.jpg', 9_000],
    ],
    differs: 'byte-for-byte',
  },
]

export const reported: readonly Odd[] = [...PIECE_LENGTHS.map(ofPieces), unsorted(), ...SAME]
