import assert from 'node:assert/strict'
import { countOf, download, type EngineName, eventually, Lab, NO_LIMITS } from '../engine-fixture.ts'

/** Bytes, and the rate that is asked for: two seconds' worth. */
const SIZE = 3_000_000
const RATE = 1_500_000

export function limitsContract(engine: EngineName): void {
  describe('limits', () => {
    let lab: Lab
    beforeEach(() => {
      lab = new Lab(engine)
    })
    afterEach(() => lab[Symbol.asyncDispose]())

    const secondsOf = async (
      limited: (nodes: { seeder: Awaited<ReturnType<Lab['seeder']>>; leecher: Awaited<ReturnType<Lab['node']>> }) => void,
    ) => {
      const seeder = await lab.seeder('seeder', { 'a.bin': SIZE })
      const leecher = await lab.node('leecher')
      limited({ seeder, leecher })
      const began = performance.now()
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => said.completed.length === 1)
      return (performance.now() - began) / 1_000
    }
    /** A quarter of a second's worth may come at once; no more than that is faster. */
    const LEAST_S = SIZE / RATE - 0.3

    it('of what is uploaded hold from the moment they are set', async () => {
      const seconds = await secondsOf(({ seeder }) => seeder.engine.configure({ ...NO_LIMITS, uploadBytesPerSecond: RATE }))
      assert.ok(seconds >= LEAST_S, `${seconds} s`)
    })

    it('of what is downloaded hold from the moment they are set', async () => {
      const seconds = await secondsOf(({ leecher }) => leecher.engine.configure({ ...NO_LIMITS, downloadBytesPerSecond: RATE }))
      // Each engine may read ahead what fits a socket.
      assert.ok(seconds >= LEAST_S * 0.5, `${seconds} s`)
    })

    it('end when they are taken back, in the midst of a download', async () => {
      const seeder = await lab.seeder('seeder', { 'a.bin': 20_000_000 })
      const leecher = await lab.node('leecher')
      seeder.engine.configure({ ...NO_LIMITS, uploadBytesPerSecond: 500_000 })
      await download(leecher, seeder.metainfo, [seeder])
      await leecher.until((said) => countOf(said.verified) > 0)
      seeder.engine.configure(NO_LIMITS)
      // 40 s at the rate that was set first.
      await leecher.until((said) => said.completed.length === 1, 10_000)
    })

    if (engine === 'p2pt') {
      it('of one torrent leave the others alone', async () => {
        const seeder = await lab.seeder('seeder', { 'a.bin': SIZE })
        const other = await lab.shared([seeder], SIZE, 65_536)
        const leecher = await lab.node('leecher')
        seeder.engine.limit(seeder.metainfo.infoHash, { downloadBytesPerSecond: 0, uploadBytesPerSecond: RATE })
        const began = performance.now()
        await download(leecher, seeder.metainfo, [seeder])
        await download(leecher, other.metainfo, [seeder])
        await leecher.until((said) => said.completed.length === 1)
        assert.deepEqual(leecher.recorded.completed, [other.metainfo.infoHash])
        await leecher.until((said) => said.completed.length === 2)
        assert.ok((performance.now() - began) / 1_000 >= LEAST_S)
      })

      it('of a class of peers hold for that class alone', async () => {
        const seconds = await secondsOf(({ seeder, leecher }) => {
          seeder.engine.configure({ ...NO_LIMITS, localUploadBytesPerSecond: RATE, remoteUploadBytesPerSecond: 1 })
          leecher.engine.configure({ ...NO_LIMITS, remoteDownloadBytesPerSecond: 1 })
        })
        assert.ok(seconds >= LEAST_S, `${seconds} s`)
      })

      it('of connections turn away who comes beyond them, and close what is too many', async () => {
        const seeder = await lab.seeder('seeder', { 'a.bin': 100_000 })
        const peersOf = () => seeder.engine.status(seeder.metainfo.infoHash)?.peers.length
        seeder.engine.configure({ ...NO_LIMITS, connectionsMax: 2 })
        const leechers = [await lab.node('one'), await lab.node('two'), await lab.node('three')]
        for (const leecher of leechers) await download(leecher, seeder.metainfo, [seeder])
        const done = () => leechers.filter(({ recorded }) => recorded.completed.length === 1).length
        await eventually(() => done() === 2)
        assert.equal(peersOf(), 2)
        seeder.engine.configure({ ...NO_LIMITS, connectionsMax: 1 })
        await eventually(() => (peersOf() ?? 0) <= 1)
      })
    }
  })
}
