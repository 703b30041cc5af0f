import assert from 'node:assert/strict'
import { TransferTurns } from '../../../src/torrent/swarm/transfer-turns.ts'
import { madeUp, SwarmLab } from './swarm-lab.ts'

const RATE = 1_000_000

describe('two torrents of one seeder', () => {
  it('have half of its rate each, though one has six peers and the other one', async () => {
    const lab = new SwarmLab()
    const uploads = new TransferTurns({ timers: lab.time, now: () => lab.time.now() })
    uploads.all.set(RATE)
    const torrents = [1, 6].map((peers, at) => {
      // More than comes in that time.
      const { metainfo, bytes } = madeUp(100 + at)
      const seeder = lab.peer(`seeder ${at}`, metainfo, { has: bytes, swarm: { uploads } })
      const leechers = Array.from({ length: peers }, (_, each) => lab.peer(`leecher ${at}${each}`, metainfo))
      return { seeder, leechers }
    })
    const all = torrents.flatMap(({ seeder, leechers }) => [seeder, ...leechers])
    await lab.until('all are ready', () => all.every(({ swarm }) => swarm.status.isReady))
    for (const { seeder, leechers } of torrents) for (const leecher of leechers) lab.join(leecher, seeder)
    await lab.time.advance(2_000)
    const given = () => torrents.map(({ seeder }) => seeder.swarm.status.uploadedBytes)
    const before = given()
    await lab.time.advance(6_000)
    const [one = 0, other = 0] = given().map((bytes, at) => bytes - (before[at] ?? 0))
    assert.ok(Math.abs((one + other) / (6 * RATE) - 1) < 0.05, `${one + other}`)
    assert.ok(Math.abs(one / other - 1) < 0.05, `${one} and ${other}`)
    await Promise.all(all.map(({ swarm }) => swarm.close()))
  })
})
