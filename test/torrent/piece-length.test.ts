import assert from 'node:assert/strict'
import { pieceLengthFor } from '../../src/torrent/piece-length.ts'

const MIB = 1024 * 1024

describe('the piece length of a new torrent', () => {
  it('is from 16 KiB to 16 MiB, with 2,048 pieces at most while that can be', () => {
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
})
