import assert from 'node:assert/strict'
import { emptyAnswers, forgedAnswers } from './known/owned-keywords.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('keys that were made to own a keyword', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  beforeEach(async () => {
    network = await HonestNetwork.start()
  })

  afterEach(() => network?.end())

  it('in all three places hide no publication', async () => {
    assertHolds(await perform(network, emptyAnswers, { standing: 'stranger', keys: 3, seconds: 12 }))
  })

  it('in the first place hide nothing from a search that others can answer', async () => {
    assertHolds(await perform(network, emptyAnswers, { standing: 'member', keys: 1, seconds: 12 }))
  })

  it('put no hit into an answer that nobody has signed', async () => {
    const report = await perform(network, forgedAnswers, { standing: 'member', keys: 1, seconds: 12 })
    assert.equal(report.foreignHits, 0, `${report.foreignHits} hits are forged`)
    assertHolds(report)
  })
})
