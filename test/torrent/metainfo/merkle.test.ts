import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { FileTree } from '../../../src/torrent/metainfo/merkle.ts'

const BLOCK_BYTES = 16_384

const sha256 = (chunks: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest()
}
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

/** Made by libtorrent 2.0.8: length, piece length, root, the start of the sha-256 of the piece layer, and its hashes. */
const VECTORS: readonly [number, number, string, string, number][] = [
  [1, 16_384, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d', '', 0],
  [16_384, 16_384, '75e962bc172f1f01a7d27605b39785325d0290851b18863d97eb2ce842c03342', '', 0],
  [16_385, 16_384, '4dbcc20286e90bb179e3ff1711cf221a5bc5ad62eca0eacce19ac3d8d92f68e3', '4dbcc20286e90bb1', 2],
  [32_768, 65_536, '0ed7232fa423438e6f183530431d2d280455b853f2bb58f2035023d32bec54d8', '', 0],
  [65_536, 65_536, 'dbb988f8a59ac8c8ab7c0b587a4d25f485a9d352d4bd5bf6fe8269d0b60520a5', '', 0],
  [65_537, 65_536, 'a8db6aba3924f9f7d033b02749e41700b1f42d4c3536fe89eb66e82af4c41a91', 'a8db6aba3924f9f7', 2],
  [50_000, 65_536, '769c02f61a775110ec1253692476d9dfbcc9a6ff39efb27f40bcaa26344f6af4', '', 0],
  [196_608, 65_536, '0c10cb25ed41127b0a63cbc20baae2f25eb0a2f294f964d08a8b56c63f647f55', '9585c00c794ce2dd', 3],
  [347_680, 65_536, 'c5a5178dd04226c97f186327439fb8094abcf1328da834a0f96c7d22d970bedb', '2a3b6b1060375008', 6],
  [262_144, 32_768, '6fc30b0551c3a37098b21ea8682512ebb1a5b457fe14988ea0d570394464b214', 'e8ca6875211a18c3', 8],
  [100_000, 16_384, '6c56a6a7c39a1830e0bf86f666a644477904faf3f012e7ad410c23e04057b404', '30f4818e1ea99e95', 7],
]

describe('the hash tree of a file', () => {
  for (const [length, pieceLength, root, layer, hashes] of VECTORS) {
    it(`is that of libtorrent: ${length} bytes in pieces of ${pieceLength}`, () => {
      const bytes = Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 12) * 7) & 255)
      const tree = new FileTree(pieceLength / BLOCK_BYTES, sha256)
      for (let at = 0; at < length; at += BLOCK_BYTES) tree.add(sha256([bytes.subarray(at, at + BLOCK_BYTES)]))
      const made = tree.end()
      assert.equal(hex(made.root), root)
      assert.equal(made.layer === undefined ? '' : hex(sha256([made.layer])).slice(0, 16), layer)
      assert.equal((made.layer?.length ?? 0) / 32, hashes)
    })
  }

  it('is none for a file without a byte', () => {
    assert.throws(() => new FileTree(1, sha256).end(), RangeError)
  })
})
