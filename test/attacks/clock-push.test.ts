import assert from 'node:assert/strict'
import { clockPush } from './known/clock-jumps.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

/** Stamps a second, and seconds of grace: 2^53 last for 4,000 years. */
const STAMPS_A_SECOND = 2 ** 16
const GRACE_S = 3_600

describe('events that push the clock', function () {
  this.timeout(400_000)
  let network: HonestNetwork
  const from = performance.now()

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('leave it below what the age of the network allows', async () => {
    const report = await perform(network, clockPush, { standing: 'stranger', keys: 1, seconds: 12 })
    for (const node of network.nodes) {
      const lamport = (await node.status())?.log.lamport
      const ageS = (performance.now() - from) / 1_000
      assert.ok(lamport !== undefined && lamport <= STAMPS_A_SECOND * (ageS + GRACE_S), `${node.role} is at ${lamport}`)
    }
    assertHolds(report)
  })
})
