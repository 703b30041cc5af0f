import assert from 'node:assert/strict'
import { FileProgress } from '../../src/torrent/file-progress.ts'
import { checkTorrentFile } from '../../src/torrent/metainfo.ts'
import { bitfieldOf } from '../../src/torrent/piece-ranges.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import type { Plain } from './bencode-writer.ts'
import { bencode } from './bencode-writer.ts'

const PIECE = 16_384
const files = [
  { path: ['a'], length: PIECE + 1 },
  { attr: 'p', path: ['pad'], length: PIECE - 1 },
  { path: ['none'], length: 0 },
  { path: ['b'], length: 2 * PIECE },
]
const info = { files: files as unknown as Plain, name: 'x', 'piece length': PIECE, pieces: new Uint8Array(80) }
const metainfo = checkTorrentFile(bencode({ info }), sha1)
const progress = (...verified: { first: number; count: number }[]) =>
  new FileProgress(metainfo, bitfieldOf(verified, metainfo.pieceCount))

describe('the progress of files', () => {
  it('settles a file with the last of its pieces, whichever that is; padding and what has no byte never', () => {
    const it = progress()
    assert.deepEqual(it.add([{ first: 1, count: 1 }]), [])
    assert.deepEqual(it.add([{ first: 0, count: 1 }]), [0])
    assert.deepEqual(it.add([{ first: 2, count: 2 }]), [3])
  })

  it('counts what was verified before', () => {
    const it = progress({ first: 0, count: 1 }, { first: 3, count: 1 })
    assert.deepEqual(it.add([{ first: 1, count: 2 }]), [0, 3])
  })

  it('settles no file twice', () => {
    const it = progress()
    assert.deepEqual(it.add([{ first: 0, count: 4 }]), [0, 3])
    assert.deepEqual(it.add([{ first: 0, count: 4 }]), [])
  })
})
