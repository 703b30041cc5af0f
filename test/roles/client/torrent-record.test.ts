import assert from 'node:assert/strict'
import type { Appender, Draft, InfoHash } from '../../../src/events/index.ts'
import { commitsOf, STAMPS_AT_ONCE, TorrentRecord } from '../../../src/roles/client/torrent-record.ts'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import { ServiceError } from '../../../src/roles/services.ts'
import type { TorrentEngine } from '../../../src/torrent/index.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

type Event = Draft['event']
const infoHash = 'a'.repeat(40) as InfoHash
const stamped = (count: number, from = 0): Event => ({
  ...{ kind: 'download.stamped', infoHash },
  stamps: Array.from({ length: count }, (_, at) => ({ file: from + at, stamp: `${at}` })),
})
const completed: Event = { kind: 'download.completed', infoHash }

describe('what is recorded of torrents', () => {
  it('is one commit but for very many stamps, which follow in their order', () => {
    assert.deepEqual(commitsOf([]), [[]])
    const few = [stamped(STAMPS_AT_ONCE - 1), stamped(1), completed]
    assert.deepEqual(commitsOf(few), [few])
    const [a, b, c] = [stamped(STAMPS_AT_ONCE), stamped(1, 5000), stamped(STAMPS_AT_ONCE, 6000)]
    assert.deepEqual(commitsOf([a, b, c, completed]), [[a, completed], [b], [c]])
    const moved: Event = { kind: 'download.moved', infoHash }
    assert.deepEqual(commitsOf([moved, a, b, c]), [[moved, a, b, c]])
  })

  /** @param takes so many appends, and refuses what follows */
  function recorded(takes = 100) {
    const appends: (readonly Event[])[] = []
    const problems: string[] = []
    const notices = new NoticeBoard(new VirtualTime())
    notices.onPosted(({ text }) => problems.push(text))
    // A turn of others between each two appends.
    const isOthersTurn = { passed: true }
    const appender: Pick<Appender, 'append'> = {
      append: async (drafts) => {
        if (appends.length >= takes) throw new Error('the disk is full')
        assert.ok(isOthersTurn.passed, 'two commits in one turn')
        isOthersTurn.passed = false
        setImmediate(() => {
          isOthersTurn.passed = true
        })
        appends.push(drafts.map(({ event }) => event))
        return []
      },
    }
    const record = new TorrentRecord({
      ...{ notices, download: () => undefined, engine: {} as TorrentEngine, appender: appender as Appender },
    })
    return { appends, problems, record }
  }

  it('gives others their turn between commits, and is whole when it resolves', async () => {
    const { appends, record } = recorded()
    await record.record([stamped(STAMPS_AT_ONCE), stamped(STAMPS_AT_ONCE), stamped(1), completed])
    assert.deepEqual(
      appends.map(({ length }) => length),
      [2, 1, 1],
    )
    await new Promise(setImmediate)
    record.recordLater(() => [stamped(STAMPS_AT_ONCE), stamped(1)])
    await record.settled()
    assert.equal(appends.length, 5)
  })

  it('fails where the first commit does, and tells where stamps alone are lost', async () => {
    const none = recorded(0)
    await assert.rejects(
      none.record.record([stamped(STAMPS_AT_ONCE), stamped(1)]),
      (error) => error instanceof ServiceError && /disk is full/.test(error.message),
    )
    const some = recorded(1)
    await some.record.record([stamped(STAMPS_AT_ONCE), stamped(1)])
    assert.deepEqual([some.appends.length, some.problems], [1, ['the disk is full']])
  })
})
