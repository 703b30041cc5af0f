import { anyHashes, data, file, hashes, multi, type Odd, PIECE, single, sorted, torrent } from './odd-torrent.ts'

const MIB_128 = 128 * 1024 * 1024

/** Lengths that others make or that lie at a bound. */
const LENGTHS = [1, 2, 3, 20, 1_000, 8_192, 16_383, 16_385, 20_000, 24_576, 25_344, 49_152, 4_192_256, 4_194_305]
const LARGE = [64 * 1024 * 1024 + 1, 100_000_000, MIB_128 - 1, MIB_128]
const TOO_LARGE = [MIB_128 + 1, 256 * 1024 * 1024, 512 * 1024 * 1024, 2 ** 30 - 1, 2 ** 30, 2 ** 31, 2 ** 40]

const ofLength = (pieceLengthBytes: number, lengthBytes: number) =>
  torrent(
    single({ length: lengthBytes, 'piece length': pieceLengthBytes, pieces: hashes(data(lengthBytes), pieceLengthBytes) }),
  )

export const oddPieces: readonly Odd[] = [
  ...LENGTHS.map((length): Odd => {
    const bytes = Math.min(3 * length + 1, 100_000)
    return { name: `piece length ${length}`, file: ofLength(length, bytes), expect: [['a.bin', bytes]] }
  }),
  ...LARGE.map(
    (length): Odd => ({ name: `piece length ${length}`, file: ofLength(length, 1_000), expect: [['a.bin', 1_000]] }),
  ),
  ...TOO_LARGE.map(
    (length): Odd => ({ name: `piece length ${length}`, file: ofLength(length, 1_000), expect: 'piece-length' }),
  ),
  ...[0, -1, -PIECE].map(
    (length): Odd => ({
      name: `piece length ${length}`,
      file: torrent(single({ 'piece length': length })),
      expect: 'piece-length',
    }),
  ),
  { name: 'piece length as text', file: torrent(single({ 'piece length': '16384' })), expect: 'piece-length' },
  { name: 'no piece length', file: torrent(sorted({ length: 1, name: 'a', pieces: anyHashes(1) })), expect: 'piece-length' },
  { name: 'pieces that end with the file', file: ofLength(PIECE, 2 * PIECE), expect: [['a.bin', 2 * PIECE]] },
  { name: 'a last piece of one byte', file: ofLength(PIECE, 2 * PIECE + 1), expect: [['a.bin', 2 * PIECE + 1]] },
  { name: 'one byte', file: ofLength(PIECE, 1), expect: [['a.bin', 1]] },
  { name: 'a hash too few', file: torrent(single({ pieces: anyHashes(2) })), expect: 'piece-hashes' },
  { name: 'a hash too many', file: torrent(single({ pieces: anyHashes(4) })), expect: 'piece-hashes' },
  { name: 'a hash that is cut', file: torrent(single({ pieces: new Uint8Array(59) })), expect: 'piece-hashes' },
  { name: 'no hashes', file: torrent(single({ pieces: undefined })), expect: 'piece-hashes' },
  { name: 'hashes as a list', file: torrent(single({ pieces: [] })), expect: 'piece-hashes' },
  {
    name: '262,145 pieces',
    file: torrent(single({ length: 262_145, 'piece length': 1, pieces: anyHashes(262_145) })),
    expect: 'piece-count',
  },
  { name: 'no bytes', file: torrent(single({ length: 0, pieces: '' })), expect: 'sizes' },
  { name: 'files without bytes', file: torrent(multi([file(0, 'a'), file(0, 'b')], { pieces: '' })), expect: 'sizes' },
  { name: 'an empty list of files', file: torrent(multi([], { pieces: '' })), expect: 'sizes' },
  {
    name: 'empty files among others',
    file: torrent(multi([file(0, 'a'), file(9, 'b'), file(0, 'c')])),
    expect: [
      ['T/a', 0],
      ['T/b', 9],
      ['T/c', 0],
    ],
  },
  { name: 'a negative length', file: torrent(single({ length: -1 })), expect: 'sizes' },
  { name: 'a negative length among others', file: torrent(multi([file(100, 'a'), file(-50, 'b')])), expect: 'sizes' },
  { name: 'a length as text', file: torrent(single({ length: '40000' })), expect: 'malformed' },
  { name: 'no length', file: torrent(single({ length: undefined, pieces: anyHashes(3) })), expect: 'malformed' },
  {
    name: 'a tebibyte',
    file: torrent(single({ length: 2 ** 40, 'piece length': 2 ** 27, pieces: anyHashes(8_192) })),
    expect: [['a.bin', 2 ** 40]],
  },
  { name: 'a length of 2^53', file: torrent(single({ length: 2n ** 53n, pieces: anyHashes(1) })), expect: 'sizes' },
  { name: 'a length of 2^63 - 1', file: torrent(single({ length: 2n ** 63n - 1n, pieces: anyHashes(1) })), expect: 'sizes' },
  { name: 'a length of 2^64', file: torrent(single({ length: 2n ** 64n, pieces: anyHashes(1) })), expect: 'sizes' },
  {
    name: 'lengths that overflow together',
    file: torrent(
      multi([file(0, 'a')], { files: [2 ** 52, 2 ** 52].map((length, at) => sorted({ length, path: [`${at}`] })) }),
    ),
    expect: 'sizes',
  },
  {
    name: '65,537 files',
    file: torrent(multi(Array.from({ length: 65_537 }, (_, at) => file(1, at.toString(36))))),
    expect: 'file-count',
  },
]
