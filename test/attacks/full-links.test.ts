import assert from 'node:assert/strict'
import { FALSELY_READY, fullLinks, KNOWN, LINKED } from './known/full-links.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('fifty keys that take the places of links', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start({ newcomers: 1 })
  })

  after(() => network?.end())

  it('keep no newcomer from the members, and do not pass for a network', async () => {
    const report = await perform(network, fullLinks, { standing: 'client', keys: 50, seconds: 35 })
    assert.equal(report.fault, undefined)
    assert.equal(report.facts.get(KNOWN), network.members.length, 'members that the newcomer knows')
    assert.ok((report.facts.get(LINKED) ?? 0) >= 1, 'the newcomer has no link to a member')
    assert.equal(report.facts.get(FALSELY_READY), 0, 'it called itself ready without a member')
    assertHolds(report)
  })
})
