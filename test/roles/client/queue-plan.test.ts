import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { InfoHash } from '../../../src/events/index.ts'
import { planQueue, type QueueTorrent } from '../../../src/roles/client/queue-plan.ts'
import { hash } from '../../projections/envelopes.ts'

const NO_GOALS = { ratioGoalPercent: 0, seedGoalMs: 0 }
const FREE = { downloadsMax: 0, seedsMax: 0, ...NO_GOALS }
const torrent = (name: string, change: Partial<QueueTorrent> = {}): QueueTorrent => ({
  ...{ infoHash: hash(name), name, isPaused: false, problem: undefined, isComplete: false, isRunning: false, isIdle: false },
  ...{ addedAt: 0, completedAt: null, sizeBytes: 1_000, uploadedBytes: 0, goals: NO_GOALS },
  ...change,
})
const seed = (name: string, change: Partial<QueueTorrent> = {}) =>
  torrent(name, { isComplete: true, completedAt: 0, ...change })

describe('the plan of the queue', () => {
  const runningOf = (torrents: readonly QueueTorrent[], settings: Partial<typeof FREE>, now = 0): string[] => {
    const plan = planQueue(torrents, { ...FREE, ...settings }, now)
    return torrents.filter(({ infoHash }) => plan.get(infoHash)?.runs).map(({ name }) => name)
  }
  const why = (torrents: readonly QueueTorrent[], settings: Partial<typeof FREE>, name: string, now = 0) =>
    planQueue(torrents, { ...FREE, ...settings }, now).get(hash(name) as InfoHash)?.why ?? ''

  it('lets all work where nothing is limited, but what a person paused', () => {
    const all = [torrent('a'), seed('b'), torrent('c', { isPaused: true })]
    assert.deepEqual(runningOf(all, {}), ['a', 'b'])
    assert.match(why(all, {}, 'a'), /no limit/)
    assert.match(why(all, {}, 'c'), /paused/)
  })

  it('lets as many download as may, those first that were added first, and says who they are', () => {
    const all = [torrent('late', { addedAt: 3 }), torrent('first', { addedAt: 1 }), torrent('second', { addedAt: 2 })]
    assert.deepEqual(runningOf(all, { downloadsMax: 2 }), ['first', 'second'])
    assert.equal(why(all, { downloadsMax: 2 }, 'late'), 'waits: 2 download now ("first", "second")')
    assert.match(why(all, { downloadsMax: 2 }, 'first'), /one of at most 2/)
    assert.equal(why(all, { downloadsMax: 1 }, 'late'), 'waits: 1 downloads now ("first")')
    const many = Array.from({ length: 6 }, (_, at) => torrent(`t${at}`, { addedAt: at }))
    assert.match(why(many, { downloadsMax: 5 }, 't5'), /"t0", "t1", "t2" and 2 more/)
  })

  it('lets another go on beside a download that nothing comes of', () => {
    const all = [
      torrent('idle', { isIdle: true, isRunning: true }),
      torrent('next', { addedAt: 1 }),
      torrent('third', { addedAt: 2 }),
    ]
    assert.deepEqual(runningOf(all, { downloadsMax: 1 }), ['idle', 'next'])
    assert.match(why(all, { downloadsMax: 1 }, 'idle'), /nothing came for a while/)
  })

  it('keeps no place for what has failed', () => {
    const all = [torrent('broken', { problem: 'the disk is full' }), torrent('next', { addedAt: 1 })]
    assert.deepEqual(runningOf(all, { downloadsMax: 1 }), ['broken', 'next'])
    assert.equal(why(all, { downloadsMax: 1 }, 'broken'), 'the disk is full')
  })

  it('seeds those first that have given least, and changes none for a little', () => {
    const all = [seed('much', { uploadedBytes: 900 }), seed('little', { uploadedBytes: 10 })]
    assert.deepEqual(runningOf(all, { seedsMax: 1 }), ['little'])
    const close = [seed('waits', { uploadedBytes: 10 }), seed('runs', { uploadedBytes: 200, isRunning: true })]
    assert.deepEqual(runningOf(close, { seedsMax: 1 }), ['runs'])
    assert.deepEqual(runningOf([torrent('d'), ...close], { seedsMax: 1, downloadsMax: 1 }), ['d', 'runs'])
  })

  it('ends a seed at its ratio, its own or the client’s, and not one byte before', () => {
    const given = (uploadedBytes: number, ratioGoalPercent = 0) => [
      seed('s', { uploadedBytes, goals: { ratioGoalPercent, seedGoalMs: 0 } }),
    ]
    assert.deepEqual(runningOf(given(1_499), { ratioGoalPercent: 150 }), ['s'])
    assert.deepEqual(runningOf(given(1_500), { ratioGoalPercent: 150 }), [])
    assert.deepEqual(runningOf(given(1_500, 300), { ratioGoalPercent: 150 }), ['s'])
    assert.deepEqual(runningOf(given(3_000, 300), { ratioGoalPercent: 150 }), [])
    assert.match(why(given(1_500), { ratioGoalPercent: 150 }, 's'), /1\.50 of its size.*goal is 1\.5/)
    assert.deepEqual(runningOf([torrent('d', { uploadedBytes: 9_999 })], { ratioGoalPercent: 150 }), ['d'])
    assert.deepEqual(runningOf([seed('empty', { sizeBytes: 0 })], { ratioGoalPercent: 1 }), ['empty'])
  })

  it('ends a seed when its time is over, and not one ms before', () => {
    const all = [seed('s', { completedAt: 1_000 })]
    assert.deepEqual(runningOf(all, { seedGoalMs: 500 }, 1_499), ['s'])
    assert.deepEqual(runningOf(all, { seedGoalMs: 500 }, 1_500), [])
    assert.deepEqual(
      runningOf(
        [seed('s', { completedAt: 1_000, goals: { ratioGoalPercent: 0, seedGoalMs: 900 } })],
        { seedGoalMs: 500 },
        1_600,
      ),
      ['s'],
    )
    assert.match(why(all, { seedGoalMs: 500 }, 's', 1_500), /for as long as it should be/)
  })

  it('has a place and a reason for each torrent, and never more at work than may', () => {
    const any = fc.array(
      fc.record({
        isPaused: fc.boolean(),
        problem: fc.constantFrom(undefined, undefined, 'broken'),
        isComplete: fc.boolean(),
        isRunning: fc.boolean(),
        isIdle: fc.boolean(),
        addedAt: fc.nat(5),
        completedAt: fc.constantFrom(null, 0, 5),
        uploadedBytes: fc.nat(5_000),
      }),
      { maxLength: 12, size: 'max' },
    )
    fc.assert(
      fc.property(any, fc.nat(4), fc.nat(4), fc.nat(300), (list, downloadsMax, seedsMax, ratioGoalPercent) => {
        const all = list.map((change, at) => torrent(`t${at}`, change))
        const plan = planQueue(all, { downloadsMax, seedsMax, ratioGoalPercent, seedGoalMs: 0 }, 10)
        assert.equal(plan.size, all.length)
        for (const { why: because } of plan.values()) assert.notEqual(because, '')
        const working = (isComplete: boolean) =>
          all.filter(
            (each) =>
              plan.get(each.infoHash)?.runs &&
              each.isComplete === isComplete &&
              each.problem === undefined &&
              (isComplete || !each.isIdle),
          ).length
        if (downloadsMax > 0) assert.ok(working(false) <= downloadsMax)
        if (seedsMax > 0) assert.ok(working(true) <= seedsMax)
        for (const { infoHash, isPaused } of all) if (isPaused) assert.equal(plan.get(infoHash)?.runs, false)
        assert.deepEqual(
          planQueue(all.toReversed(), { downloadsMax, seedsMax, ratioGoalPercent, seedGoalMs: 0 }, 10).size,
          all.length,
        )
      }),
    )
  })
})
