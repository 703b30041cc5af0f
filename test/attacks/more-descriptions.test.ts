import { moreDescriptions } from './known/false-descriptions.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('more descriptions than the one of the publisher', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('change neither title nor size nor tags', async () => {
    assertHolds(await perform(network, moreDescriptions, { standing: 'client', keys: 2, seconds: 12 }))
  })
})
