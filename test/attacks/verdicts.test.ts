import { madeUpVerdicts } from './known/verdicts.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, GOSSIP_STOCK_BYTES, perform } from './stage.ts'

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

  const bounds = { memoryBytes: 50e6, logBytes: GOSSIP_STOCK_BYTES, delayMsP99: 100 }
  for (const keys of [1, 50]) {
    it(`take no more than the budget of one invitation, with ${keys} of its keys`, async () => {
      assertHolds(await perform(network, madeUpVerdicts, { standing: 'client', keys, seconds: 20 }), bounds)
    })
  }
})
