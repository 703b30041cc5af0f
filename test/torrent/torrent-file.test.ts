import assert from 'node:assert/strict'
import { fileNameOf } from '../../src/cli/services/torrent-file.ts'
import { encode } from '../../src/torrent/bencode.ts'
import { checkTorrentFile } from '../../src/torrent/metainfo.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { withSources } from '../../src/torrent/torrent-file.ts'

describe('a torrent file for others', () => {
  const info = { length: 5, name: 'a', 'piece length': 16_384, pieces: new Uint8Array(20), 'x-own': 7 }

  it('has the info dictionary as it stood, and the sources that it is given and no others', () => {
    const original = encode({ info, announce: 'http://old.example/announce' })
    const before = checkTorrentFile(original, sha1)
    const trackers = ['udp://one.example:1/announce', 'http://two.example/announce']
    const after = checkTorrentFile(withSources(original, { trackers, webSeeds: ['http://web.example/'] }), sha1)
    assert.equal(after.infoHash, before.infoHash)
    assert.deepEqual([after.trackers.flat(), after.webSeeds], [trackers, ['http://web.example/']])
    const bare = checkTorrentFile(withSources(original, { trackers: [], webSeeds: [] }), sha1)
    assert.deepEqual([bare.infoHash, bare.trackers, bare.webSeeds], [before.infoHash, [], []])
  })

  it('has a name that stays in its folder', () => {
    for (const [name, file] of [
      ['film', 'film.torrent'],
      ['../../etc/passwd', '_.._etc_passwd.torrent'],
      ['.hidden', 'hidden.torrent'],
      ['..', 'torrent.torrent'],
      ['a\u0007b\\c', 'a_b_c.torrent'],
      ['x'.repeat(300), `${'x'.repeat(60)}.torrent`],
    ] as const) {
      assert.equal(fileNameOf(name), file)
    }
  })
})
