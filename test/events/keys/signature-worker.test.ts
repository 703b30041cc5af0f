import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { encodeFrame } from '../../../src/events/segments/segment.ts'
import { foreign, signerOf } from '../samples.ts'
import { TEST_NETWORK } from '../test-network.ts'

describe('the thread that checks signatures', () => {
  it('answers each segment, in turn, with how many events it has and which are forged', async () => {
    const events = Array.from({ length: 3 }, (_, index) => foreign(signerOf(1), index + 1, index + 1))
    const [first, second, third] = events
    assert.ok(first && second && third)
    const worker = new Worker(new URL('../../../src/events/keys/signature-worker.sodium.ts', import.meta.url), {
      workerData: TEST_NETWORK,
    })
    try {
      const answers: unknown[] = []
      for (const segment of [
        events,
        [first, { ...second, signature: third.signature }, third],
        [first, second, { ...third, body: Uint8Array.of(8, 1) }],
        [],
      ]) {
        worker.postMessage({ first: 100, frames: segment.length === 0 ? new Uint8Array() : encodeFrame(segment) })
        answers.push((await once(worker, 'message'))[0])
      }
      assert.deepEqual(answers, [
        { checked: 3, forged: [] },
        { checked: 3, forged: [101] },
        { checked: 3, forged: [102] },
        { checked: 0, forged: [] },
      ])
    } finally {
      await worker.terminate()
    }
  })
})
