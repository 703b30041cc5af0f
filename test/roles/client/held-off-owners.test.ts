import { deepEqual, equal } from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { HeldOffOwners } from '../../../src/roles/client/held-off-owners.ts'
import { node } from '../../projections/envelopes.ts'

const HELD_OFF_MS = 10 * 60_000
const OWNERS_MAX = 256

describe('owners that are held off', () => {
  const [ada, bob, eve] = [node('ada'), node('bob'), node('eve')]
  let now: number
  let heldOff: HeldOffOwners
  beforeEach(() => {
    now = 0
    heldOff = new HeldOffOwners(() => now)
  })
  const many = (count: number): NodeId[] => Array.from({ length: count }, (_, at) => node(`owner ${at}`))

  it('are asked after the others, each group in its order', () => {
    heldOff.holdOff(bob)
    heldOff.holdOff(ada)
    deepEqual(heldOff.last([ada, eve, bob, node('dora')]), [eve, node('dora'), ada, bob])
    deepEqual(heldOff.last([eve]), [eve])
    deepEqual(heldOff.last([]), [])
  })

  it('are so for ten minutes, and not one ms more', () => {
    heldOff.holdOff(ada)
    equal(heldOff.isHeldOff(bob), false)
    now = HELD_OFF_MS - 1
    equal(heldOff.isHeldOff(ada), true)
    now = HELD_OFF_MS
    equal(heldOff.isHeldOff(ada), false)
    deepEqual(heldOff.last([ada, bob]), [ada, bob])
  })

  it('are so for ten minutes again after each lie', () => {
    heldOff.holdOff(ada)
    now = HELD_OFF_MS - 1
    heldOff.holdOff(ada)
    now += HELD_OFF_MS - 1
    equal(heldOff.isHeldOff(ada), true)
  })

  it('are 256 at most, of which the one that lied longest ago gives way', () => {
    for (const owner of many(OWNERS_MAX)) heldOff.holdOff(owner)
    equal(
      many(OWNERS_MAX).every((owner) => heldOff.isHeldOff(owner)),
      true,
    )
    // It has lied again since: the next one is the oldest.
    heldOff.holdOff(node('owner 0'))
    heldOff.holdOff(ada)
    deepEqual(
      [node('owner 0'), node('owner 1'), node('owner 2'), ada].map((owner) => heldOff.isHeldOff(owner)),
      [true, false, true, true],
    )
  })
})
