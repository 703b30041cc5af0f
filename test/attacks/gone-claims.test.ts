import { goneClaims } from './known/gone-claims.ts'
import { HonestNetwork } from './network.ts'
import { assertHolds, perform } from './stage.ts'

describe('unsigned words about the events of members', function () {
  this.timeout(400_000)
  let network: HonestNetwork

  before(async () => {
    network = await HonestNetwork.start()
  })

  after(() => network?.end())

  it('by two clients keep no member from being heard: its restart is known to all', async () => {
    assertHolds(await perform(network, goneClaims, { standing: 'client', keys: 2, seconds: 18 }))
  })

  it('by two members that have turned keep no other from being heard', async () => {
    assertHolds(await perform(network, goneClaims, { standing: 'member', keys: 2, seconds: 18 }))
  })

  it('keep nobody from telling all of a crash', async () => {
    const [, victim] = network.indexNodes
    if (victim === undefined) throw new RangeError('there are three index nodes')
    await victim.kill('SIGKILL')
    await network.cluster.believedWithin(victim, 'dead', 45)
  })
})
