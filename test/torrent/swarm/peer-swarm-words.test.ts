import assert from 'node:assert/strict'
import { bitfieldOf } from '../../../src/torrent/piece-ranges.ts'
import type { WantedPieces } from '../../../src/torrent/swarm.ts'
import { ScriptedPeer } from './scripted-peer.ts'
import { type LabPeer, madeUp, SwarmLab } from './swarm-lab.ts'

// One swarm among peers whose every word is written here: what it says to whom, and when.

const BLOCKS = ['0', '1', '2', '3']
const blocksOf = (...pieces: number[]): string[] => pieces.flatMap((index) => BLOCKS.map((block) => `${index}:${block}`))
const wanted = (...priorities: number[]): WantedPieces => ({
  ...{ priorities: Uint8Array.from(priorities), sequential: true, isFileWanted: () => true },
})
const DONT_HAVE = { m: { lt_donthave: 7 } }

describe('what a swarm says to peers', () => {
  const { metainfo, bytes } = madeUp(4)
  let lab: SwarmLab
  beforeEach(() => {
    lab = new SwarmLab()
  })
  const inOrder = { wanted: { priorities: undefined, sequential: true, isFileWanted: () => true } }
  const ready = async (peer: LabPeer): Promise<LabPeer> => {
    await lab.until('it is ready', () => peer.swarm.status.isReady)
    return peer
  }
  const leecher = (swarm: object = {}): Promise<LabPeer> =>
    ready(lab.peer('leecher', metainfo, { swarm: { ...inOrder, ...swarm } }))
  /** It has these pieces of four. */
  const partial = (...pieces: number[]): Promise<LabPeer> => {
    const found = bitfieldOf(
      pieces.map((first) => ({ first, count: 1 })),
      4,
    )
    return ready(lab.peer('partial', metainfo, { has: bytes, found, swarm: inOrder }))
  }

  it('is first what it has: all, nothing, or which pieces', async () => {
    assert.deepEqual(new ScriptedPeer(await ready(lab.peer('seeder', metainfo, { has: bytes }))).heard(), ['haveAll'])
    assert.deepEqual(new ScriptedPeer(await leecher()).heard(), ['haveNone'])
    assert.deepEqual(new ScriptedPeer(await partial(0, 2)).heard(), ['bitfield a0'])
  })

  it('is, to one that came while the files were being looked at, nothing first, and then each piece that was found', async () => {
    const opening = Promise.withResolvers<void>()
    const found = bitfieldOf([{ first: 1, count: 2 }], 4)
    const files = {
      ...{ read: async () => {}, write: async () => {}, createEmptyFiles: async () => {} },
      ...{ settle: async () => [], close: async () => {} },
    }
    const openFiles = async () => {
      await opening.promise
      return { files, found }
    }
    const one = lab.peer('one', metainfo, { knows: false, swarm: { ...inOrder, openFiles } })
    const peer = new ScriptedPeer(one, { hasExtended: true })
    peer.extended({ ...DONT_HAVE, metadata_size: 1 })
    peer.bits(4, 1, 2, 3)
    peer.bare('unchoke')
    assert.equal(peer.heard()[0], 'haveNone')
    const known = lab.peer('known', metainfo, { has: bytes, swarm: { openFiles } })
    const early = new ScriptedPeer(known, { name: 'early' })
    assert.deepEqual(
      [early.peer, early.closed],
      [undefined, 'no peers are taken now'],
      'its metainfo is known: it is ready soon',
    )
    opening.resolve()
    await lab.until('it is ready', () => known.swarm.status.isReady)
    assert.notEqual(new ScriptedPeer(known).peer, undefined)
  })

  it('is that it is interested while there is something to get, asked for at once when it may', async () => {
    const one = await leecher()
    const peer = new ScriptedPeer(one)
    peer.heard()
    peer.bits(4, 1)
    assert.deepEqual(peer.heard(), ['interested'])
    peer.bare('unchoke')
    assert.deepEqual(
      peer.heard(),
      blocksOf(1).map((block) => `request ${block}`),
    )
    peer.have(2)
    assert.deepEqual(peer.asked(), blocksOf(2))
    peer.gives(bytes, ...blocksOf(1))
    await lab.time.advance(10)
    assert.deepEqual([[...one.written], peer.heard()], [[1], []], 'it has it itself: it need not hear of it, and there is more')
    peer.gives(bytes, ...blocksOf(2))
    await lab.time.advance(10)
    assert.deepEqual(peer.heard(), ['notInterested'])
    const other = new ScriptedPeer(one, { host: '192.0.2.2' })
    assert.deepEqual(other.heard(), ['bitfield 60'])
    other.bits(4, 0, 3)
    other.bare('unchoke')
    assert.deepEqual(other.heard(), ['interested', ...blocksOf(0, 3).map((block) => `request ${block}`)])
    other.gives(bytes, ...blocksOf(0))
    await lab.time.advance(10)
    assert.deepEqual([peer.heard(), other.heard()], [['have 0'], []])
    other.gives(bytes, ...blocksOf(3))
    await lab.time.advance(10)
    assert.deepEqual([peer.heard(), other.heard(), one.completed], [['have 3'], ['notInterested'], 1])
  })

  it('is nothing asked of one that has nothing of interest, and no interest in it', async () => {
    const one = await partial(0, 1)
    const peer = new ScriptedPeer(one)
    peer.heard()
    peer.bits(4, 0, 1)
    peer.bare('unchoke')
    await lab.time.advance(5_000)
    assert.deepEqual(peer.heard(), [])
  })

  it('is a request once more, of what a choke dropped: all without the fast extension, what is rejected with it', async () => {
    for (const hasFast of [false, true]) {
      const one = await leecher()
      const peer = new ScriptedPeer(one, { hasFast })
      peer.bits(4, 0)
      peer.bare('unchoke')
      assert.deepEqual(peer.asked(), blocksOf(0))
      peer.bare('choke')
      if (hasFast) peer.rejects(0, 2)
      peer.bare('unchoke')
      assert.deepEqual(peer.asked(), hasFast ? ['0:2'] : blocksOf(0))
      await one.swarm.close()
    }
  })

  it('is a cancellation of what a peer has no more, which others are asked for', async () => {
    const one = await leecher()
    const peer = new ScriptedPeer(one, { hasExtended: true })
    peer.extended(DONT_HAVE)
    peer.bits(4, 0, 1)
    peer.bare('unchoke')
    peer.heard()
    peer.lacks(0)
    assert.deepEqual(
      peer.heard(),
      blocksOf(0).map((block) => `cancel ${block}`),
    )
    peer.lacks(1)
    assert.deepEqual(peer.heard(), [...blocksOf(1).map((block) => `cancel ${block}`), 'notInterested'])
    const other = new ScriptedPeer(one, { host: '192.0.2.2' })
    other.bits(4, 0, 1)
    other.bare('unchoke')
    assert.deepEqual(other.asked(), blocksOf(0, 1))
    // It says all anew, without one that it owes.
    other.bits(4, 1, 2)
    assert.deepEqual(other.heard(), [
      ...blocksOf(0).map((block) => `cancel ${block}`),
      ...blocksOf(2).map((block) => `request ${block}`),
    ])
  })

  it('is, at the end, a request of the same block to several, and a cancellation to the others when it comes', async () => {
    const one = await partial(0, 1, 2)
    const [slow, quick] = [new ScriptedPeer(one), new ScriptedPeer(one, { host: '192.0.2.2' })]
    for (const peer of [slow, quick]) {
      peer.bare('haveAll')
      peer.heard()
    }
    slow.bare('unchoke')
    assert.deepEqual(slow.asked(), blocksOf(3))
    quick.bare('unchoke')
    assert.deepEqual(quick.asked(), blocksOf(3))
    quick.gives(bytes, '3:1')
    assert.deepEqual([slow.heard(), quick.heard()], [['cancel 3:1'], []])
    assert.equal(one.swarm.status.downloadedBytes, 16_384)
    slow.gives(bytes, '3:1')
    assert.equal(one.swarm.status.downloadedBytes, 2 * 16_384, 'what comes twice came')
    quick.gives(bytes, '3:0', '3:2', '3:3')
    await lab.time.advance(10)
    assert.deepEqual([one.completed, slow.heard().at(-1), quick.heard()], [1, 'notInterested', ['notInterested']])
  })

  it('is a cancellation of pieces that a person wants no more, and no word of what came of them', async () => {
    const one = await leecher()
    const peer = new ScriptedPeer(one)
    peer.bare('haveAll')
    peer.bare('unchoke')
    assert.deepEqual(peer.asked(), blocksOf(0, 1, 2, 3))
    peer.gives(bytes, '0:0', '1:0')
    one.swarm.want(wanted(0, 2, 2, 0))
    const heard = peer.heard().sort()
    assert.deepEqual(heard, ['cancel 0:1', 'cancel 0:2', 'cancel 0:3', ...blocksOf(3).map((block) => `cancel ${block}`)])
    peer.gives(bytes, ...blocksOf(1, 2).filter((block) => block !== '1:0'))
    await lab.time.advance(10)
    assert.deepEqual([[...one.written].sort(), one.completed, peer.heard()], [[1, 2], 1, ['notInterested']])
    // What was kept of it was dropped: all is asked for anew.
    one.swarm.want(wanted(2, 2, 2, 0))
    assert.deepEqual(peer.heard(), ['interested', ...blocksOf(0).map((block) => `request ${block}`)])
  })

  it('is a cancellation of all that one owes that has sent nothing for twenty seconds, and then one block at a time', async () => {
    const one = await leecher()
    const peer = new ScriptedPeer(one)
    peer.bare('haveAll')
    peer.bare('unchoke')
    assert.deepEqual(peer.asked(), blocksOf(0, 1, 2, 3))
    peer.gives(bytes, '0:0')
    const other = new ScriptedPeer(one, { host: '192.0.2.2' })
    other.bits(4, 1)
    other.bare('unchoke')
    other.heard()
    await lab.time.advance(20_000)
    assert.deepEqual(peer.heard(), [])
    await lab.time.advance(1_000)
    const [first, ...rest] = peer.heard()
    assert.equal(first, 'cancel 0:1')
    assert.deepEqual([rest.length, rest.at(-1)], [15, 'request 0:1'])
    assert.ok(rest.slice(0, -1).every((word) => word.startsWith('cancel ')))
    // It wakes up, and is asked for more again.
    peer.gives(bytes, '0:1')
    assert.ok(peer.asked().length >= 1)
  })

  it('keeps a connection alive on which it has said nothing for 100 s, and closes one that has said nothing for 150 s', async () => {
    const start = lab.time.now()
    const one = await ready(lab.peer('seeder', metainfo, { has: bytes }))
    // They come as the clock of the swarm ticks: times are exact.
    await lab.time.advance(start + 1_000 - lab.time.now())
    const [talks, silent] = [new ScriptedPeer(one), new ScriptedPeer(one, { host: '192.0.2.2' })]
    for (const peer of [talks, silent]) peer.heard()
    await lab.time.advance(100_000)
    assert.deepEqual([talks.heard(), silent.heard()], [[], []])
    talks.stays()
    await lab.time.advance(1_000)
    assert.deepEqual([talks.heard(), silent.heard()], [['keep-alive'], ['keep-alive']])
    await lab.time.advance(49_000)
    assert.deepEqual([talks.closed, silent.closed], ['', ''])
    await lab.time.advance(1_000)
    assert.deepEqual([talks.closed, silent.closed], ['', 'silent'])
  })

  it('is a block to a request of what it has, and a reject to one of what it does not have', async () => {
    const one = await partial(0)
    const peer = new ScriptedPeer(one)
    peer.bare('interested')
    assert.deepEqual(peer.heard().slice(1), ['unchoke'])
    peer.asks(0, 1)
    peer.asks(1, 0)
    await lab.time.advance(10)
    assert.deepEqual(peer.heard().sort(), ['piece 0:1', 'reject 1:0'])
    assert.equal(one.swarm.status.uploadedBytes, 16_384)
  })

  it('goes on where a link had no room, as soon as it has', async () => {
    const one = await ready(lab.peer('seeder', metainfo, { has: bytes }))
    const peer = new ScriptedPeer(one)
    peer.bare('interested')
    peer.heard()
    peer.unsentBytes = 2 * 1024 * 1024
    peer.asks(0, 0)
    await lab.time.advance(10)
    assert.deepEqual(peer.heard(), [])
    peer.unsentBytes = 0
    assert.ok(peer.peer)
    one.swarm.drained(peer.peer)
    await lab.time.advance(10)
    assert.deepEqual(peer.heard(), ['piece 0:0'])
  })

  it('spoils no block but of the share that it is told to', async () => {
    for (const corruptPercent of [0, 100]) {
      const one = await ready(lab.peer('seeder', metainfo, { has: bytes, swarm: { corruptPercent } }))
      const other = await leecher()
      lab.join(other, one)
      await lab.time.advance(2_000)
      assert.equal(
        other.judged.some(({ bad }) => bad.length > 0),
        corruptPercent === 100,
      )
      await Promise.all([one.swarm.close(), other.swarm.close()])
    }
  })

  it('hands out slots as soon as somebody is interested; those served keep theirs for thirty seconds, whoever comes and goes', async () => {
    const one = await ready(lab.peer('seeder', metainfo, { has: bytes, swarm: { uploadSlots: () => 1, random: () => 0 } }))
    const peers = [1, 2, 3, 4].map((at) => new ScriptedPeer(one, { host: `192.0.2.${at}` }))
    const [first, ...others] = peers as [ScriptedPeer, ...ScriptedPeer[]]
    for (const peer of peers) {
      peer.heard()
      peer.bare('interested')
    }
    assert.deepEqual(
      peers.map((peer) => peer.heard()),
      [['unchoke'], [], [], []],
    )
    await lab.time.advance(50)
    assert.deepEqual([first.heard(), others.flatMap((peer) => peer.heard())], [[], ['unchoke']], 'and one more is tried')
    const restless = new ScriptedPeer(one, { host: '192.0.2.9' })
    for (let passed = 50; passed < 29_000; passed += 100) {
      restless.bare(passed % 200 === 50 ? 'interested' : 'notInterested')
      await lab.time.advance(100)
    }
    assert.deepEqual(first.heard(), [])
    assert.deepEqual(
      others.flatMap((peer) => peer.heard()),
      [],
    )
    await lab.time.advance(1_000)
    assert.deepEqual(first.heard(), ['choke'], 'it is the turn of the others')
    assert.deepEqual(others.flatMap((peer) => peer.heard()).includes('unchoke'), true)
  })

  it('closes one that claimed pieces which there are not, when it learns how many there are, and charges it', async () => {
    const one = lab.peer('magnet', metainfo, { knows: false })
    const [liar, honest] = [new ScriptedPeer(one), new ScriptedPeer(one, { host: '192.0.2.2' })]
    liar.have(4)
    honest.have(3)
    const seeder = await ready(lab.peer('seeder', metainfo, { has: bytes }))
    lab.join(one, seeder)
    await lab.until('it is ready', () => one.swarm.status.isReady)
    assert.deepEqual([liar.closed === '', honest.closed, one.rejected], [false, '', 1])
  })
})
