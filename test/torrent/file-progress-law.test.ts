import assert from 'node:assert/strict'
import fc from 'fast-check'
import { FileProgress } from '../../src/torrent/file-progress.ts'
import { checkTorrentFile } from '../../src/torrent/metainfo.ts'
import { bitfieldOf } from '../../src/torrent/piece-ranges.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { bencode } from './bencode-writer.ts'

describe('the progress of files', () => {
  it('knows a file as settled when its last piece is verified, whatever the order', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50_000), { minLength: 1, maxLength: 6 }), fc.infiniteStream(fc.nat()), (lengths, order) => {
        const files = [...lengths, 1].map((length, index) => ({ length, path: [`${index}`] }))
        const size = lengths.reduce((sum, length) => sum + length, 1)
        const pieces = new Uint8Array(20 * Math.ceil(size / 16_384))
        const metainfo = checkTorrentFile(bencode({ info: { files, name: 'x', 'piece length': 16_384, pieces } }), sha1)
        const left = Array.from({ length: metainfo.pieceCount }, (_, index) => index)
        const progress = new FileProgress(metainfo, bitfieldOf([], metainfo.pieceCount))
        const have = new Set<number>()
        const settled: number[] = []
        while (left.length > 0) {
          const [index = 0] = left.splice((order.next().value ?? 0) % left.length, 1)
          have.add(index)
          const now = progress.add([{ first: index, count: 1 }])
          for (const file of now) {
            let offset = 0
            for (const { length } of files.slice(0, file)) offset += length
            const end = offset + (files[file]?.length ?? 0)
            for (let piece = Math.floor(offset / 16_384); piece * 16_384 < end; piece++) assert.ok(have.has(piece))
          }
          settled.push(...now)
        }
        const withBytes = files.flatMap(({ length }, index) => (length > 0 ? [index] : []))
        assert.deepEqual(
          [...settled].sort((a, b) => a - b),
          withBytes,
        )
      }),
    )
  })
})
