import assert from 'node:assert/strict'
import { parametersOf, policyOf, SEED_V1 } from '../../../src/projections/reputation/policy.ts'
import { node } from '../envelopes.ts'

const adopt = (parameters: Record<string, number>) => policyOf({ policy: 'mine', parameters })

describe('a policy that is adopted', () => {
  it('has each parameter within its bounds; one past them stays as it was', () => {
    const bounds: readonly [keyof typeof SEED_V1, number, number][] = [
      ['start', 0, 1_000_000],
      ['good', 0, 1_000_000],
      ['bad', 0, 1_000_000],
      ['windowPieces', 1, 4096],
      ['windowPiecesMin', 1, 4096],
      ['windowBad', 1, 4096],
      ['reporterClamp', 0, 1_000_000],
      ['quorum', 1, 1_000_000],
    ]
    for (const [name, min, max] of bounds) {
      for (const value of [min, max]) assert.equal(adopt({ [name]: value })[name], value, name)
      for (const value of [min - 1, max + 1, min + 0.5, Number.NaN])
        assert.equal(adopt({ [name]: value })[name], SEED_V1[name], name)
    }
  })

  it('trusts the keys that it names with anything but 0', () => {
    const [ada, bob] = [node('ada'), node('bob')]
    assert.deepEqual(adopt({ [`trust:${ada}`]: 1, [`trust:${bob}`]: 0, 'trust:nobody': 1 }).trusted, [ada])
    const policy = adopt({ [`trust:${ada}`]: 1, [`trust:${bob}`]: 2, start: 7, unknown: 3 })
    assert.deepEqual(policyOf({ policy: 'mine', parameters: parametersOf(policy) }), policy)
  })
})
