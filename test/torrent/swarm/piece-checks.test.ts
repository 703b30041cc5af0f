import assert from 'node:assert/strict'
import type { Peer } from '../../../src/torrent/swarm/peer.ts'
import { PieceChecks, type PieceChecksOptions } from '../../../src/torrent/swarm/piece-checks.ts'
import { RequestDepth } from '../../../src/torrent/swarm/request-depth.ts'

const MIB = 1024 * 1024

const peer = (): Peer => ({ depth: new RequestDepth() }) as unknown as Peer

function checks(options: Partial<PieceChecksOptions> = {}, bytes = MIB) {
  const told: string[] = []
  const works: Promise<void>[] = []
  const made = new PieceChecks({
    ...{ pieceBytes: () => bytes, expected: () => 'good', hash: async () => 'good', write: async () => {} },
    passed: (index) => void told.push(`passed ${index}`),
    failed: (index) => void told.push(`failed ${index}`),
    problem: (error) => void told.push(`problem ${error}`),
    roomier: () => void told.push('roomier'),
    track: (work) => works.push(work),
    ...options,
  })
  const over = async () => {
    for (let done = 0; done < works.length; done++) await works[done]
  }
  return { made, told, over }
}

describe('a piece from its first block to its verdict', () => {
  it('is kept block by block, hashed, written and told of, in this order', async () => {
    const steps: string[] = []
    const { made, told, over } = checks({
      hash: async (piece) => {
        steps.push(`hash ${piece[0]} ${piece[MIB - 1]}`)
        return 'good'
      },
      write: async () => void steps.push('write'),
      passed: () => void steps.push('passed'),
    })
    made.put(peer(), 4, 0, Uint8Array.of(7))
    assert.deepEqual([...made.put(peer(), 4, MIB - 1, Uint8Array.of(9))], [9])
    assert.deepEqual([...made.begun], [4])
    made.complete(4)
    assert.deepEqual([...made.begun], [])
    await over()
    assert.deepEqual([steps, told], [['hash 7 9', 'write', 'passed'], ['roomier']])
  })

  it('that is bad is not written', async () => {
    let writes = 0
    const { made, told, over } = checks({
      hash: async () => 'bad',
      write: async () => {
        writes++
      },
    })
    made.put(peer(), 0, 0, Uint8Array.of(1))
    made.complete(0)
    await over()
    assert.deepEqual([told, writes], [['failed 0', 'roomier'], 0])
  })

  it('is not written any more once its torrent was closed while it was hashed', async () => {
    const hashing = Promise.withResolvers<string>()
    let writes = 0
    const { made, told, over } = checks({
      hash: () => hashing.promise,
      write: async () => {
        writes++
      },
    })
    made.put(peer(), 0, 0, Uint8Array.of(1))
    made.complete(0)
    made.close()
    hashing.resolve('good')
    await over()
    assert.deepEqual([told, writes], [[], 0])
  })

  it('that cannot be written is a problem, and no verdict', async () => {
    const { made, told, over } = checks({ write: () => Promise.reject(new Error('full')) })
    made.put(peer(), 0, 0, Uint8Array.of(1))
    made.complete(0)
    await over()
    assert.deepEqual(told, ['problem Error: full', 'roomier'])
  })

  it('waits for room: more than 32 MiB that are not written are too many', async () => {
    const writing = Promise.withResolvers<void>()
    const { made, over } = checks({ write: () => writing.promise })
    for (let index = 0; index < 32; index++) {
      made.put(peer(), index, 0, Uint8Array.of(1))
      made.complete(index)
    }
    assert.equal(made.hasRoom, true)
    made.put(peer(), 32, 0, Uint8Array.of(1))
    made.complete(32)
    assert.equal(made.hasRoom, false)
    writing.resolve()
    await over()
    assert.equal(made.hasRoom, true)
  })

  it('leaves its memory to others, 32 MiB of it', () => {
    const { made } = checks()
    const memory = Array.from({ length: 33 }, (_, index) => made.put(peer(), index, 0, Uint8Array.of(1)).buffer)
    for (let index = 0; index < 33; index++) made.forget(index)
    const again = new Set(Array.from({ length: 33 }, (_, index) => made.put(peer(), index, 0, Uint8Array.of(1)).buffer))
    assert.equal(memory.filter((each) => again.has(each)).length, 32)
    made.trim()
    assert.equal(again.has(made.put(peer(), 40, 0, Uint8Array.of(1)).buffer), false)
  })
})
