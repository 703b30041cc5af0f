import assert from 'node:assert/strict'
import { SignaturePool } from '../../../src/events/keys/signature-pool.sodium.ts'
import type { SignatureResult } from '../../../src/events/keys/signature-worker.sodium.ts'
import { encodeFrame } from '../../../src/events/segments/segment.ts'
import { foreign, signerOf } from '../samples.ts'
import { TEST_NETWORK } from '../test-network.ts'
import { OTHER_NETWORK } from './keys-fixture.ts'

const events = Array.from({ length: 6 }, (_, index) => foreign(signerOf(1), index + 1, index + 1))
const frames = encodeFrame(events)
/** Event 12 of the segment has the signature of event 13, and 14 is no body at all. */
const forged = encodeFrame(
  events
    .with(2, { body: events[2]?.body ?? assert.fail(), signature: events[3]?.signature ?? assert.fail() })
    .with(4, { body: Uint8Array.of(1, 2, 3), signature: new Uint8Array(64) }),
)

/** What became of the segments, each with its number. */
async function checked(pool: SignaturePool, segments: readonly Uint8Array[]): Promise<[number, SignatureResult][]> {
  const results: [number, SignatureResult][] = []
  for (const [number, segment] of segments.entries())
    await pool.check({ first: 10, frames: segment }, (result) => results.push([number, result]))
  await pool.drain()
  return results.sort(([a], [b]) => a - b)
}

describe('a pool that checks signatures', () => {
  it('counts the events of a segment and names the forged ones by their place in the log', async () => {
    await using pool = new SignaturePool(TEST_NETWORK, 1)
    assert.deepEqual(await checked(pool, [frames, forged, new Uint8Array()]), [
      [0, { checked: 6, forged: [] }],
      [1, { checked: 6, forged: [12, 14] }],
      [2, { checked: 0, forged: [] }],
    ])
  })

  it('tells each result to whoever handed the segment over, with more segments than the threads take at once', async () => {
    await using pool = new SignaturePool(TEST_NETWORK, 2)
    const segments = Array.from({ length: 40 }, (_, number) => (number % 3 === 0 ? forged : frames))
    assert.deepEqual(
      await checked(pool, segments),
      segments.map((segment, number) => [number, { checked: 6, forged: segment === forged ? [12, 14] : [] }]),
    )
  })

  it('takes four segments a thread, and the next when one is done', async () => {
    await using pool = new SignaturePool(TEST_NETWORK, 2)
    let done = 0
    const job = { first: 1, frames }
    // Threads answer in a later turn of the event loop: so many are taken at once.
    let taken = 0
    const waiting = Array.from({ length: 9 }, () => pool.check(job, () => done++).then(() => taken++))
    await Promise.resolve()
    await Promise.resolve()
    assert.equal(taken, 8)
    await Promise.all(waiting)
    assert.ok(done > 0)
    await pool.drain()
    assert.equal(done, 9)
  })

  it('has nothing to wait for where nothing was handed over', async () => {
    await using pool = new SignaturePool(TEST_NETWORK, 1)
    await pool.drain()
  })

  it('finds all events of another network forged', async () => {
    await using pool = new SignaturePool(OTHER_NETWORK, 1)
    assert.deepEqual(await checked(pool, [frames]), [[0, { checked: 6, forged: [10, 11, 12, 13, 14, 15] }]])
  })

  it('fails whoever waits where a thread fails: bytes that are no frames', async () => {
    await using pool = new SignaturePool(TEST_NETWORK, 1)
    await pool.check({ first: 1, frames: Uint8Array.of(1, 2, 200) }, () => assert.fail())
    await assert.rejects(pool.drain(), { name: 'VarintError' })
  })
})
