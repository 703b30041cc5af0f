import assert from 'node:assert/strict'
import { clockJumps } from './known/clock-jumps.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('events as far apart as a clock may jump, faster than their author may send', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('cost the node that relays them none of its links, and nobody the rest', async () => {
    const report = await perform(network, clockJumps, { standing: 'stranger', keys: 1, seconds: 15 })
    const charged: string[] = []
    const honest = new Set<string>(network.nodes.map(({ id }) => id))
    for (const node of network.nodes) {
      await node.ask(async (service) => {
        for await (const { event } of service.events({ kinds: ['event.quarantined'] })) {
          if (honest.has(String(event.sender)))
            charged.push(`${node.role} ${node.index}: ${event.reason}, ${event.count} times`)
        }
      })
    }
    assert.deepEqual(charged, [], 'honest nodes hold these offences against honest nodes')
    const links = await Promise.all(network.nodes.map(async (node) => (await node.ask((one) => one.links())) ?? []))
    const lacking = network.nodes.filter(
      (_, at) => links[at]?.filter(({ peer }) => honest.has(peer)).length !== network.nodes.length - 1,
    )
    assert.deepEqual(
      lacking.map(({ role, index }) => `${role} ${index} has lost an honest link`),
      [],
    )
    assertHolds(report)
  })
})
