import assert from 'node:assert/strict'
import type { Millis } from '../../src/events/index.ts'
import { systemClock } from '../../src/events/model/time.system.ts'
import { eventually, Lab, NO_LIMITS } from './engine-fixture.ts'
import { message, RawPeer } from './raw-peer.ts'

// Inbound connections are a share of all (0.6): of ten, six.

describe('our own engine with no room for one more inbound connection', () => {
  let lab: Lab
  let later = 0
  const clock = { now: () => (systemClock.now() + later) as Millis }

  beforeEach(() => {
    lab = new Lab('p2pt')
    later = 0
  })
  afterEach(() => lab[Symbol.asyncDispose]())

  async function fullSeeder() {
    const seeder = await lab.seeder('seeder', { 'a.bin': 100_000 }, { clock })
    seeder.engine.configure({ ...NO_LIMITS, connectionsMax: 10 })
    const { infoHash } = seeder.metainfo
    const dial = () => RawPeer.dial(seeder.engine.port, infoHash)
    const here: RawPeer[] = []
    for (let count = 0; count < 6; count++) here.push(await dial())
    return { seeder, dial, here }
  }

  const isClosed = ({ socket }: RawPeer) => socket.destroyed

  it('turns one more away while those that are here came within twenty seconds', async () => {
    const { dial, here } = await fullSeeder()
    later = 19_000
    const more = await dial()
    await more.closed
    assert.equal(more.bytesReceived, 0)
    assert.deepEqual(here.filter(isClosed), [])
  })

  it('gives one more the place of who gave and took nothing for longest', async () => {
    const { dial, here } = await fullSeeder()
    const [first, second] = here
    later = 15_000
    first?.send(message(2))
    await eventually(() => (first?.messages ?? []).some(([id]) => id === 1))
    first?.send(message(6, 0, 0, 16_384))
    await eventually(() => (first?.bytesReceived ?? 0) > 16_384)
    later = 21_000
    const more = await dial()
    assert.ok(more.bytesReceived >= 68)
    await second?.closed
    assert.deepEqual(here.filter(isClosed), [second])
  })
})
