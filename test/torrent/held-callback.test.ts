import assert from 'node:assert/strict'
import { held } from '../../src/torrent/held-callback.ts'

describe('a held callback', () => {
  const failing: Readonly<Record<string, () => unknown>> = {
    'throws an error': () => {
      throw new Error('bad bytes')
    },
    'throws no error': () => {
      throw 'bad bytes'
    },
    'gives a promise that fails': async () => {
      throw new Error('bad bytes')
    },
  }
  for (const [how, run] of Object.entries(failing)) {
    it(`tells who holds it when it ${how}, and lets nothing out`, async () => {
      const failures: unknown[] = []
      held(
        (_wire: string) => run(),
        (reason, [wire]) => failures.push([reason, wire]),
      )('wire')
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(failures, [['bad bytes', 'wire']])
    })
  }

  it('does its work with what it is given', async () => {
    const seen: number[] = []
    held(
      async (a: number, b: number) => seen.push(a + b),
      () => assert.fail('nothing failed'),
    )(1, 2)
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(seen, [3])
  })
})
