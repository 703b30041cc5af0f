import assert from 'node:assert/strict'
import { upcastSteps } from '../../../migrations/index.ts'
import { type Envelope, type EventKind, upcaster } from '../../../src/events/index.ts'
import { MemoryStore, openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import { tickingClock } from '../samples.ts'
import { describeEventLog } from './event-log.contract.ts'

describeEventLog('the log in memory', async (signer, rules) =>
  openMemoryLog({ signer, clock: tickingClock(), upcast: upcaster(upcastSteps), ...(rules && { rules }) }),
)

describe('the events of a log in memory', () => {
  it('are read without batches in which nothing is, and none are there that are not', async () => {
    const store = new MemoryStore()
    const planned = (seq: number, kind: string) => ({
      ...{ body: Uint8Array.of(seq), signature: Uint8Array.of(9) },
      envelope: { seq, event: { kind } } as unknown as Envelope,
    })
    const events = Array.from({ length: 2_050 }, (_, index) =>
      planned(index + 1, index < 1_024 ? 'node.started' : 'node.stopped'),
    )
    await store.write({ events, runs: [] }, true)
    const sizes = async (from: number, to: number, kinds?: readonly EventKind[]) => {
      const batches: number[] = []
      for await (const batch of store.batches({ from, to, kinds })) batches.push(batch.length)
      return batches
    }
    assert.deepEqual(await sizes(1, 2_050), [1_024, 1_024, 2])
    assert.deepEqual(await sizes(1, 2_050, ['node.stopped']), [1_024, 2])
    assert.deepEqual([await sizes(3, 3), await sizes(1, 2_050, [])], [[1], []])
    assert.deepEqual(
      await store.signedAt([2, 0, 9_999, 1]),
      [2, 1].map((seq) => ({ body: Uint8Array.of(seq), signature: Uint8Array.of(9) })),
    )
    await store.close()
    assert.deepEqual(
      [await store.signedAt([1]), await store.snapshot(), await store.bytesOnDisk(), store.arrivals],
      [[], [], 0, []],
    )
  })
})
