import {
  ALONE,
  anyHashes,
  data,
  file,
  hashes,
  multi,
  type Odd,
  type Pairs,
  PIECE,
  Raw,
  single,
  sorted,
  torrent,
  type Value,
  write,
} from './odd-torrent.ts'

// How the dictionaries are written, and what stands in them beside the files.

const ordered = (keys: readonly string[]): Pairs => {
  const info = single()
  return new Map(keys.map((key): [string, Value] => [key, info.get(key) as Value]))
}
const SHORT = `6:lengthi1e4:name1:a12:piece lengthi${PIECE}e6:pieces20:${'x'.repeat(20)}`
const alone = write(single())
const around = (before: string, after = ''): Uint8Array =>
  Buffer.concat([Buffer.from(`d${before}4:info`), alone, Buffer.from(`${after}e`)])
const nested = (depth: number) => new Raw('l'.repeat(depth) + 'e'.repeat(depth))
const SHORT_FILE: Odd['expect'] = [['a', 1]]

const ORDERS: readonly (readonly string[])[] = [
  ['name', 'length', 'pieces', 'piece length'],
  ['pieces', 'piece length', 'name', 'length'],
  ['piece length', 'length', 'name', 'pieces'],
  ['length', 'piece length', 'name', 'pieces'],
]

const INFO_AS_TEXT: readonly [string, string, Odd['expect']][] = [
  ['a length with leading zeros', `d6:lengthi0001e4:name1:a12:piece lengthi${PIECE}e6:pieces20:${'x'.repeat(20)}e`, SHORT_FILE],
  [
    'a name whose length has a leading zero',
    `d6:lengthi1e4:name01:a12:piece lengthi${PIECE}e6:pieces20:${'x'.repeat(20)}e`,
    SHORT_FILE,
  ],
  ['a number beyond 64 bits', `d1:ai99999999999999999999e${SHORT}e`, SHORT_FILE],
  ['minus zero', `d1:ai-0e${SHORT}e`, SHORT_FILE],
  ['an empty key', `d0:i1e${SHORT}e`, SHORT_FILE],
  ['the same key twice', `d6:lengthi1e6:lengthi2e4:name1:a12:piece lengthi${PIECE}e6:pieces20:${'x'.repeat(20)}e`, 'same-key'],
  ['the same name twice', `d6:lengthi1e4:name1:a4:name1:b12:piece lengthi${PIECE}e6:pieces20:${'x'.repeat(20)}e`, 'same-key'],
  ['an unknown key twice', `d1:ai1e1:ai2e${SHORT}e`, 'same-key'],
  ['a list', 'le', 'malformed'],
  ['a number', 'i1e', 'malformed'],
  ['text', '1:x', 'malformed'],
]

const BROKEN: readonly [string, string | Uint8Array][] = [
  ['nothing', ''],
  ['text', 'hello'],
  ['a page', '<!DOCTYPE html><html></html>'],
  ['a list', 'l4:infoe'],
  ['no info', 'd8:announce1:xe'],
  ['a magnet link alone', 'd10:magnet-uri20:magnet:?xt=urn:btih:e'],
  ['a torrent that is cut', torrent(single()).subarray(0, 50)],
  ['a torrent without its last letter', torrent(single()).subarray(0, -1)],
  ['a line feed before it', Buffer.concat([Buffer.from('\n'), torrent(single())])],
  ['a byte order mark before it', Buffer.concat([Buffer.from('\ufeff'), torrent(single())])],
  ['a negative string length', 'd4:infol-3:ee'],
  ['a string of 4 GB', 'd4:info4294967296:xe'],
  ['a string length of 40 digits', `d4:info${'9'.repeat(40)}:xe`],
  ['a key that is a number', around('i5e1:x')],
  ['a key without a value', around('', '1:x')],
  ['a number without digits', around('3:xxxie')],
  ['a number with a plus', around('3:xxxi+5e')],
  ['101 lists in each other', torrent(single(), { zzz: nested(101) })],
  ['200,000 lists in each other', `d4:info${'l'.repeat(200_000)}`],
  ['two info dictionaries', `d4:infod${SHORT}e4:infod${SHORT}ee`],
]

