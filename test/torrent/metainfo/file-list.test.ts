import assert from 'node:assert/strict'
import { type BencodedDictionary, decode } from '../../../src/torrent/bencode.ts'
import { fileListOf, pathOf } from '../../../src/torrent/metainfo/file-list.ts'
import { bencode, type Plain } from '../bencode-writer.ts'

const HASH = 'ab'.repeat(20)
const file = (length: Plain, ...path: Plain[]): Record<string, Plain> => ({ length, path })

/** What an info dictionary lists. */
function read(info: Record<string, Plain>) {
  const steps = fileListOf(decode(bencode(info), { raw: 'files' }) as BencodedDictionary, HASH)
  let count = 0
  for (let step = steps.next(); ; step = steps.next(), count++) if (step.done === true) return { ...step.value, steps: count }
}
const folder = (...files: Plain[]) => read({ files, name: 'folder' })
const paths = (...files: Plain[]) => folder(...files).files.map(({ path }) => path.join('/'))
const refusal = (why: string | RegExp) =>
  typeof why === 'string' ? { name: 'TorrentError', code: 'TORRENT_REFUSED', message: `this torrent is refused: ${why}` } : why

describe('the file of a torrent that is one', () => {
  it('has its name and length', () => {
    assert.deepEqual(read({ name: 'a.bin', length: 7 }), {
      ...{ name: 'a.bin', renamed: [], steps: 0 },
      files: [{ path: ['a.bin'], lengthBytes: 7, padding: false }],
    })
    assert.equal(read({ name: 'a', 'name.utf-8': 'ä', length: 0 }).name, 'ä')
  })

  it('tells how it was meant where it is called otherwise', () => {
    const { name, files, renamed } = read({ name: 'a/b', length: 7 })
    assert.deepEqual([name, files[0]?.path, renamed], ['ab', ['ab'], [{ from: 'a/b', to: 'ab' }]])
  })

  it('is refused without a name that it can have, and without a length', () => {
    for (const name of ['', '.', '/'])
      assert.throws(() => read({ name, length: 1 }), /it has no name that a file can have|is an absolute path/)
    assert.throws(() => read({ length: 1 }), refusal('it has no name'))
    assert.throws(() => read({ name: 5, length: 1 }), refusal('it has no name'))
    assert.throws(() => read({ name: 'a' }), refusal('"a" has no length'))
    assert.throws(() => read({ name: 'a', length: 'x' }), refusal('"a" has no length'))
    assert.throws(() => read({ name: 'a', length: -1 }), refusal('"a" has the negative length -1'))
    assert.throws(() => read({ name: 'a', length: 2 ** 60 }), { name: 'BencodeError' })
  })
})

