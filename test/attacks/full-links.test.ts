import assert from 'node:assert/strict'
import { setTimeout as wait } from 'node:timers/promises'
import { fullLinks } from './known/full-links.ts'
import { HonestNetwork } from './network.ts'
import { type Attack, assertHolds, perform } from './stage.ts'

const FILLED_WITHIN_MS = 15_000
const NEWCOMER_MS = 15_000

describe('fifty keys that take the places of links', function () {
  this.timeout(180_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start({ newcomers: 1 })
  })

  after(() => network?.end())

  it('keep no newcomer from the members, and do not pass for a network', async () => {
    const [newcomer] = network.newcomers
    assert.ok(newcomer)
    const members = new Set<string>(network.members.map(({ id }) => id))
    const falselyReady: string[] = []
    let linked = 0
    let known = 0
    const attack: Attack = async (stage) => {
      const filling = fullLinks(stage)
      await wait(FILLED_WITHIN_MS)
      newcomer.start()
      while (!stage.signal.aborted) {
        const [status, rows, links] = await Promise.all([
          newcomer.status(),
          newcomer.members(),
          newcomer.ask((node) => node.links()),
        ])
        known = rows.filter(({ id, state }) => members.has(id) && state === 'alive').length
        linked = (links ?? []).filter(({ peer }) => members.has(peer)).length
        if (status?.ready === true && known === 0) falselyReady.push(`ready with ${links?.length} links and no member`)
        await wait(250)
      }
      await filling
    }
    const seconds = (FILLED_WITHIN_MS + NEWCOMER_MS) / 1_000
    const report = await perform(network, attack, { standing: 'stranger', keys: 50, seconds })
    assert.equal(known, members.size, `the newcomer knows ${known} of ${members.size} members`)
    assert.ok(linked >= 1, 'the newcomer has no link to a member')
    assert.deepEqual(falselyReady.slice(0, 1), [])
    assertHolds(report)
  })
})
