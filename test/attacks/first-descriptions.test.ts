import { firstDescriptions } from './known/false-descriptions.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('descriptions of what others have published, stamped as if they had been first', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('change neither title nor size nor tags', async () => {
    assertHolds(await perform(network, firstDescriptions, { standing: 'client', keys: 1, seconds: 12 }))
  })
})
