import { accusations } from './known/accusations.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('accusations of members that answer', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  beforeEach(async () => {
    network = await HonestNetwork.start()
  })

  afterEach(() => network?.end())

  it('by two clients have no member held dead or suspected', async () => {
    assertHolds(await perform(network, accusations, { standing: 'client', keys: 2, seconds: 15 }))
  })

  it('by a member that has turned have no other held dead', async () => {
    assertHolds(await perform(network, accusations, { standing: 'member', keys: 1, seconds: 15 }))
  })
})
