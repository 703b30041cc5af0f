import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decode, encode } from '../../src/torrent/bencode.ts'
import { FileProgress } from '../../src/torrent/file-progress.ts'
import { checkTorrentFile } from '../../src/torrent/metainfo.ts'
import { pieceLengthFor } from '../../src/torrent/piece-length.ts'
import { bitfieldOf } from '../../src/torrent/piece-ranges.ts'
import { sha1 } from '../../src/torrent/sha1.system.ts'
import { Turns } from '../../src/torrent/turns.ts'
import { untilAborted } from '../../src/torrent/until-aborted.ts'
import { bencode, type Plain } from './bencode-writer.ts'

const MIB = 1024 * 1024

describe('the parts of publishing', () => {
  it('choose piece lengths from 16 KiB to 16 MiB, 2,048 pieces at most while they can', () => {
    const table: [number, number][] = [
      [1, 16_384],
      [32 * MIB, 16_384],
      [32 * MIB + 1, 32_768],
      [1024 * MIB, 512 * 1024],
      [32 * 1024 * MIB, 16 * MIB],
      [32 * 1024 * MIB + 1, 16 * MIB],
      [4 * 1024 * 1024 * MIB, 16 * MIB],
    ]
    for (const [size, length] of table) assert.equal(pieceLengthFor(size), length, `${size} bytes`)
  })

  it('write bencode that reads back, keys sorted', () => {
    const { value } = fc.letrec<{ value: Plain }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.maxSafeInteger(),
        fc.uint8Array({ maxLength: 40 }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 8 }), tie('value'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(value, (each) => {
        const bytes = encode(each)
        assert.deepEqual(Buffer.from(bytes), Buffer.from(bencode(each)))
        decode(bytes, { sortedKeys: true })
      }),
    )
  })

  it('know a file as settled when its last piece is verified, whatever the order', () => {
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

  it('run a few works at a time, in the order in which they came', async () => {
    const turns = new Turns(2)
    let running = 0
    let most = 0
    const order: number[] = []
    const works = Array.from({ length: 6 }, (_, index) =>
      turns.run(async () => {
        most = Math.max(most, ++running)
        order.push(index)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        if (index === 1) throw new Error('no')
        return index
      }),
    )
    const ended = await Promise.allSettled(works)
    assert.deepEqual([most, order], [2, [0, 1, 2, 3, 4, 5]])
    assert.equal(ended[1]?.status, 'rejected')
  })

  it('stop waiting for a disk that does not answer', async () => {
    const stop = new AbortController()
    const waiting = untilAborted(new Promise(() => {}), stop.signal)
    stop.abort(new Error('enough'))
    await assert.rejects(waiting, /enough/)
    await assert.rejects(untilAborted(Promise.resolve(1), stop.signal), /enough/)
  })
})
