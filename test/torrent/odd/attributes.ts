import {
  ALONE,
  anyHashes,
  file,
  multi,
  type Odd,
  type Pairs,
  PIECE,
  single,
  sorted,
  torrent,
  type Value,
} from './odd-torrent.ts'

// Alignment, links and permissions (BEP 47), and hybrids (BEP 52).

const pad = (lengthBytes: number) => ({ attr: 'p', length: lengthBytes, path: ['.pad', `${lengthBytes}`] })
const link = (target: readonly string[], more: { [key: string]: Value } = {}) => ({
  ...{ attr: 'l', length: 0, path: ['link'], 'symlink path': target, ...more },
})
const A_AND_B: Odd['expect'] = [
  ['T/a', 1],
  ['T/b', 1],
]
const A: Odd['expect'] = [['T/a', 1]]

const root = (name: string) => Buffer.alloc(32, name)
const leaf = (lengthBytes: number): Pairs => sorted({ '': sorted({ length: lengthBytes, 'pieces root': root('r') }) })
const tree = (entries: { readonly [key: string]: Value }): Pairs => sorted(entries)

/** A hybrid of the files `a` and `b` with one byte each; what is given takes the place of what is right. */
const hybrid = (more: { readonly [key: string]: Value | undefined } = {}) =>
  torrent(
    multi([file(1, 'a'), pad(PIECE - 1), file(1, 'b')], {
      'file tree': tree({ a: leaf(1), b: leaf(1) }),
      'meta version': 2,
      ...more,
    }),
    { 'piece layers': sorted({}) },
  )
const V2 = { length: undefined, pieces: undefined, 'meta version': 2, 'file tree': tree({ 'a.bin': leaf(9) }) }

