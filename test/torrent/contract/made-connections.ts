import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import type { InfoHash } from '../../../src/events/index.ts'
import type { MadeConnection } from '../../../src/torrent/engine.ts'
import { dial, type EngineName, Lab } from '../engine-fixture.ts'

/** The two ends of a connection, as sockets have them. */
export function connectionPair(): [MadeConnection, MadeConnection] {
  const ends: Duplex[] = []
  const end = (remotePort: number, other: () => Duplex | undefined) => {
    const duplex = new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        other()?.push(chunk)
        done()
      },
      final(done) {
        other()?.push(null)
        done()
      },
    })
    ends.push(duplex)
    return Object.assign(duplex, { remoteAddress: '198.51.100.1', remotePort, setNoDelay: () => {} })
  }
  return [end(4_001, () => ends[1]), end(4_002, () => ends[0])]
}

export function madeConnectionsContract(engine: EngineName): void {
  describe('connections made elsewhere', function () {
    this.timeout(20_000)
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    it('carry a torrent like any other, with its peers known by their keys', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 600_000 })
      const leecher = await lab.node('leecher')
      const { infoHash, torrentFile } = seeder.metainfo
      await leecher.engine.add({ kind: 'torrent-file', bytes: torrentFile }, { directory: leecher.directory })
      await dial(leecher, infoHash, [])
      const [ours, theirs] = connectionPair()
      seeder.engine.adopt(theirs)
      leecher.engine.adopt(ours, infoHash)
      await leecher.until((said) => said.completed.length === 1)
      assert.deepEqual(leecher.recorded.peers[0], { change: 'joined', peer: seeder.id })
      assert.ok(leecher.recorded.judged.every(({ subject }) => subject === seeder.id))
    })

    it('end at once when the torrent is not there', async () => {
      const node = await lab.node('node')
      const [ours, theirs] = connectionPair()
      node.engine.adopt(ours, 'a'.repeat(40) as InfoHash)
      assert.equal((ours as unknown as Duplex).destroyed, true)
      theirs.destroy()
    })
  })
}
