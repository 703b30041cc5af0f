import assert from 'node:assert/strict'
import { ThirdParty, thirdPartyPings } from './known/third-party.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('members that there are not, at the address of somebody else', function () {
  this.timeout(150_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('bring that address no more than one datagram of each node', async () => {
    await using somebody = await ThirdParty.listen()
    const report = await perform(network, thirdPartyPings(somebody.port), { standing: 'stranger', keys: 1, seconds: 20 })
    const { datagrams, bytes } = somebody
    assert.ok(datagrams <= network.nodes.length, `${datagrams} datagrams of ${bytes} bytes came to somebody who never asked`)
    assertHolds(report)
  })
})
