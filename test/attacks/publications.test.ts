import { publicationFlood } from './known/publications.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, INDEX_STOCK_BYTES, perform } from './stage.ts'

describe('publications as fast as a link takes them', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('take neither memory nor disk nor time from the others', async () => {
    assertHolds(await perform(network, publicationFlood, { standing: 'stranger', keys: 1, seconds: 20 }))
  })

  const bounds = { memoryBytes: 50e6, logBytes: INDEX_STOCK_BYTES, delayMsP99: 100 }
  for (const keys of [1, 50]) {
    it(`take no more than the budget of one invitation, with ${keys} of its keys`, async () => {
      assertHolds(await perform(network, publicationFlood, { standing: 'client', keys, seconds: 20 }), bounds)
    })
  }
})
