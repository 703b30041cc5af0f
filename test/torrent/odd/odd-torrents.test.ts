import assert from 'node:assert/strict'
import { checkTorrentFile, type Metainfo } from '../../../src/torrent/metainfo.ts'
import { sha1 } from '../../../src/torrent/sha1.system.ts'
import { document } from '../../docs/documents.ts'
import { type Odd, REASONS } from './odd-torrent.ts'
import { ODD_TORRENTS } from './odd-torrents.ts'

function standing({ files }: Metainfo): [string, number][] {
  return files.filter(({ padding }) => !padding).map(({ path, lengthBytes }) => [path.join('/'), lengthBytes])
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

  it('are refused for reasons that the documents list, and differ from libtorrent as they say', () => {
    const page = document('docs/torrents-refused.md')
    const named = [...page.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name)
    const differences = ODD_TORRENTS.flatMap(({ differs }) => differs ?? [])
    assert.deepEqual([...new Set(named)].sort(), [...new Set([...Object.keys(REASONS), ...differences])].sort())
    const used = new Set(ODD_TORRENTS.map(({ expect }) => expect).filter((expect) => typeof expect === 'string'))
    assert.deepEqual([...used].sort(), Object.keys(REASONS).sort())
  })
})
