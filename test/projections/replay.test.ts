import assert from 'node:assert/strict'
import type { Envelope } from '../../src/events/index.ts'
import { replay } from '../../src/projections/index.ts'

const event = (seq: number): Envelope => ({ seq }) as Envelope

/** A log of so many events, in batches of two. */
const logOf = (count: number) => ({
  async *readBatches({ from = 1, to = count } = {}) {
    for (let seq = from; seq <= to; seq += 2) yield [event(seq), event(seq + 1)].filter((one) => one.seq <= to)
  },
})

describe('a replay', () => {
  it('folds one event where there is one, and none where there is none', async () => {
    const seen: number[] = []
    const apply = ({ seq }: Envelope) => void seen.push(seq)
    await replay({ log: logOf(5), from: 3, to: 3, kinds: [], apply })
    await replay({ log: logOf(5), from: 4, to: 3, kinds: [], apply })
    assert.deepEqual(seen, [3])
  })

  it('goes on when what is done between two batches is done', async () => {
    const steps: string[] = []
    await replay({
      log: logOf(3),
      from: 1,
      to: 3,
      kinds: [],
      apply: ({ seq }) => void steps.push(`event ${seq}`),
      async passing(seq) {
        await new Promise<void>((resolve) => setImmediate(resolve))
        steps.push(`passed ${seq}`)
      },
    })
    assert.deepEqual(steps, ['event 1', 'event 2', 'passed 2', 'event 3', 'passed 3'])
  })
})
