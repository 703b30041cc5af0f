import assert from 'node:assert/strict'
import type { NodeId, PeerId, TorrentSources } from '../../../src/events/index.ts'
import { TorrentError } from '../../../src/torrent/engine.ts'
import { checkInfo } from '../../../src/torrent/metainfo.ts'
import { bitfieldOf } from '../../../src/torrent/piece-ranges.ts'
import { sha1 } from '../../../src/torrent/sha1.system.ts'
import type { PublicSources } from '../../../src/torrent/sources/public-sources.ts'
import type { PieceFiles } from '../../../src/torrent/swarm/peer-swarm.ts'
import type { WantedPieces } from '../../../src/torrent/swarm.ts'
import { ScriptedPeer } from './scripted-peer.ts'
import { type LabPeer, madeUp, SwarmLab } from './swarm-lab.ts'

// What a swarm does with what is around it: files, events, the list of whom to dial, time.

const PUBLIC: TorrentSources = { public: true, trackers: [], webSeeds: [], dht: false, local: false }
const NO_SOURCES = { ready: () => {}, completed: () => {}, close: async () => {}, status: () => [] } as unknown as PublicSources
const all: WantedPieces = { priorities: undefined, sequential: true, isFileWanted: () => true }
const only = (...priorities: number[]): WantedPieces => ({ ...all, priorities: Uint8Array.from(priorities) })
const blocksOf = (...pieces: number[]): string[] => pieces.flatMap((index) => [0, 1, 2, 3].map((block) => `${index}:${block}`))
const filesOf = (more: Partial<PieceFiles> = {}): PieceFiles => ({
  ...{ read: async () => {}, write: async () => {}, createEmptyFiles: async () => {} },
  ...{ settle: async () => [], close: async () => {} },
  ...more,
})