export const oddAttributes: readonly Odd[] = [
  { name: 'padding', file: torrent(multi([file(1, 'a'), pad(PIECE - 1), file(1, 'b')])), expect: A_AND_B },
  { name: 'padding of the same name', file: torrent(multi([file(1, 'a'), pad(9), file(1, 'b'), pad(9)])), expect: A_AND_B },
  {
    name: 'padding without a path',
    file: torrent(multi([file(1, 'a'), { attr: 'p', length: 9 }, file(1, 'b')])),
    expect: A_AND_B,
  },
  {
    name: 'padding with a path upwards',
    file: torrent(multi([file(1, 'a'), { attr: 'p', length: 9, path: ['..', 'x'] }])),
    expect: A,
  },
  { name: 'padding named like a file', file: torrent(multi([file(1, 'a'), { attr: 'p', length: 9, path: ['a'] }])), expect: A },
  {
    name: 'padding of BitComet',
    file: torrent(multi([file(1, 'a'), file(9, '_____padding_file_0_x'), file(1, 'b')])),
    expect: A_AND_B,
  },
  { name: 'padding first', file: torrent(multi([pad(9), file(1, 'a')])), expect: A },
  { name: 'padding longer than a piece', file: torrent(multi([file(1, 'a'), pad(3 * PIECE)])), expect: A },
  { name: 'padding of no bytes', file: torrent(multi([file(1, 'a'), pad(0)])), expect: A },
  { name: 'padding of a negative length', file: torrent(multi([file(1, 'a'), { attr: 'p', length: -9 }])), expect: 'sizes' },
  { name: 'nothing but padding', file: torrent(multi([pad(9)])), expect: [] },
  { name: 'padding that is executable', file: torrent(multi([file(1, 'a'), { ...pad(9), attr: 'xp' }])), expect: A },
  { name: 'a link', file: torrent(multi([file(1, 'a'), link(['a'])])), expect: A },
  { name: 'a link out of its folder', file: torrent(multi([file(1, 'a'), link(['..', '..', 'etc', 'passwd'])])), expect: A },
  { name: 'an absolute link', file: torrent(multi([file(1, 'a'), link(['/etc/passwd'])])), expect: A },
  { name: 'a link to itself', file: torrent(multi([file(1, 'a'), link(['link'])])), expect: A },
  {
    name: 'a link to nothing, which is an empty file',
    file: torrent(multi([file(1, 'a'), link([], { length: 500 })], { pieces: anyHashes(1) })),
    expect: [
      ['T/a', 1],
      ['T/link', 0],
    ],
  },
  {
    name: 'a link with a length',
    file: torrent(multi([file(1, 'a'), link(['a'], { length: 500 })], { pieces: anyHashes(1) })),
    expect: A,
  },
  {
    name: 'a link without a target, which is a file',
    file: torrent(multi([file(1, 'a'), { attr: 'l', length: 0, path: ['b'] }])),
    expect: [
      ['T/a', 1],
      ['T/b', 0],
    ],
  },
  { name: 'an executable', file: torrent(multi([{ ...file(1, 'a'), attr: 'x' }])), expect: A },
  { name: 'a hidden file', file: torrent(multi([{ ...file(1, 'a'), attr: 'h' }])), expect: A },
  { name: 'letters that nobody knows', file: torrent(multi([{ ...file(1, 'a'), attr: 'zyZ9' }])), expect: A },
  { name: 'an attribute that is a number', file: torrent(multi([{ ...file(1, 'a'), attr: 5 }])), expect: A },
  { name: 'a single file that is executable', file: torrent(single({ attr: 'x' })), expect: ALONE },

  { name: 'hybrid', file: hybrid(), expect: A_AND_B },
  {
    name: 'hybrid of one file',
    file: torrent(single({ length: 9, name: 'a.bin', 'meta version': 2, 'file tree': tree({ 'a.bin': leaf(9) }) }), {
      'piece layers': sorted({}),
    }),
    expect: [['a.bin', 9]],
  },
  {
    name: 'hybrid without piece layers',
    file: torrent(single({ length: 40_000, 'meta version': 2, 'file tree': tree({ 'a.bin': leaf(40_000) }) })),
    expect: ALONE,
  },
  { name: 'hybrid with other names', file: hybrid({ 'file tree': tree({ a: leaf(1), c: leaf(1) }) }), expect: 'two-halves' },
  { name: 'hybrid with other lengths', file: hybrid({ 'file tree': tree({ a: leaf(1), b: leaf(2) }) }), expect: 'two-halves' },
  {
    name: 'hybrid with a file more',
    file: hybrid({ 'file tree': tree({ a: leaf(1), b: leaf(1), c: leaf(1) }) }),
    expect: 'two-halves',
  },
  { name: 'hybrid with a file less', file: hybrid({ 'file tree': tree({ a: leaf(1) }) }), expect: 'two-halves' },
  { name: 'hybrid without a tree', file: hybrid({ 'file tree': undefined }), expect: 'two-halves' },
  { name: 'hybrid with a tree that is a list', file: hybrid({ 'file tree': [] }), expect: 'two-halves' },
  { name: 'hybrid with an empty tree', file: hybrid({ 'file tree': sorted({}) }), expect: 'two-halves' },
  {
    name: 'hybrid without alignment',
    file: torrent(multi([file(1, 'a'), file(1, 'b')], { 'meta version': 2, 'file tree': tree({ a: leaf(1), b: leaf(1) }) })),
    expect: 'two-halves',
  },
  { name: 'hybrid with an odd piece length', file: hybrid({ 'piece length': 20_000 }), expect: 'two-halves' },
  {
    name: 'hybrid with a file without a root',
    file: hybrid({ 'file tree': tree({ a: leaf(1), b: sorted({ '': sorted({ length: 1 }) }) }) }),
    expect: 'two-halves',
  },
  {
    name: 'hybrid with an empty file behind others',
    file: torrent(
      multi([file(1, 'a'), file(0, 'b')], {
        'file tree': tree({ a: leaf(1), b: sorted({ '': sorted({ length: 0 }) }) }),
        'meta version': 2,
      }),
    ),
    expect: [
      ['T/a', 1],
      ['T/b', 0],
    ],
  },
  { name: 'version 1 by its own word', file: torrent(single({ 'meta version': 1 })), expect: ALONE },
  { name: 'a version that is text', file: torrent(single({ 'meta version': '2' })), expect: ALONE },
  { name: 'version 3', file: torrent(single({ 'meta version': 3 })), expect: 'version' },
  {
    name: 'a file tree without a version',
    file: torrent(single({ 'file tree': tree({ 'a.bin': leaf(40_000) }) })),
    expect: ALONE,
  },
  { name: 'version 2 alone', file: torrent(single(V2), { 'piece layers': sorted({}) }), expect: 'v2-only' },
  {
    name: 'version 2 alone of several files',
    file: torrent(single({ ...V2, name: 'T', 'file tree': tree({ a: leaf(9), b: leaf(9) }) }), { 'piece layers': sorted({}) }),
    expect: 'v2-only',
  },
]