describe('the files of a folder', () => {
  it('stand below the name of the torrent, in their order', () => {
    const { name, files, renamed } = folder(file(1, 'b'), file(0, 'a', 'c'))
    assert.deepEqual([name, renamed], ['folder', []])
    assert.deepEqual(files, [
      { path: ['folder', 'b'], lengthBytes: 1, padding: false },
      { path: ['folder', 'a', 'c'], lengthBytes: 0, padding: false },
    ])
  })

  it('are below the info hash where the name says nothing, and are told under the name that was meant', () => {
    const { name, files, renamed } = read({ name: '.', files: [file(1, 'a')] })
    assert.deepEqual([name, files[0]?.path], [HASH, [HASH, 'a']])
    assert.deepEqual(renamed, [{ from: './a', to: `${HASH}/a` }])
  })

  it('have the path in UTF-8 where there is one', () => {
    assert.deepEqual(paths({ length: 1, path: ['x'], 'path.utf-8': ['ä'] }, { length: 1, path: ['y'], 'path.utf-8': [] }), [
      'folder/ä',
      'folder/y',
    ])
  })

  it('are refused where an entry is none', () => {
    assert.throws(() => folder(), refusal('it holds no files'))
    assert.throws(() => folder('a'), refusal('an entry of its list of files is not a dictionary'))
    assert.throws(() => folder({ length: 1 }), refusal('a file has no path'))
    assert.throws(() => folder({ length: 1, path: [] }), refusal('a file has no path'))
    assert.throws(() => folder({ length: 1, path: 'a' }), refusal('a file has no path'))
    assert.throws(() => folder(file(1, 'a', 5)), refusal('a path is not text'))
    assert.throws(() => folder({ path: ['a', 'b'] }), refusal('"folder/a/b" has no length'))
    assert.throws(() => folder(file(-5, 'a', 'b/c')), refusal('"folder/a/b/c" has the negative length -5'))
  })

  it('are refused where one is larger than any disk', () => {
    const list = Buffer.from(`d5:filesld6:lengthi${2n ** 60n}e4:pathl1:aeee4:name1:ne`)
    assert.throws(
      () => fileListOf(decode(list, { raw: 'files' }) as BencodedDictionary, HASH).next(),
      refusal('its files are larger than any disk'),
    )
  })

  it('are named as they were meant where a name cannot stand on the disk', () => {
    const { files, renamed } = folder(file(1, 'a', 'b\u0001'), file(1, 'c'))
    assert.deepEqual(files[0]?.path, ['folder', 'a', 'b_'])
    assert.deepEqual(renamed, [{ from: 'folder/a/b\u0001', to: 'folder/a/b_' }])
  })

  it('that are alignment, or symbolic links, are never on the disk', () => {
    const { files, renamed } = folder(
      { attr: 'p', ...file(5, '.pad', '5') },
      { attr: 'xp', ...file(6, 'anything') },
      { attr: 'p', length: 7 },
      file(8, '_____padding_file_0_if you see this'),
      { attr: 'l', path: ['link'], 'symlink path': ['a'] },
      { attr: 'l', path: ['empty'], 'symlink path': [] },
      { attr: 'pl', path: ['both'] },
      { attr: 'x', ...file(9, 'program') },
    )
    assert.deepEqual(
      files.map(({ path, lengthBytes, padding }) => [path.slice(1).join('/'), lengthBytes, padding]),
      [
        ['.pad/5', 5, true],
        ['.pad/6', 6, true],
        ['.pad/7', 7, true],
        ['.pad/8', 8, true],
        ['link', 0, true],
        ['empty', 0, false],
        ['.pad/0', 0, true],
        ['program', 9, false],
      ],
    )
    assert.deepEqual(renamed, [])
    assert.throws(() => folder({ attr: 'p', path: ['x'] }), refusal('"a padding file" has no length'))
  })

  it('on one path get a number, the later ones, and say so', () => {
    const { files, renamed } = folder(file(1, 'a.x'), file(1, 'a.x'), file(1, 'a.x'), file(1, 'a.1.x'))
    assert.deepEqual(
      files.map(({ path }) => path[1]),
      ['a.x', 'a.1.x', 'a.2.x', 'a.1.1.x'],
    )
    assert.deepEqual(renamed, [
      { from: 'folder/a.x', to: 'folder/a.1.x' },
      { from: 'folder/a.x', to: 'folder/a.2.x' },
      { from: 'folder/a.1.x', to: 'folder/a.1.1.x' },
    ])
  })

  it('give way to folders of their name, wherever these come, but not to names in another case', () => {
    assert.deepEqual(paths(file(1, 'a'), file(1, 'a', 'b')), ['folder/a.1', 'folder/a/b'])
    assert.deepEqual(paths(file(1, 'a', 'b', 'c', 'd'), file(1, 'a', 'b'), file(1, 'a')), [
      'folder/a/b/c/d',
      'folder/a/b.1',
      'folder/a.1',
    ])
    assert.deepEqual(paths(file(1, 'a'), file(1, 'A'), file(1, 'A', 'b')), ['folder/a', 'folder/A.1', 'folder/A/b'])
  })

  it('leave alignment out where paths are compared', () => {
    assert.deepEqual(paths({ attr: 'p', ...file(5, 'x') }, { attr: 'p', ...file(5, 'y') }, file(1, '.pad', '5')), [
      'folder/.pad/5',
      'folder/.pad/5',
      'folder/.pad/5',
    ])
  })

  it('have paths up to 3,000 bytes of 101 parts', () => {
    const long = (bytes: number) => [...Array(11).fill('x'.repeat(249)), 'y'.repeat(bytes - 'folder/'.length - 11 * 250)]
    assert.equal(paths(file(1, ...long(3_000)))[0]?.length, 3_000)
    assert.throws(() => folder(file(1, ...long(3_001))), refusal('a path is too long'))
    assert.equal(pathOf(Array(101).fill(Uint8Array.of(97))).path.length, 101)
    assert.throws(() => pathOf(Array(102).fill(Uint8Array.of(97))), refusal('a path has 102 parts, at most 101 are accepted'))
  })

  it('are 65,536 at most, and read in steps of a thousand', () => {
    const many = (count: number) =>
      Buffer.concat([
        Buffer.from('d5:filesl'),
        ...Array(count).fill(bencode({ attr: 'p', length: 1 })),
        Buffer.from('e4:name1:ne'),
      ])
    const steps = (count: number) => {
      const list = fileListOf(decode(many(count), { raw: 'files' }) as BencodedDictionary, HASH)
      let yields = 0
      while (list.next().done !== true) yields++
      return yields
    }
    assert.equal(steps(999), 0)
    assert.equal(steps(2_500), 2)
    assert.throws(() => steps(65_537), refusal('it has 65537 files, at most 65536 are accepted'))
  })
})

describe('a path', () => {
  it('is as it stands on the disk, and as it was meant where that is not the same', () => {
    const bytes = (...parts: string[]) => pathOf(parts.map((part) => Buffer.from(part)))
    assert.deepEqual(bytes('a', 'b'), { path: ['a', 'b'], shown: undefined })
    assert.deepEqual(bytes('a', '.', 'b'), { path: ['a', 'b'], shown: 'a/./b' })
    assert.deepEqual(bytes('.'), { path: ['_'], shown: '.' })
    assert.deepEqual(bytes('a', 'b/c', 'd'), { path: ['a', 'bc', 'd'], shown: 'a/b/c/d' })
    // The first part alone makes a path an absolute one.
    assert.throws(() => bytes('/a', 'b'), /absolute path/)
    assert.deepEqual(bytes('a', '/b').path, ['a', 'b'])
  })
})
