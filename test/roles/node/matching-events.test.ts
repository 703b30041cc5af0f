import { deepEqual, rejects } from 'node:assert/strict'
import type { Draft } from '../../../src/events/index.ts'
import { matchingEvents } from '../../../src/roles/node/matching-events.ts'
import type { LogFilter } from '../../../src/roles/services.ts'
import { countedTurns } from '../../projections/counted-turns.ts'
import { node } from '../../projections/envelopes.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'

/** Places looked at together on the way back from the end. */
const WINDOW_EVENTS = 4_096
const stopped: Draft = { event: { kind: 'node.stopped', reason: '' } }
const banned: Draft = { event: { kind: 'operator.banned', subject: node('peer'), reason: '' } }

describe('the events that a filter means', () => {
  let own: SmallLog
  const matching = async (filter: LogFilter, log = own.log) => {
    const found: number[] = []
    for await (const { seq } of matchingEvents(log, filter, countedTurns().newTurns())) found.push(seq)
    return found
  }

  describe('in a short log', () => {
    let eve: SmallLog
    beforeEach(async () => {
      own = await openSmallLog(1)
      eve = await openSmallLog(2)
      await own.log.append([stopped, banned, stopped])
      await hears(own, eve, { kind: 'torrent.verified', infoHash: 'ab'.repeat(20) as never, title: 'orbit' })
      await own.log.append([banned, stopped])
    })
    afterEach(async () => {
      await own[Symbol.asyncDispose]()
      await eve[Symbol.asyncDispose]()
    })

    it('are all of them, or those of a range, a kind or an author', async () => {
      deepEqual(await matching({}), [1, 2, 3, 4, 5, 6])
      deepEqual(await matching({ from: 2, to: 4 }), [2, 3, 4])
      deepEqual(await matching({ to: 100 }), [1, 2, 3, 4, 5, 6])
      deepEqual(await matching({ kinds: ['operator.banned'] }), [2, 5])
      deepEqual(await matching({ author: eve.id }), [4])
      deepEqual(await matching({ author: eve.id, kinds: ['operator.banned'] }), [])
    })

    it('are no more than the limit, from the front', async () => {
      deepEqual(await matching({ limit: 2 }), [1, 2])
      deepEqual(await matching({ author: own.id, from: 3, limit: 2 }), [3, 5])
      deepEqual(await matching({ limit: 6 }), [1, 2, 3, 4, 5, 6])
      for (const limit of [0, -1]) deepEqual(await matching({ limit }), [])
    })

    it('are the last that match, in their order', async () => {
      deepEqual(await matching({ last: 2 }), [5, 6])
      deepEqual(await matching({ kinds: ['operator.banned'], last: 1 }), [5])
      deepEqual(await matching({ author: own.id, last: 3 }), [3, 5, 6])
      deepEqual(await matching({ last: 2, to: 4 }), [3, 4])
      deepEqual(await matching({ last: 5, from: 4 }), [4, 5, 6])
      deepEqual(await matching({ last: 3, limit: 2 }), [4, 5])
      deepEqual(await matching({ last: 6 }), [1, 2, 3, 4, 5, 6])
      deepEqual(await matching({ last: 100 }), [1, 2, 3, 4, 5, 6])
      for (const last of [0, -1]) deepEqual(await matching({ last }), [])
    })

    it('are those that were there when they were asked for, where the last are meant', async () => {
      const asked = matchingEvents(own.log, { last: 1 }, countedTurns().newTurns())
      const first = asked.next()
      await own.log.append([stopped])
      deepEqual([(await first).value?.seq, (await asked.next()).done], [6, true])
    })

    it('are refused for a kind that does not exist, and an author that is none', async () => {
      await rejects(matching({ kinds: ['weather'] }), { code: 'usage' })
      await rejects(matching({ author: 'eve' }), { code: 'usage' })
    })
  })

  describe('in a long log', () => {
    const events = 2 * WINDOW_EVENTS + 10
    before(async () => {
      own = await openSmallLog(1)
      await own.log.append([banned, ...Array.from({ length: events - 1 }, () => stopped)])
    })
    after(() => own[Symbol.asyncDispose]())
    const from = (seq: number) => Array.from({ length: events - seq + 1 }, (_, at) => seq + at)

    it('are counted once each on the way back, however many places that takes', async () => {
      for (const last of [WINDOW_EVENTS - 1, WINDOW_EVENTS, WINDOW_EVENTS + 1, WINDOW_EVENTS + 2, 2 * WINDOW_EVENTS + 1])
        deepEqual(await matching({ last }), from(events - last + 1))
    })

    it('are found at its very beginning', async () => {
      deepEqual(await matching({ kinds: ['operator.banned'], last: 1 }), [1])
      deepEqual(await matching({ kinds: ['operator.banned'], last: 1, from: 2 }), [])
    })
  })
})
