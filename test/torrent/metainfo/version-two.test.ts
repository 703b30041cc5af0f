import assert from 'node:assert/strict'
import { type BencodedDictionary, decode } from '../../../src/torrent/bencode.ts'
import type { MetainfoFile } from '../../../src/torrent/metainfo/file-list.ts'
import { checkHybrid, checkVersion } from '../../../src/torrent/metainfo/version-two.ts'
import { bencode, type Plain } from '../bencode-writer.ts'

const PIECE = 16_384
const ROOT = new Uint8Array(32).fill(1)
const info = (fields: Record<string, Plain>) => decode(bencode(fields)) as BencodedDictionary
const refusal = (why: string) => ({ name: 'TorrentError', code: 'TORRENT_REFUSED', message: `this torrent is refused: ${why}` })
const leaf = (length: Plain, more: Record<string, Plain> = {}): Plain => ({
  '': { length, ...(length === 0 ? {} : { 'pieces root': ROOT }), ...more },
})
const file = (path: string, lengthBytes: number, padding = false): MetainfoFile => ({
  path: path.split('/'),
  lengthBytes,
  padding,
})

describe('the version of a torrent', () => {
  it('is the first, or both; the second alone and later ones are refused', () => {
    const of = (version: Plain | undefined, pieces = true) =>
      checkVersion(info({ ...(version === undefined ? {} : { 'meta version': version }), ...(pieces ? { pieces: 'x' } : {}) }))
    for (const version of [undefined, 0, 1, 2, 'two']) of(version)
    for (const version of [undefined, 1, 'three']) of(version, false)
    assert.throws(
      () => of(2, false),
      refusal('v2-only torrents are not supported yet: ask for a hybrid or a version 1 torrent'),
    )
    assert.throws(() => of(3), refusal('it is of version 3, which nobody knows yet'))
  })
})

describe('the two halves of a hybrid', () => {
  const check = (tree: Plain | undefined, files: readonly MetainfoFile[], pieceLengthBytes = PIECE) =>
    checkHybrid(info({ 'meta version': 2, ...(tree === undefined ? {} : { 'file tree': tree }) }), files, pieceLengthBytes)
  const different = refusal('its two versions describe different files')

  it('describe the same files, of one or of a folder', () => {
    check({ a: leaf(5) }, [file('a', 5)])
    check({ a: { b: leaf(PIECE + 1), c: leaf(0) }, d: leaf(7) }, [
      file('t/a/b', PIECE + 1),
      file('t/.pad/1', PIECE - 1, true),
      file('t/a/c', 0),
      file('t/d', 7),
    ])
  })

  it('are refused where a name, a length, the order or the number of files differ', () => {
    const files = [file('t/a', PIECE), file('t/b', 7)]
    check({ a: leaf(PIECE), b: leaf(7) }, files)
    for (const tree of [
      { a: leaf(PIECE), c: leaf(7) },
      { a: leaf(PIECE), b: leaf(8) },
      { a: leaf(PIECE) },
      { a: leaf(PIECE), b: leaf(7), c: leaf(0) },
      {},
    ])
      assert.throws(() => check(tree, files), different)
    assert.throws(() => check({ a: leaf(PIECE), b: leaf(7) }, [file('t/b', 7), file('t/a', PIECE)]), /different/)
  })

  it('are not compared in a torrent of the first version', () => {
    checkHybrid(info({}), [file('a', 5)], 1)
    checkHybrid(info({ 'meta version': 1 }), [file('a', 5)], 1)
  })

  it('have each file at the start of a piece, but for those without a byte', () => {
    const cut = refusal('its two versions cut files into different pieces')
    assert.throws(() => check({ a: leaf(5), b: leaf(7) }, [file('t/a', 5), file('t/b', 7)]), cut)
    check({ a: leaf(5), b: leaf(0) }, [file('t/a', 5), file('t/b', 0)])
    check({ a: leaf(5), b: leaf(7) }, [file('t/a', 5), file('t/p', PIECE - 5, true), file('t/b', 7)])
  })

  it('have pieces of a power of two from 16 KiB on', () => {
    for (const length of [PIECE, 2 * PIECE, 128 * 1024 * 1024]) check({ a: leaf(5) }, [file('a', 5)], length)
    for (const length of [8_192, PIECE - 1, PIECE + 1, 3 * PIECE])
      assert.throws(
        () => check({ a: leaf(5) }, [file('a', 5)], length),
        refusal(`its piece length of ${length} bytes is none of version 2, a power of two from 16384 on`),
      )
  })

  it('have a tree of files with lengths and hashes', () => {
    const missing = refusal('it is of version 2 and its file tree is missing or malformed')
    for (const tree of [undefined, 5, [], { a: 5 }, { a: { b: 'x' } }]) assert.throws(() => check(tree, []), missing)
    for (const length of ['x', -1])
      assert.throws(() => check({ a: leaf(length) }, []), refusal('a file of its file tree has no length'))
    assert.throws(() => check({ a: { '': {} } }, []), refusal('a file of its file tree has no length'))
    for (const root of [new Uint8Array(31), 5])
      assert.throws(() => check({ a: leaf(5, { 'pieces root': root }) }, []), refusal('a file of its file tree has no hash'))
    assert.throws(() => check({ a: { '': { length: 5 } } }, []), refusal('a file of its file tree has no hash'))
    assert.throws(() => check({ a: { '': { length: 0 }, b: leaf(1) } }, []), refusal('its file tree has a file without a name'))
    assert.throws(() => check({ '': { length: 0 } }, []), refusal('its file tree has a file without a name'))
  })

  it('have no symbolic links on the disk', () => {
    const link = (target: Plain, attr: Plain = 'l') => ({ '': { length: 0, attr, 'symlink path': target } })
    check({ a: leaf(5), b: link(['a']) }, [file('t/a', 5), file('t/b', 0, true)])
    check({ a: leaf(5), b: link(['a'], 'xl') }, [file('t/a', 5)])
    check({ a: leaf(5), b: link('a') }, [file('t/a', 5), file('t/b', 0)])
    check({ a: leaf(5), b: link(['a'], 'x') }, [file('t/a', 5), file('t/b', 0)])
  })
})