describe('a swarm and what is around it', () => {
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

  describe('peers', () => {
    it('are told of once when they join, and once when they leave, by who they are', async () => {
      const told: string[] = []
      const one = await leecher()
      const other = await seeder({ events: { ...eventsOf(told), checked: () => {} } })
      const { cut } = lab.join(one, other)
      await lab.time.advance(100)
      assert.deepEqual(told, [`joined ${one.id}`])
      cut()
      await lab.time.advance(100)
      assert.deepEqual(told, [`joined ${one.id}`, `left ${one.id}`])
      const stranger = new ScriptedPeer(other, { hasExtended: true })
      assert.equal(told.length, 2, 'it may still say who it is')
      stranger.leaves()
      assert.equal(told.length, 2)
    })

    it('are asked at once for what one that leaves owed', async () => {
      const one = await leecher()
      const [first, second] = [unchoked(one), unchoked(one, '192.0.2.2', 0, 1)]
      assert.deepEqual(first.asked(), blocksOf(0, 1, 2, 3))
      const before = second.asked()
      assert.equal(before.length, 4, 'what others owe is asked for a little at a time')
      first.leaves()
      assert.deepEqual([...before, ...second.asked()], blocksOf(0, 1))
    })

    it('that are choked, or were left alone, are not snubbed for the time before they were asked', async () => {
      const one = await leecher()
      const peer = unchoked(one)
      peer.heard()
      for (const block of blocksOf(0, 1, 2, 3)) {
        const [index = 0, at = 0] = block.split(':').map(Number)
        peer.bare('choke')
        peer.rejects(index, at)
      }
      await lab.time.advance(60_000)
      peer.bare('unchoke')
      assert.equal(peer.asked().length, 16)
      await lab.time.advance(15_000)
      assert.deepEqual(peer.heard(), [], 'it has five seconds more')
    })

    it('are asked for more when a quarter of what may be under way is free, to the block', async () => {
      const large = madeUp(20)
      const one = await ready(lab.peer('leecher', large.metainfo, { swarm: { wanted: all } }))
      const peer = new ScriptedPeer(one)
      peer.bare('haveAll')
      peer.bare('unchoke')
      const owed = peer.asked()
      assert.equal(owed.length, 16)
      peer.gives(large.bytes, '0:0', '1:0', '2:0')
      assert.deepEqual(peer.asked(), [])
      peer.gives(large.bytes, '3:0')
      assert.deepEqual(peer.asked(), blocksOf(4))
    })

    it('that are not to blame are asked on, and the one that is is not; its word of the piece is kept as evidence', async () => {
      const one = await leecher()
      const [liar, honest] = [unchoked(one, '192.0.2.1', 0, 1), unchoked(one, '192.0.2.2', 2, 3)]
      assert.deepEqual(liar.asked(), blocksOf(0, 1))
      honest.heard()
      liar.gives(new Uint8Array(bytes.length), ...blocksOf(0))
      await lab.time.advance(10)
      assert.deepEqual(
        liar.heard().filter((word) => word.startsWith('cancel')),
        blocksOf(1).map((block) => `cancel ${block}`),
      )
      assert.deepEqual(honest.heard(), [])
      assert.deepEqual(
        one.swarm.peers().map(({ host, onParole }) => [host, onParole]),
        [
          ['192.0.2.1', true],
          ['192.0.2.2', false],
        ],
      )
      const [bad] = one.judged.flatMap((each) => each.bad)
      assert.deepEqual(
        [bad?.index, bad?.expected, bad?.received],
        [0, sha1([bytes.subarray(0, 65_536)]), sha1([new Uint8Array(65_536)])],
      )
    })

    it('are suspected by name where a piece that several sent is wrong', async () => {
      const suspected: [number, readonly PeerId[]][] = []
      const events = {
        ...eventsOf([]),
        suspected: (_: unknown, index: number, by: readonly PeerId[]) => void suspected.push([index, by]),
      }
      const one = await leecher({ wanted: only(2, 0, 0, 0), events })
      const [first, second] = [unchoked(one), unchoked(one, '192.0.2.2')]
      first.gives(new Uint8Array(bytes.length), '0:0', '0:1')
      second.gives(bytes, '0:2', '0:3')
      await lab.time.advance(10)
      assert.deepEqual(suspected, [[0, ['ip:192.0.2.1', 'ip:192.0.2.2']]])
    })

    it('have no part in a piece that was dropped and came anew', async () => {
      const one = await leecher({ wanted: only(2, 0, 0, 0) })
      const [first, second] = [unchoked(one), unchoked(one, '192.0.2.2')]
      first.gives(new Uint8Array(bytes.length), '0:0')
      one.swarm.want(only(0, 2, 0, 0))
      first.leaves()
      one.swarm.want(only(2, 2, 0, 0))
      second.gives(bytes, ...blocksOf(0))
      await lab.time.advance(1_000)
      assert.deepEqual([...one.written], [0])
      assert.deepEqual(one.judged, [{ subject: 'ip:192.0.2.2', good: [{ first: 0, count: 1 }], bad: [] }])
    })

    it('lose their slot, for others, when they have everything', async () => {
      const one = await seeder()
      const peer = new ScriptedPeer(one)
      peer.bare('interested')
      peer.heard()
      peer.bare('haveAll')
      await lab.time.advance(50)
      assert.deepEqual(peer.heard(), ['choke'])
    })

    it('with one key have one connection: the ghost of one that was started again is closed', async () => {
      const one = await seeder()
      const other = await leecher()
      lab.join(other, one)
      await lab.time.advance(100)
      lab.join(other, one)
      await lab.time.advance(100)
      assert.deepEqual(
        one.swarm.peers().map(({ id }) => id),
        [other.id],
      )
    })

    it('without a key are welcome in a public torrent alone, and closed when it is none any more', async () => {
      const admits = (key: NodeId | undefined) => key !== undefined
      const one = await seeder({ admits, sources: PUBLIC, openSources: () => NO_SOURCES })
      const peer = new ScriptedPeer(one)
      peer.bare('interested')
      peer.asks(0, 0)
      await lab.time.advance(10)
      assert.ok(peer.heard().includes('piece 0:0'))
      await lab.time.advance(6_000)
      assert.equal(peer.closed, '', 'nothing need be proved')
      one.swarm.setSources({ ...PUBLIC, public: false })
      assert.equal(peer.closed, 'not admitted to this network')
      assert.equal(new ScriptedPeer(one).closed, 'not admitted to this network')
      const silent = new ScriptedPeer(one, { hasExtended: true })
      silent.bare('interested')
      silent.asks(0, 0)
      await lab.time.advance(10)
      assert.deepEqual(
        silent.heard().filter((word) => /^(?:piece|reject|unchoke)/.test(word)),
        ['reject 0:0'],
      )
      await lab.time.advance(5_000)
      assert.equal(silent.closed, 'no proof of an identity')
    })
  })

  describe('whom to dial', () => {
    const dialling = async (peers: string[]) => {
      const dialled: [endpoint: string, at: number][] = []
      const start = lab.time.now()
      const one = await leecher({
        peers,
        dial: (endpoint) => dialled.push([endpoint, Math.round((lab.time.now() - start) / 1_000)]),
      })
      const times = (endpoint: string) => dialled.filter(([each]) => each === endpoint).map(([, at]) => at)
      return { one, times }
    }

    it('is whoever did not answer, again after two, four and eight seconds, with no word from anybody', async () => {
      const { one, times } = await dialling(['192.0.2.1:7000'])
      let ended = 0
      for (let half = 0; half < 36; half++) {
        await lab.time.advance(500)
        if (times('192.0.2.1:7000').length === ended) continue
        ended++
        one.swarm.dialEnded('192.0.2.1:7000', false)
      }
      // Half a second goes by before each fails, and the clock looks once a second.
      assert.deepEqual(times('192.0.2.1:7000'), [0, 3, 8, 17])
    })

    it('is sooner who gave or took something than who closes each connection at once', async () => {
      const { one, times } = await dialling([])
      const useful = new ScriptedPeer(one, { outbound: true, host: '192.0.2.1' })
      const useless = new ScriptedPeer(one, { outbound: true, host: '192.0.2.2' })
      one.swarm.connect('192.0.2.1:7000')
      one.swarm.connect('192.0.2.2:7000')
      useful.bare('haveAll')
      useful.bare('unchoke')
      useful.gives(bytes, '0:0')
      for (const peer of [useful, useless]) peer.leaves()
      const before = [times('192.0.2.1:7000').length, times('192.0.2.2:7000').length]
      assert.deepEqual(before, [1, 1])
      await lab.time.advance(2_000)
      assert.deepEqual([times('192.0.2.1:7000').length, times('192.0.2.2:7000').length], [2, 1])
      await lab.time.advance(1_000)
      assert.deepEqual([times('192.0.2.1:7000').length, times('192.0.2.2:7000').length], [2, 2])
    })

    it('is not ourselves, once our own voice answered, but may be where it was we who were called', async () => {
      const { one, times } = await dialling([])
      const own = Buffer.from(one.swarm.ourPeerId, 'hex').toString('latin1')
      const called = new ScriptedPeer(one, { outbound: false, host: '192.0.2.1', name: own })
      assert.deepEqual([called.peer, called.closed], [undefined, 'connected to itself'])
      one.swarm.connect('192.0.2.1:7000')
      assert.equal(times('192.0.2.1:7000').length, 1)
      const calling = new ScriptedPeer(one, { outbound: true, host: '192.0.2.2', name: own })
      assert.equal(calling.closed, 'connected to itself')
      one.swarm.connect('192.0.2.2:7000')
      // Longer than one waits that only closed the connection at once.
      await lab.time.advance(20_000)
      assert.equal(times('192.0.2.2:7000').length, 0)
    })

    it('is nobody who is there already, or banned, as far as it is known who answers there', async () => {
      const { one, times } = await dialling([])
      const other = await seeder()
      lab.join(one, other)
      await lab.until('they know each other', () => one.swarm.peers()[0]?.id === other.id)
      const [{ host, port } = { host: '', port: 0 }] = one.swarm.peers()
      one.swarm.connect(`${host}:${port}`)
      assert.equal(times(`${host}:${port}`).length, 0)
      one.bans.ban(other.id)
      one.swarm.enforceBans()
      assert.deepEqual(one.swarm.peers(), [])
      await lab.time.advance(20_000)
      assert.equal(times(`${host}:${port}`).length, 0)
    })
  })

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

/** Events of a torrent of which who came and went is kept. */
function eventsOf(told: string[]) {
  return {
    ...{ described: () => {}, openDisk: async () => undefined, checked: () => {}, verified: () => {} },
    ...{ judged: () => {}, suspected: () => {}, completed: () => {}, failed: () => {} },
    peer: (_: unknown, what: string, id: PeerId) => void told.push(`${what} ${id}`),
  }
}
