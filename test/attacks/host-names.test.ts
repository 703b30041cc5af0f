import { hostNames } from './known/host-names.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('members whose address is a host name, or no address at all', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('end no node', async () => {
    assertHolds(await perform(network, hostNames, { standing: 'stranger', keys: 1, seconds: 12 }))
  })

  it('end no node that starts again with them in its log', async () => {
    await Promise.all(network.members.map((node) => network.restart(node)))
    await network.cluster.allAliveWithin(60)
    assertHolds(await perform(network, undefined, { standing: 'stranger', keys: 0, seconds: 5 }))
  })
})
