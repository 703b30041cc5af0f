import assert from 'node:assert/strict'
import { posix } from 'node:path'
import fc from 'fast-check'
import { checkTorrentFile, type Metainfo } from '../../../src/torrent/metainfo.ts'
import { sha1 } from '../../../src/torrent/sha1.system.ts'
import { document } from '../../docs/documents.ts'
import { type Odd, REASONS } from '../odd/odd-torrent.ts'
import { ODD_TORRENTS } from '../odd/odd-torrents.ts'

function standing({ files }: Metainfo): [string, number][] {
  return files.filter(({ padding }) => !padding).map(({ path, lengthBytes }) => [path.join('/'), lengthBytes])
}

/** Undefined for one that is refused as it must be. */
function checked(bytes: Uint8Array): Metainfo | undefined {
  try {
    return checkTorrentFile(bytes, sha1)
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'TorrentError', String(error))
    return undefined
  }
}

function check({ file, expect }: Odd): void {
  if (typeof expect === 'string') {
    assert.throws(() => checkTorrentFile(file, sha1), { name: 'TorrentError', message: REASONS[expect] })
    return
  }
  const metainfo = checkTorrentFile(file, sha1)
  const wanted = expect.map(([path, lengthBytes]) => [path.replace('INFO-HASH', metainfo.infoHash), lengthBytes])
  assert.deepEqual(standing(metainfo), wanted)
  // What the log keeps of it, and what a peer is given, is the same torrent.
  const again = checkTorrentFile(metainfo.torrentFile, sha1)
  assert.deepEqual([again.infoHash, again.files], [metainfo.infoHash, metainfo.files])
}

describe(`${ODD_TORRENTS.length} odd torrents`, () => {
  it('are 200 at least, each with a name of its own', () => {
    assert.ok(ODD_TORRENTS.length >= 200)
    assert.equal(new Set(ODD_TORRENTS.map(({ name }) => name)).size, ODD_TORRENTS.length)
  })

  for (const odd of ODD_TORRENTS) {
    it(`${typeof odd.expect === 'string' ? `refused (${odd.expect})` : 'taken'}: ${odd.name}`, () => check(odd))
  }

  it('stay in their folder, each file on a path of its own, whatever is changed in them', () => {
    const small = ODD_TORRENTS.filter(({ file }) => file.length > 0 && file.length < 2_000).map(({ file }) => file)
    const change = fc.tuple(fc.nat(1_999), fc.constantFrom(0, 0x2e, 0x2f, 0x30, 0x31, 0x5c, 0x61, 0x64, 0x65, 0x69, 0x6c, 0xff))
    fc.assert(
      fc.property(fc.constantFrom(...small), fc.array(change, { maxLength: 4 }), (original, changes) => {
        const bytes = Uint8Array.from(original)
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte
        const metainfo = checked(bytes)
        if (metainfo === undefined) return
        const paths = standing(metainfo).map(([path]) => path)
        assert.equal(new Set(paths).size, paths.length)
        for (const path of paths) {
          assert.equal(posix.normalize(path), path)
          assert.ok(!path.startsWith('/') && path.split('/').every((part) => part !== '..' && Buffer.byteLength(part) <= 255))
          assert.doesNotMatch(path, /[\0-\x1f\x7f\\]/)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('are refused for reasons that the documents list, and differ from libtorrent as they say', () => {
    const page = document('docs/torrents-refused.md')
    const named = [...page.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name)
    const differences = ODD_TORRENTS.flatMap(({ differs }) => differs ?? [])
    assert.deepEqual([...new Set(named)].sort(), [...new Set([...Object.keys(REASONS), ...differences])].sort())
    const used = new Set(ODD_TORRENTS.map(({ expect }) => expect).filter((expect) => typeof expect === 'string'))
    assert.deepEqual([...used].sort(), Object.keys(REASONS).sort())
  })
})
