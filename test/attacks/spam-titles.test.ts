import { spamTitles } from './known/publications.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, INDEX_STOCK_BYTES, perform } from './stage.ts'

describe('thousands of titles under one word', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('leave the honest ones on the first page', async () => {
    const report = await perform(network, spamTitles, { standing: 'client', keys: 1, seconds: 15 })
    assertHolds(report, { logBytes: INDEX_STOCK_BYTES })
  })
})
