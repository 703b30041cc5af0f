import assert from 'node:assert/strict'
import { type BencodedDictionary, decode, encode } from '../../src/torrent/bencode.ts'
import { hybridInfo, inTreeOrder, type ListedFile, paddingOf, placesOf } from '../../src/torrent/hybrid-info.ts'

const PIECE = 16_384
const file = (path: string, sizeBytes: number): ListedFile => ({ path: path === '' ? [] : path.split('/'), sizeBytes })
const order = (...paths: string[]) => inTreeOrder(paths.map((path) => file(path, 1))).map(({ path }) => path.join('/'))

describe('the files of a torrent of both versions', () => {
  it('stand in the order of the bytes of their names, folder by folder', () => {
    assert.deepEqual(order('b', 'a', 'c'), ['a', 'b', 'c'])
    assert.deepEqual(order('a/b', 'a', 'ab', 'a b'), ['a', 'a/b', 'a b', 'ab'])
    assert.deepEqual(order('b/a', 'a/z', 'a/b/c', 'a/b/a'), ['a/b/a', 'a/b/c', 'a/z', 'b/a'])
    // U+FFFD comes before a character outside the plane, as bytes, but not as UTF-16 units.
    assert.deepEqual(order('\u{1f3ac}', '\ufffd'), ['\ufffd', '\u{1f3ac}'])
    assert.deepEqual(order('ä', 'z'), ['z', 'ä'])
  })

  it('are followed by zeros up to the next piece, but not behind the last that has bytes', () => {
    const of = (...sizes: number[]) =>
      paddingOf(
        sizes.map((size, at) => file(`${at}`, size)),
        PIECE,
      )
    assert.deepEqual(of(1, PIECE, PIECE + 1, 5), [PIECE - 1, 0, PIECE - 1, 0])
    assert.deepEqual(of(0, 1, 0, 1, 0), [0, PIECE - 1, 0, 0, 0])
    assert.deepEqual([of(5), of(0), of()], [[0], [0], []])
  })

  it('have places in the list of version 1, among the zeros', () => {
    assert.deepEqual(placesOf([5, 0, 0, 7, 0]), [0, 2, 3, 4, 6])
    assert.deepEqual(placesOf([]), [])
  })
})

describe('the info dictionary of both versions', () => {
  const pieces = new Uint8Array(40).fill(3)
  const root = (byte: number) => new Uint8Array(32).fill(byte)
  const build = (files: readonly ListedFile[], hashes: Parameters<typeof hybridInfo>[2]) => {
    const { info, layers } = hybridInfo('name', files, hashes, { pieceLengthBytes: PIECE, pieces })
    return { info: decode(encode(info)) as BencodedDictionary, layers: decode(encode(layers)) as BencodedDictionary }
  }
  const plain = (value: unknown): unknown =>
    value instanceof Map
      ? Object.fromEntries([...value].map(([key, each]) => [Buffer.from(key, 'latin1').toString(), plain(each)]))
      : value instanceof Uint8Array
        ? Buffer.from(value).toString(value.length >= 32 ? 'hex' : 'utf8')
        : Array.isArray(value)
          ? value.map(plain)
          : value

  it('of a folder lists its files twice, the zeros in version 1 alone', () => {
    const layer = new Uint8Array(64).fill(9)
    const { info, layers } = build(
      [file('a/ä', PIECE + 1), file('a/b', 0), file('c', 7)],
      [{ root: root(1), layer }, undefined, { root: root(2), layer: undefined }],
    )
    const hex = (byte: string) => byte.repeat(32)
    assert.deepEqual(plain(info), {
      files: [
        { length: PIECE + 1, path: ['a', 'ä'] },
        { attr: 'p', length: PIECE - 1, path: ['.pad', `${PIECE - 1}`] },
        { length: 0, path: ['a', 'b'] },
        { length: 7, path: ['c'] },
      ],
      'file tree': {
        a: { ä: { '': { length: PIECE + 1, 'pieces root': hex('01') } }, b: { '': { length: 0 } } },
        c: { '': { length: 7, 'pieces root': hex('02') } },
      },
      ...{ 'meta version': 2, name: 'name', 'piece length': PIECE, pieces: Buffer.from(pieces).toString('hex') },
    })
    assert.deepEqual([...layers], [[Buffer.from(root(1)).toString('latin1'), layer]])
  })

  it('of one file has its length, and its name in the tree', () => {
    const { info, layers } = build([file('', 5)], [{ root: root(1), layer: undefined }])
    assert.deepEqual([info.get('length'), info.get('files')], [5, undefined])
    assert.deepEqual(plain(info.get('file tree')), { name: { '': { length: 5, 'pieces root': '01'.repeat(32) } } })
    assert.equal(layers.size, 0)
  })
})
