import assert from 'node:assert/strict'
import { TrackerAnnouncer } from '../../../src/torrent/sources/tracker-announcer.ts'
import { type Announcement, type TrackerAnswer, TrackerError } from '../../../src/torrent/sources/tracker-messages.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

type Said = { tracker: string; event: Announcement['event']; wanted: number; at: number }

describe('announcements to trackers', () => {
  const answer: TrackerAnswer = { intervalMs: 600_000, seeders: 1, leechers: 2, peers: ['10.0.0.1:1'], warning: undefined }
  const lab = (
    answerOf: (tracker: string, signal: AbortSignal) => Promise<TrackerAnswer> | TrackerAnswer,
    trackers = ['http://a'],
  ) => {
    const time = new VirtualTime()
    const began = time.now()
    const said: Said[] = []
    const found: string[] = []
    const progress = { leftBytes: 5, uploadedBytes: 0, downloadedBytes: 0, port: 1, key: 1 }
    const announcer = new TrackerAnnouncer(trackers, {
      timers: time,
      progress: () => ({ infoHash: new Uint8Array(20), peerId: new Uint8Array(20), ...progress }),
      announce: async (tracker, { event, wanted }, signal) => {
        said.push({ tracker, event, wanted, at: time.now() - began })
        return answerOf(tracker, signal)
      },
      found: (endpoint) => found.push(endpoint),
    })
    const events = () => said.map(({ event }) => event)
    return { time, said, found, announcer, progress, events }
  }

  it('begin at once, come again when the tracker says, and hand on whom it names', async () => {
    const { time, said, found, announcer, progress } = lab(() => answer)
    await time.advance(599_999)
    assert.deepEqual(said, [{ tracker: 'http://a', event: 'started', wanted: 80, at: 0 }])
    assert.deepEqual(found, ['10.0.0.1:1'])
    progress.leftBytes = 0
    await time.advance(1)
    assert.deepEqual(said[1], { tracker: 'http://a', event: undefined, wanted: 20, at: 600_000 })
    assert.deepEqual(announcer.status(), [
      { url: 'http://a', state: 'works', problem: undefined, seeders: 1, leechers: 2, peers: 1 },
    ])
  })

  it('wait longer after each failure, an hour at most, and say what is wrong', async () => {
    const { time, said, announcer } = lab(() => Promise.reject(new TrackerError('it refuses: no')))
    await time.advance(12_000_000)
    const waits = said.slice(1).map(({ at }, place) => at - (said[place]?.at ?? 0))
    assert.deepEqual(waits, [60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 3_600_000, 3_600_000])
    assert.deepEqual(new Set(said.map(({ event }) => event)), new Set(['started']))
    assert.equal(announcer.status()[0]?.state, 'fails')
    assert.equal(announcer.status()[0]?.problem, 'it refuses: no')
  })

  it('tell of the end only those that know of us, and wait for them a little', async () => {
    let asked = 0
    const { time, announcer, said } = lab(
      (tracker, signal) => {
        if (tracker === 'http://dead') throw new TrackerError('it does not answer')
        if (++asked <= 2) return answer
        return tracker === 'http://a'
          ? answer
          : new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      },
      ['http://a', 'http://dead', 'http://slow'],
    )
    await time.advance(1)
    announcer.completed()
    await time.advance(1)
    let isClosed = false
    void announcer.close().then(() => {
      isClosed = true
    })
    await time.advance(1_999)
    assert.equal(isClosed, false)
    await time.advance(1)
    assert.equal(isClosed, true)
    const of = (wanted: string) => said.filter(({ tracker }) => tracker === wanted).map(({ event }) => event)
    assert.deepEqual(of('http://a'), ['started', 'completed', 'stopped'])
    assert.deepEqual(of('http://dead'), ['started'])
    await time.advance(8_000_000)
    assert.equal(said.length, 7, 'nothing is said after the end')
  })

  it('are made to 128 trackers at most', async () => {
    const { said, time } = lab(
      () => answer,
      Array.from({ length: 130 }, (_, at) => `http://t${at}`),
    )
    await time.advance(1)
    assert.equal(said.length, 128)
  })
})
