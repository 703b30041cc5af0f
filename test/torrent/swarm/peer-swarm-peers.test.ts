import assert from 'node:assert/strict'
import type { NodeId, PeerId } from '../../../src/events/index.ts'
import { sha1 } from '../../../src/torrent/sha1.system.ts'
import { ScriptedPeer } from './scripted-peer.ts'
import { all, blocksOf, eventsOf, NO_SOURCES, only, PUBLIC } from './surroundings.ts'
import { type LabPeer, madeUp, SwarmLab } from './swarm-lab.ts'

// Whom a swarm talks to, asks and dials.

describe('a swarm among peers', () => {
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
})
