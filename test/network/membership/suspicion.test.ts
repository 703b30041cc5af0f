import assert from 'node:assert/strict'
import { LocalHealth, suspicionMs } from '../../../src/network/membership/suspicion.ts'

describe('suspicion', () => {
  const table: readonly [members: number, confirmations: number, ms: number][] = [
    [2, 0, 3_000],
    [3, 0, 18_000],
    [3, 1, 3_000],
    [10, 0, 18_000],
    [10, 3, 3_000],
    [15, 0, 21_170],
    [15, 1, 12_349],
    [15, 2, 7_189],
    [15, 3, 3_528],
    [15, 9, 3_528],
    [1_000, 0, 54_000],
    [1_000, 3, 9_000],
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
