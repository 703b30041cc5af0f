import assert from 'node:assert/strict'
import { encode } from '../../src/torrent/bencode.ts'
import { layoutOf } from '../../src/torrent/file-layout.ts'
import { checkInfo } from '../../src/torrent/metainfo.ts'
import { changedNames, checkName, checkPaths, fileOfName, placed } from '../../src/torrent/placement.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { rangesOfRun } from '../../src/torrent/sources/web-seed-plan.ts'

const torrentOf = (...paths: string[]) => {
  const files = paths.map((path) => ({ length: 10, path: path.split('/') }))
  const info = { name: 'album', files, 'piece length': 16_384, pieces: new Uint8Array(20) }
  return checkInfo(encode(info), sha1)
}
const alone = checkInfo(encode({ name: 'song', length: 10, 'piece length': 16_384, pieces: new Uint8Array(20) }), sha1)
const named = (...names: [number | null, string][]) => new Map(names)
const pathsOf = ({ files }: { files: readonly { path: readonly string[] }[] }) => files.map(({ path }) => path.join('/'))

describe('the names of files on the disk', () => {
  it('are those of the torrent, but for the folder and the last part of what a person called otherwise', () => {
    const album = torrentOf('a', 'cd/b', 'cd/c')
    const names = named([null, 'My album'], [1, 'B'])
    const placedAlbum = placed(album, names)
    assert.deepEqual(pathsOf(placedAlbum), ['My album/a', 'My album/cd/B', 'My album/cd/c'])
    assert.deepEqual([placedAlbum.name, placedAlbum.infoHash], ['album', album.infoHash])
    assert.equal(placed(album, named()), album)
    assert.deepEqual(pathsOf(placed(placedAlbum, named([0, 'A']))), ['album/A', 'album/cd/b', 'album/cd/c'])
    assert.deepEqual(pathsOf(placed(placedAlbum, named())), pathsOf(album))
    assert.deepEqual(changedNames(names, [{ file: 1, name: '' }]), named([null, 'My album']))
    assert.deepEqual(pathsOf(placed(alone, named([null, 'x']))), ['x'])
    assert.deepEqual(pathsOf(placed(alone, named([0, 'x']))), ['song'], 'its file has the name of the torrent')
    assert.deepEqual(changedNames(names, [{ file: 0, name: 'A' }]), named([null, 'My album'], [1, 'B'], [0, 'A']))
    assert.deepEqual(pathsOf(placed({ ...album, files: [] }, named())), [])
    assert.deepEqual([fileOfName(alone, 0), fileOfName(album, 0), fileOfName(album, null)], [null, 0, null])
  })

  it('are not those that web seeds have', () => {
    const album = placed(torrentOf('a', 'cd/b'), named([null, 'mine'], [1, 'B']))
    const [, second] = layoutOf(album).files
    assert.deepEqual(
      [second?.path, second?.ownPath],
      [
        ['mine', 'cd', 'B'],
        ['album', 'cd', 'b'],
      ],
    )
    const run = [{ index: 0, offset: 0, length: 20 }] as Parameters<typeof rangesOfRun>[1]
    assert.deepEqual(
      rangesOfRun(album, run, 'http://seed/').map(({ url }) => url),
      ['http://seed/album/a', 'http://seed/album/cd/b'],
    )
  })

  it('are refused where two are one, one is the folder of another, or a path is too long, to the byte', () => {
    const album = torrentOf('a', 'cd/b')
    const refused = (names: Map<number | null, string>, torrent = album) =>
      assert.throws(() => checkPaths(placed(torrent, names)), { code: 'BAD_NAME' })
    refused(named([0, 'cd']))
    refused(named([0, 'b']), torrentOf('a', 'b'))
    // What pads is on no disk, and its name in nobody's way.
    const [first, second] = torrentOf('a', 'a/b').files
    assert.ok(first && second)
    for (const padding of [0, 1]) {
      const files = [first, second].map((file, at) => ({ ...file, padding: at === padding }))
      checkPaths({ ...album, files })
    }
    checkPaths(placed(torrentOf('a', 'b'), named([0, 'b'], [1, 'a'])))
    checkPaths(placed(album, named([0, 'b'])))
    const deep = torrentOf(`${Array(11).fill('x'.repeat(249)).join('/')}/file`)
    const room = 3_000 - 'album/'.length - 11 * 250
    checkPaths(placed(deep, named([0, 'x'.repeat(room)])))
    refused(named([0, 'x'.repeat(room + 1)]), deep)
  })
})

describe('a name that a person gives a file', () => {
  it('may be whatever a disk takes', () => {
    for (const name of ['a', 'a.b', '...', '..a', 'é水', '-rf', ' ', 'x'.repeat(255), '水'.repeat(85)]) checkName(name)
  })

  it('is refused with why', () => {
    const refusal = (name: string, why: string) => ({
      ...{ name: 'TorrentError', code: 'BAD_NAME' },
      message: `${JSON.stringify(name.slice(0, 80))} cannot be the name of a file: ${why}`,
    })
    const control = 'it has a backslash or a control character'
    for (const [name, why] of [
      ['', 'it is empty'],
      ['.', 'it is a folder of the system'],
      ['..', 'it is a folder of the system'],
      ['a/b', 'a name has no slash; `p2pt client move` puts files elsewhere'],
      ['/', 'a name has no slash; `p2pt client move` puts files elsewhere'],
      ['a\\b', control],
      ['a\u0000', control],
      ['\u001f', control],
      ['\u007f', control],
      ['\ud800', 'it is no text'],
      ['x'.repeat(256), 'it has more than 255 bytes'],
      ['水'.repeat(86), 'it has more than 255 bytes'],
    ] as const)
      assert.throws(() => checkName(name), refusal(name, why), name)
  })
})
