import assert from 'node:assert/strict'
import { DATAGRAMS, thirdPartyPings } from './known/third-party.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('members that there are not, at the address of somebody else', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  for (const standing of ['client', 'member'] as const)
    it(`by a ${standing} bring that address no more than one datagram of each node`, async () => {
      const report = await perform(network, thirdPartyPings, { standing, keys: 1, seconds: 20 })
      const datagrams = report.facts.get(DATAGRAMS)
      assert.ok(
        datagrams !== undefined && datagrams <= network.nodes.length,
        `${datagrams} datagrams came to somebody who never asked`,
      )
      assertHolds(report)
    })
})
