import assert from 'node:assert/strict'
import type { InfoHash } from '../../../src/events/index.ts'
import type { FoundStreams, PeerStream, PeerStreams } from '../../../src/network/index.ts'
import { WaysThroughRouters } from '../../../src/roles/client/ways-through-routers.ts'
import type { NoticeBoard } from '../../../src/roles/node/notices.ts'
import type { TorrentPeer, TorrentStatus } from '../../../src/torrent/index.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

const FILM = 'a'.repeat(40) as InfoHash
const NOTHING: FoundStreams = { offered: 0, opened: [] }
const UNREACHED: FoundStreams = { offered: 1, opened: [] }

const torrent = (more: Partial<TorrentStatus>): TorrentStatus =>
  ({ infoHash: FILM, name: 'Film', state: 'downloading', peers: [], ...more }) as TorrentStatus

function given(result: () => FoundStreams) {
  const time = new VirtualTime()
  const posted: string[] = []
  const offers = new Set<InfoHash>()
  const withdrawn: InfoHash[] = []
  const tries: number[] = []
  const adopted: (InfoHash | undefined)[] = []
  let accept: (stream: PeerStream) => void = () => {}
  const streams: PeerStreams = {
    offer: (infoHash) => void offers.add(infoHash),
    withdraw(infoHash) {
      withdrawn.push(infoHash)
      offers.delete(infoHash)
    },
    listen: (onStream) => {
      accept = onStream
    },
    open: async () => {
      tries.push(time.now())
      return result()
    },
    [Symbol.asyncDispose]: async () => {},
  }
  const state = { torrents: [torrent({})] }
  const ways = new WaysThroughRouters({
    streams,
    engine: { list: () => state.torrents, adopt: (_, infoHash) => void adopted.push(infoHash) },
    timers: time,
    notices: {
      post: (_level: string, code: string, text: string) => void posted.push(`${code} ${text}`),
    } as unknown as NoticeBoard,
    now: () => time.now(),
  })
  ways.start()
  return { time, ways, state, offers, withdrawn, tries, adopted, posted, accept: (stream: PeerStream) => accept(stream) }
}

const stream: PeerStream = { remoteAddress: '198.51.100.11', remotePort: 4_700, destroy: () => {} }

describe('ways through routers', () => {
  it('are offered for each torrent that is not paused, and withdrawn with it', async () => {
    const { time, state, offers, withdrawn } = given(() => NOTHING)
    assert.deepEqual([...offers], [FILM])
    state.torrents = [torrent({ state: 'paused' })]
    await time.advance(2_000)
    assert.deepEqual([...offers], [])
    await time.advance(60_000)
    assert.deepEqual(withdrawn, [FILM], 'once')
    state.torrents = [torrent({})]
    await time.advance(2_000)
    assert.deepEqual([...offers], [FILM])
  })

  it('are looked for when a torrent has had no peer for a while, less and less often', async () => {
    const { time, tries } = given(() => NOTHING)
    const from = time.now()
    await time.advance(30_000)
    assert.deepEqual(
      tries.map((at) => at - from),
      [4_000, 8_000, 14_000, 22_000],
    )
    await time.advance(3_600_000)
    // A minute apart at last, as far as that is looked at every two seconds.
    const apart = tries.slice(-10).map((at, place, last) => at - (last[place - 1] ?? at - 60_000))
    assert.deepEqual(new Set(apart), new Set([60_000]))
  })

  it('are not looked for by who has peers, or has everything', async () => {
    const { time, state, tries } = given(() => NOTHING)
    state.torrents = [torrent({ state: 'seeding' }), torrent({ peers: [{} as TorrentPeer] })]
    await time.advance(60_000)
    assert.deepEqual(tries, [])
  })

  it('bring connections that we made for a torrent, and those that others made for one they will name', async () => {
    const { time, adopted, accept, posted } = given(() => ({ offered: 1, opened: [stream] }))
    await time.advance(4_000)
    accept(stream)
    assert.deepEqual(adopted, [FILM, undefined])
    assert.deepEqual(posted, [])
  })

  it('are said to be missing once, when peers offer the torrent and none was reached twice', async () => {
    const { time, ways, posted } = given(() => UNREACHED)
    await time.advance(4_000)
    assert.deepEqual(posted, [])
    await time.advance(600_000)
    assert.equal(posted.length, 1)
    assert.match(posted[0] ?? '', /^torrent\.unreachable "Film": 1 peer offers it and cannot be reached/)
    assert.equal(ways.unreached(FILM), 1)
  })
})
