import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { HashThread } from '../../src/torrent/hash-thread.system.ts'

const sha1 = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('hex')

function shared(bytes: Uint8Array, before = 0): Uint8Array {
  const memory = new Uint8Array(new SharedArrayBuffer(before + bytes.length + 3), before, bytes.length)
  memory.set(bytes)
  return memory
}

describe('pieces hashed beside the event loop', () => {
  it('have their sha-1, in shared memory or not, at any place in it, many at a time', async () => {
    await using thread = new HashThread()
    const pieces = Array.from({ length: 40 }, (_, at) => randomBytes(1 + at * 1_000))
    const hashes = await Promise.all(pieces.map((piece, at) => thread.hash(at % 3 === 0 ? piece : shared(piece, at))))
    assert.deepEqual(hashes, pieces.map(sha1))
  })

  it('get it all the same when the thread ends with some of them under way, and after', async () => {
    const thread = new HashThread()
    const pieces = Array.from({ length: 10 }, () => randomBytes(300_000))
    const hashing = pieces.map((piece) => thread.hash(shared(piece)))
    await thread[Symbol.asyncDispose]()
    assert.deepEqual(await Promise.all(hashing), pieces.map(sha1))
    const [piece = new Uint8Array()] = pieces
    assert.equal(await thread.hash(shared(piece)), sha1(piece))
  })
})