export const oddStructures: readonly Odd[] = [
  ...ORDERS.map((keys): Odd => ({ name: `keys in the order ${keys.join(', ')}`, file: torrent(ordered(keys)), expect: ALONE })),
  {
    name: 'unsorted keys of a file',
    file: torrent(
      multi([], {
        files: [
          new Map<string, Value>([
            ['path', ['a']],
            ['length', 9],
          ]),
        ],
        pieces: anyHashes(1),
      }),
    ),
    expect: [['T/a', 9]],
  },
  {
    name: 'unsorted keys around info',
    file: write(
      new Map<string, Value>([
        ['zzz', 1],
        ['info', single()],
        ['aaa', 2],
      ]),
    ),
    expect: ALONE,
  },
  ...INFO_AS_TEXT.map(([name, text, expect]): Odd => ({ name: `info: ${name}`, file: Buffer.from(`d4:info${text}e`), expect })),
  ...BROKEN.map(
    ([name, bytes]): Odd => ({
      name: `broken: ${name}`,
      file: Buffer.from(bytes),
      expect: name === 'two info dictionaries' ? 'same-key' : 'no-torrent',
    }),
  ),
  { name: 'bytes behind it', file: Buffer.concat([torrent(single()), Buffer.from('garbage')]), expect: ALONE },
  { name: 'a line feed behind it', file: Buffer.concat([torrent(single()), Buffer.from('\r\n')]), expect: ALONE },
  { name: 'minus zero outside of info', file: around('3:aaai-0e'), expect: ALONE },
  { name: 'a number beyond 64 bits outside of info', file: around('3:aaai99999999999999999999e'), expect: ALONE },
  { name: 'the same key twice outside of info', file: around('7:comment1:a7:comment1:b'), expect: ALONE },
  { name: 'the same key twice within a list outside of info', file: around('1:ald1:xi1e1:xi2eee'), expect: ALONE },
  ...[60, 90, 98].map(
    (depth): Odd => ({
      name: `${depth} lists in each other`,
      file: torrent(single(), { zzz: nested(depth) }),
      expect: ALONE,
    }),
  ),
  { name: '90 lists in each other in info', file: torrent(single({ zzz: nested(90) })), expect: ALONE },
  { name: 'a length and files', file: torrent(multi([file(9, 'a')], { length: 5 })), expect: [['T/a', 9]] },
  { name: 'files as text', file: torrent(single({ files: 'x' })), expect: ALONE },
  { name: 'files as a dictionary', file: torrent(single({ files: sorted({ a: 1 }) })), expect: ALONE },
  { name: 'a number among the files', file: torrent(multi([], { files: [1], pieces: anyHashes(1) })), expect: 'malformed' },
  {
    name: 'a part of a path that is a number',
    file: torrent(multi([], { files: [sorted({ length: 1, path: [5] })], pieces: anyHashes(1) })),
    expect: 'malformed',
  },
  {
    name: 'a path that is text',
    file: torrent(multi([], { files: [sorted({ length: 1, path: 'a' })], pieces: anyHashes(1) })),
    expect: 'malformed',
  },
  {
    name: 'hashes of files',
    file: torrent(multi([{ ...file(9, 'a'), md5sum: 'x'.repeat(32), sha1: hashes(data(1), 1), ed2k: 'y', mtime: 5 }])),
    expect: [['T/a', 9]],
  },
  { name: 'private', file: torrent(single({ private: 1, source: 'X' })), expect: ALONE },
  { name: 'private as text', file: torrent(single({ private: '1' })), expect: ALONE },
  { name: 'private minus one', file: torrent(single({ private: -1 })), expect: ALONE },
  { name: 'ssl-cert', file: torrent(single({ 'ssl-cert': 'x' })), expect: ALONE },
  {
    name: 'similar and collections',
    file: torrent(single({ collections: ['a', 5], similar: ['x'.repeat(20), 5] })),
    expect: ALONE,
  },
  { name: 'announce with blanks', file: torrent(single(), { announce: '  http://a/announce ' }), expect: ALONE },
  { name: 'announce as a list', file: torrent(single(), { announce: ['http://a'] }), expect: ALONE },
  {
    name: 'announce-list with rubbish',
    file: torrent(single(), { 'announce-list': [['udp://b:1', 5, ''], 'x', [], 7] }),
    expect: ALONE,
  },
  { name: 'announce-list flat', file: torrent(single(), { 'announce-list': ['udp://b:1', 'udp://c:1'] }), expect: ALONE },
  { name: 'announce-list as a number', file: torrent(single(), { 'announce-list': 5 }), expect: ALONE },
  {
    name: '2,000 trackers',
    file: torrent(single(), { 'announce-list': Array.from({ length: 2_000 }, (_, at) => [`udp://t:${at}`]) }),
    expect: ALONE,
  },
  { name: 'url-list as text', file: torrent(single(), { 'url-list': 'http://w/' }), expect: ALONE },
  { name: 'url-list that is empty', file: torrent(single(), { 'url-list': '' }), expect: ALONE },
  {
    name: 'url-list with rubbish',
    file: torrent(single(), { 'url-list': ['http://w/', 5, '', 'javascript:x'] }),
    expect: ALONE,
  },
  {
    name: 'nodes with rubbish',
    file: torrent(single(), { nodes: [['h', 5], ['x'], 5, ['h', 'x'], ['h', 99_999]] }),
    expect: ALONE,
  },
  { name: 'httpseeds', file: torrent(single(), { httpseeds: ['http://h/'] }), expect: ALONE },
  { name: 'a creation date below zero', file: torrent(single(), { 'creation date': -5 }), expect: ALONE },
  { name: 'a comment that is no UTF-8', file: torrent(single(), { comment: Buffer.from([0xff, 0xfe]) }), expect: ALONE },
  { name: 'an encoding that nobody knows', file: torrent(single(), { encoding: 'KLINGON' }), expect: ALONE },
  {
    name: 'resume data of another client',
    file: torrent(single(), { libtorrent_resume: sorted({ files: [5] }), rtorrent: sorted({ state: 1 }) }),
    expect: ALONE,
  },
  { name: 'a torrent file of 6 MiB', file: torrent(single(), { comment: 'x'.repeat(6 * 1024 * 1024) }), expect: 'file-size' },
]
