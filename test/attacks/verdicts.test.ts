import { madeUpVerdicts } from './known/verdicts.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('verdicts about peers that nobody has met', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('take neither memory nor disk nor time from the others', async () => {
    assertHolds(await perform(network, madeUpVerdicts, { standing: 'stranger', keys: 1, seconds: 20 }))
  })
})
