import { spentResources } from './known/resources.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('idle connections, requests for nothing and datagrams of noise', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('cost the others nothing', async () => {
    assertHolds(await perform(network, spentResources, { standing: 'stranger', keys: 1, seconds: 15 }))
  })
})
