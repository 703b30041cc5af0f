import assert from 'node:assert/strict'
import { LocalHealth, suspicionMs } from '../../../src/network/membership/suspicion.ts'

describe('suspicion', () => {
  const table: readonly [members: number, confirmations: number, ms: number][] = [
    [2, 0, 2_500],
    [3, 0, 15_000],
    [3, 1, 2_500],
    [10, 0, 15_000],
    [10, 3, 2_500],
    [15, 0, 17_641],
    [15, 1, 10_291],
    [15, 2, 5_991],
    [15, 3, 2_940],
    [15, 9, 2_940],
    [1_000, 0, 45_000],
    [1_000, 3, 7_500],
  ]
  for (const [members, confirmations, ms] of table) {
    it(`lasts ${ms} ms among ${members} members with ${confirmations} confirmations`, () => {
      assert.equal(Math.round(suspicionMs(members, confirmations, 1_000)), ms)
    })
  }
})

describe('local health', () => {
  it('slows a node down while its probes fail, within a bound, and recovers with each answer', () => {
    const health = new LocalHealth()
    assert.equal(health.multiplier, 1)
    health.better()
    assert.equal(health.multiplier, 1)
    health.worse(3)
    assert.equal(health.multiplier, 4)
    health.worse(100)
    assert.equal(health.multiplier, 9)
    health.better()
    assert.equal(health.multiplier, 8)
  })
})
