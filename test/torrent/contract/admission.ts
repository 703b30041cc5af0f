import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { NodeId } from '../../../src/events/index.ts'
import { dial, digestOf, download, type EngineName, eventually, Lab, sha256 } from '../engine-fixture.ts'
import { message, RawPeer } from '../raw-peer.ts'

const [UNCHOKE, INTERESTED, REQUEST, PIECE, HAVE_NONE] = [1, 2, 6, 7, 15] as const

export function admissionContract(engine: EngineName): void {
  describe('pieces in a network by invitation', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    it('are exchanged with admitted nodes, and with nobody else who proves a key', async () => {
      const admitted = new Set<NodeId>()
      const seeder = await lab.seeder(
        'seeder',
        { 'a.bin': 400_000 },
        { admits: (key) => key !== undefined && admitted.has(key) },
      )
      const [guest, stranger] = [await lab.node('guest'), await lab.node('stranger')]
      admitted.add(guest.id as NodeId)
      await download(guest, seeder.metainfo, [seeder])
      await download(stranger, seeder.metainfo, [seeder])
      await guest.until((said) => said.completed.length === 1)
      assert.equal(await digestOf(join(guest.directory, 'a.bin')), sha256(seeder.files.get('a.bin') ?? new Uint8Array()))
      await dial(stranger, seeder.metainfo.infoHash, [seeder])
      assert.equal(stranger.recorded.verified.length, 0)
      assert.deepEqual(
        seeder.engine.status(seeder.metainfo.infoHash)?.peers.map(({ id }) => id),
        [guest.id],
      )
    })

    it('are exchanged no more from the moment on that the admission is taken back', async () => {
      let isAdmitted = true
      const seeder = await lab.seeder('seeder', { 'a.bin': 400_000 }, { admits: (key) => key !== undefined && isAdmitted })
      const guest = await lab.node('guest')
      await download(guest, seeder.metainfo, [seeder])
      await guest.until((said) => said.completed.length === 1)
      isAdmitted = false
      seeder.engine.enforceAdmission()
      assert.deepEqual(seeder.engine.status(seeder.metainfo.infoHash)?.peers, [])
    })

    it('are not served to a BitTorrent client that proves no key, unless such are admitted', async () => {
      for (const isOpen of [false, true]) {
        const admits = (key: NodeId | undefined) => key !== undefined || isOpen
        const { engine, metainfo } = await lab.seeder(`seeder-${isOpen}`, { 'a.bin': 100_000 }, { admits })
        const peer = await RawPeer.dial(engine.port, metainfo.infoHash, { extended: false })
        peer.send(message(HAVE_NONE), message(INTERESTED))
        const has = (id: number) => peer.messages.some((each) => each[0] === id)
        if (isOpen) {
          await eventually(() => has(UNCHOKE))
          peer.send(message(REQUEST, 0, 0, 16_384))
          await eventually(() => has(PIECE))
        } else await peer.closed
        assert.equal(has(PIECE), isOpen)
        peer.end()
      }
    })
  })
}
