import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { median, mediansOf, percentile, resultOf } from '../../bench/harness.ts'

describe('the bench harness', () => {
  it('compares a value with what was measured in the same run, and both with their targets', () => {
    const against = { name: 'the old way', value: 50 }
    const finding = { name: 'reads', value: 200, unit: 'events/s', against }
    assert.deepEqual(resultOf('log', finding), {
      bench: 'log',
      name: 'reads',
      value: 200,
      unit: 'events/s',
      against: 'the old way',
      ratio: 4,
      target: null,
      ok: true,
    })
    const table = [
      { target: { atLeast: 200 }, says: '>= 200 events/s', ok: true },
      { target: { atLeast: 201 }, says: '>= 201 events/s', ok: false },
      { target: { atMost: 199 }, says: '<= 199 events/s', ok: false },
      { target: { between: [200, 201] as const }, says: '200 to 201 events/s', ok: true },
      { target: { between: [201, 210] as const }, says: '201 to 210 events/s', ok: false },
      { target: { between: [100, 199] as const }, says: '100 to 199 events/s', ok: false },
      { ratioTarget: { atLeast: 4 }, says: '>= 4x', ok: true },
      { ratioTarget: { atMost: 3 }, says: '<= 3x', ok: false },
      { target: { atLeast: 1 }, ratioTarget: { atLeast: 5 }, says: '>= 1 events/s and >= 5x', ok: false },
    ]
    for (const { says, ok, ...targets } of table) {
      const result = resultOf('log', { ...finding, ...targets })
      assert.deepEqual([result.target, result.ok], [says, ok])
    }
  })

  it('misses a target on a ratio where nothing was compared', () => {
    assert.equal(resultOf('log', { name: 'reads', value: 1, unit: 's', ratioTarget: { atMost: 9 } }).ok, false)
  })

  it('takes medians and percentiles', () => {
    assert.equal(median([3, 1, 2]), 2)
    assert.equal(median([4, 1, 2, 3]), 2.5)
    assert.throws(() => median([]), RangeError)
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    assert.deepEqual([percentile(hundred, 0), percentile(hundred, 0.99), percentile(hundred, 1)], [1, 100, 100])
  })

  it('runs contenders in turn, each round with another first one', async () => {
    const order: string[] = []
    const values = { a: [1, 9, 2], b: [5, 6, 4] }
    const contender = (name: 'a' | 'b') => async () => {
      order.push(name)
      return values[name].shift() ?? 0
    }
    assert.deepEqual(await mediansOf(3, { a: contender('a'), b: contender('b') }), { a: 2, b: 5 })
    assert.equal(order.join(''), 'abbaab')
  })

  it('names its benches to whoever asks for one that it has not, with exit code 2', () => {
    const run = spawnSync(process.execPath, ['bench/run.ts', 'nothing'], { encoding: 'utf8' })
    assert.equal(run.status, 2)
    assert.match(run.stderr, /usage: .*\nbenches: .*log/)
  })
})
