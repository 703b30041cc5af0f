import assert from 'node:assert/strict'
import { TorrentError } from '../../../src/torrent/engine.ts'
import { checkInfo } from '../../../src/torrent/metainfo.ts'
import { bitfieldOf } from '../../../src/torrent/piece-ranges.ts'
import { sha1 } from '../../../src/torrent/sha1.system.ts'
import type { PublicSources } from '../../../src/torrent/sources/public-sources.ts'
import type { PieceFiles } from '../../../src/torrent/swarm/peer-swarm.ts'
import { ScriptedPeer } from './scripted-peer.ts'
import { all, blocksOf, eventsOf, filesOf, NO_SOURCES, only, PUBLIC } from './surroundings.ts'
import { type LabPeer, madeUp, SwarmLab } from './swarm-lab.ts'

// What a swarm does with files, with what it learns of its torrent, and with time.

describe('the life of a swarm', () => {
  const { metainfo, bytes } = madeUp(4)
  let lab: SwarmLab
  beforeEach(() => {
    lab = new SwarmLab()
  })
  const ready = async (peer: LabPeer): Promise<LabPeer> => {
    await lab.until('it is ready', () => peer.swarm.status.isReady)
    return peer
  }
  type Options = NonNullable<Parameters<SwarmLab['peer']>[2]>['swarm']
  const seeder = (swarm: Options = {}) => ready(lab.peer('seeder', metainfo, { has: bytes, swarm }))
  const leecher = (swarm: Options = {}) => ready(lab.peer('leecher', metainfo, { swarm: { wanted: all, ...swarm } }))
  const withFiles = (more: Partial<PieceFiles>) =>
    leecher({ openFiles: async () => ({ files: filesOf(more), found: undefined }) })
  const unchoked = (one: LabPeer, host = '192.0.2.1', ...pieces: number[]): ScriptedPeer => {
    const peer = new ScriptedPeer(one, { host })
    if (pieces.length === 0) peer.bare('haveAll')
    else peer.bits(4, ...pieces)
    peer.bare('unchoke')
    return peer
  }

  describe('files', () => {
    it('are closed when what is being written is written, and empty files are made', async () => {
      for (const waits of ['write', 'createEmptyFiles'] as const) {
        const gate = Promise.withResolvers<void>()
        const log: string[] = []
        const one = await withFiles({
          [waits]: async () => {
            log.push(waits)
            await gate.promise
            log.push('done')
          },
          close: async () => void log.push('close'),
        })
        one.swarm.want(only(2, 0, 0, 0))
        const peer = unchoked(one)
        peer.gives(bytes, ...blocksOf(0))
        await lab.time.advance(10)
        const closing = one.swarm.close()
        await lab.time.advance(1_000)
        assert.deepEqual(log, [waits])
        gate.resolve()
        await closing
        assert.deepEqual(log, [waits, 'done', 'close'])
      }
    })

    it('that are wanted are made where they are empty, when all is here', async () => {
      const wanted: boolean[] = []
      const one = await withFiles({
        createEmptyFiles: async (isWanted) => {
          wanted.push(isWanted(0), isWanted(1))
        },
      })
      one.swarm.want({ ...only(2, 0, 0, 0), isFileWanted: (file) => file === 1 })
      unchoked(one).gives(bytes, ...blocksOf(0))
      await lab.time.advance(10)
      assert.deepEqual(wanted, [false, true])
    })

    it('settle with what they say of themselves; before they are open there is nothing to settle', async () => {
      const stamp = [{ file: 0, stamp: { sizeBytes: 1, modifiedAt: 2 } }] as unknown as Awaited<
        ReturnType<PieceFiles['settle']>
      >
      const asked: (readonly number[])[] = []
      const early = lab.peer('early', metainfo)
      assert.deepEqual(await early.swarm.settle([0]), [])
      const one = await withFiles({
        settle: async (files) => {
          asked.push(files)
          return stamp
        },
      })
      assert.deepEqual([await one.swarm.settle([0, 2]), asked], [stamp, [[0, 2]]])
    })

    it('that cannot be read any more, or that somebody changed, are a problem of the torrent', async () => {
      let changed: (error: Error) => void = () => {}
      const read = async () => Promise.reject(new TorrentError('DISK', 'permission denied'))
      const openFiles: NonNullable<Options>['openFiles'] = async (_metainfo, _signal, onChanged) => {
        changed = onChanged
        return { files: filesOf({ read }), found: bitfieldOf([{ first: 0, count: 4 }], 4) }
      }
      const one = await ready(lab.peer('seeder', metainfo, { has: bytes, swarm: { openFiles } }))
      const peer = new ScriptedPeer(one)
      peer.bare('interested')
      peer.asks(0, 0)
      await lab.time.advance(10)
      assert.deepEqual([one.failed, peer.heard().at(-1)], [['permission denied'], 'reject 0:0'])
      changed(new Error('somebody wrote to it'))
      assert.deepEqual(one.failed, ['permission denied', 'somebody wrote to it'])
      await one.swarm.close()
      changed(new Error('too late'))
      assert.equal(one.failed.length, 2)
    })

    it('are opened no further when it is closed meanwhile, and closed then', async () => {
      const opening = Promise.withResolvers<void>()
      const log: string[] = []
      const one = lab.peer('one', metainfo, {
        swarm: {
          openFiles: async (_metainfo, signal) => {
            signal.addEventListener('abort', () => log.push((signal.reason as Error).message))
            await opening.promise
            return { files: filesOf({ close: async () => void log.push('closed') }), found: undefined }
          },
          onClosed: () => log.push('closing'),
        },
      })
      const closing = one.swarm.close()
      assert.deepEqual(log, ['closing', 'the torrent is closed'])
      opening.resolve()
      await closing
      assert.deepEqual([log.at(-1), one.swarm.status.isReady, one.failed], ['closed', false, []])
    })
  })

  describe('what it learns', () => {
    /** A magnet link among a seeder, which gives the metainfo, and a peer that came before. */
    const magnet = (swarm: Options = {}) => {
      const one = lab.peer('magnet', metainfo, { knows: false, swarm: { wanted: all, ...swarm } })
      const early = new ScriptedPeer(one)
      early.bits(4, 0, 3)
      early.bare('unchoke')
      assert.deepEqual(early.heard(), ['haveNone'], 'nobody knows yet what to ask for')
      return { one, early }
    }

    it('it tells peers that came before, of what was found on the disk too, and asks them', async () => {
      const found = bitfieldOf([{ first: 0, count: 2 }], 4)
      const { one, early } = magnet({ openFiles: async () => ({ files: filesOf(), found }) })
      lab.join(one, await seeder({ uploadSlots: () => -1 }))
      await lab.until('it is ready', () => one.swarm.status.isReady)
      assert.deepEqual(early.heard(), ['have 0', 'have 1', 'interested', ...blocksOf(3).map((block) => `request ${block}`)])
    })

    it('ends what is public about it where it turns out to be private', async () => {
      for (const isPrivate of [false, true]) {
        const log: string[] = []
        const sources = { ...NO_SOURCES, close: async () => void log.push('close') } as unknown as PublicSources
        const { one } = magnet({
          ...{ sources: PUBLIC, openSources: () => sources },
          checkInfo: async (info) => ({ ...checkInfo(info, sha1), isPrivate }),
        })
        lab.join(one, await seeder())
        await lab.until('it is ready', () => one.swarm.status.isReady)
        assert.deepEqual([log, one.swarm.isPublic], [isPrivate ? ['close'] : [], !isPrivate])
        await one.swarm.close()
      }
    })

    it('is a problem where it cannot be taken, and nothing where it is closed meanwhile', async () => {
      const described: string[] = []
      const events = { ...eventsOf([]), described: () => void described.push('described') }
      const broken = magnet({ checkInfo: async () => Promise.reject(new TorrentError('DISK', 'its names are odd')) }).one
      const gate = Promise.withResolvers<void>()
      const { one } = magnet({
        events,
        checkInfo: async (info) => {
          await gate.promise
          return checkInfo(info, sha1)
        },
      })
      const known = await seeder()
      lab.join(broken, known)
      lab.join(one, known)
      await lab.time.advance(1_000)
      assert.deepEqual(broken.failed, ['its names are odd'])
      const closing = one.swarm.close()
      gate.resolve()
      await closing
      assert.deepEqual([described, one.swarm.pieceCount], [[], undefined])
    })

    it('is told when it is closed, down to the last piece', async () => {
      const one = await leecher({ wanted: only(2, 2, 0, 0) })
      unchoked(one).gives(bytes, ...blocksOf(0))
      await lab.time.advance(10)
      assert.deepEqual(one.verified, [])
      await one.swarm.close()
      assert.deepEqual(one.verified, [{ first: 0, count: 1 }])
    })
  })

  describe('time', () => {
    it('is watched until it is closed, and no more', async () => {
      let isClosed = false
      const since: number[] = []
      const timers = {
        after: (delayMs: number, run: () => void) => {
          if (isClosed) since.push(delayMs)
          return lab.time.after(delayMs, run)
        },
      }
      const one = await leecher({ timers })
      unchoked(one)
      await one.swarm.close()
      isClosed = true
      await lab.time.advance(60_000)
      assert.deepEqual(since, [])
    })

    it('goes on after a fault of ours in it, which is a problem of this torrent', async () => {
      let faults = 0
      const one = await leecher({
        hasRoom: () => {
          if (++faults > 3) throw new Error('a fault')
          return true
        },
      })
      await lab.time.advance(10_000)
      assert.ok(one.failed.length >= 5)
      assert.deepEqual([...new Set(one.failed)], ['a fault'])
      const slots = await seeder({
        uploadSlots: () => {
          if (lab.time.now() > from) throw new Error('no slots')
          return 4
        },
      })
      await lab.time.advance(10_000)
      assert.ok(slots.failed.includes('no slots'))
    })
    let from = 0
    beforeEach(() => {
      from = lab.time.now() + 15_000
    })

    it('is what rates are kept to from the beginning', async () => {
      const one = await seeder({ rates: { downloadBytesPerSecond: 0, uploadBytesPerSecond: 20_000 } })
      const other = await leecher()
      lab.join(other, one)
      await lab.time.advance(5_000)
      assert.ok(one.swarm.status.uploadedBytes < 200_000, `${one.swarm.status.uploadedBytes}`)
      assert.ok(one.swarm.status.uploadedBytes > 50_000, `${one.swarm.status.uploadedBytes}`)
    })
  })
})
