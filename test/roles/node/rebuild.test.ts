import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { createRebuilder, knownProjections, told } from '../../../src/roles/node/rebuild.ts'
import type { RebuildProgress, RebuildResult } from '../../../src/roles/services.ts'
import { node } from '../../projections/envelopes.ts'
import { judged } from '../../projections/reputation/scenes.ts'
import { resultOf } from '../result-of.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

describe('the rebuild of projections', () => {
  let own: SmallLog
  beforeEach(async () => {
    own = await openSmallLog()
    await own.log.append([{ event: judged(node('peer'), 2, 1) }, { event: judged(node('other'), 1, 0) }])
  })
  afterEach(() => own[Symbol.asyncDispose]())

  it('is of those that are named, each once, or of all', () => {
    const all = own.states.checkpoints().map(({ name }) => name)
    deepEqual(knownProjections(own.states, undefined), all)
    deepEqual(knownProjections(own.states, ['reputation', 'liveness', 'reputation']), ['reputation', 'liveness'])
    deepEqual(knownProjections(own.states, []), [])
    throws(() => knownProjections(own.states, ['reputation', 'weather']), {
      code: 'usage',
      message: `there is no projection weather; known are ${all.join(', ')}`,
    })
  })

  it('goes over every event once for each of them, and comes to the digest that it had', async () => {
    const { projections } = await resultOf(createRebuilder(own.states)(['reputation', 'liveness']))
    deepEqual(
      projections.map(({ name, events }) => [name, events]),
      [
        ['reputation', 2],
        ['liveness', 2],
      ],
    )
    for (const { name, digestBefore, digestAfter } of projections) {
      deepEqual([digestBefore, digestAfter], [own.states.digest(name as 'reputation'), digestBefore])
    }
  })

  it('has its callers wait for each other, also for one that failed', async () => {
    const underWay: string[] = []
    const states = new Proxy(own.states, {
      get(target, name) {
        if (name === 'rebuild')
          return async (projection: 'reputation') => {
            underWay.push(`begins ${projection}`)
            await new Promise((resolve) => setImmediate(resolve))
            underWay.push(`ends ${projection}`)
            if (underWay.length === 2) throw new Error('the disk is gone')
            return target.rebuild(projection)
          }
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const rebuilder = createRebuilder(states)
    const [first, second] = [resultOf(rebuilder(['reputation'])), resultOf(rebuilder(['liveness']))]
    await rejects(first, /the disk is gone/)
    equal((await second).projections.length, 1)
    deepEqual(underWay, ['begins reputation', 'ends reputation', 'begins liveness', 'ends liveness'])
  })

  it('begins no further projection once its caller has gone', async () => {
    const begun: string[] = []
    const states = new Proxy(own.states, {
      get(target, name) {
        if (name === 'rebuild')
          return async (projection: 'reputation') => {
            begun.push(projection)
            await call.return(undefined as unknown as RebuildResult)
            return target.rebuild(projection)
          }
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const call: AsyncGenerator<RebuildProgress, RebuildResult, void> = createRebuilder(states)(['reputation', 'liveness'])
    deepEqual(await call.next(), { done: true, value: undefined })
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    deepEqual(begun, ['reputation'])
  })

  it('tells how fast it goes and how long it will take, once there is a time to measure it by', () => {
    const progress = { projection: 'liveness', done: 500, total: 2_000 }
    deepEqual(told('liveness', 500, 2_000, 250), { ...progress, eventsPerSecond: 2_000, timeLeftMs: 750 })
    deepEqual(told('liveness', 500, 2_000, 0), { ...progress, eventsPerSecond: 0, timeLeftMs: null })
    deepEqual(told('liveness', 0, 2_000, 10), { ...progress, done: 0, eventsPerSecond: 0, timeLeftMs: null })
    deepEqual(told('liveness', 2_000, 2_000, 1_000), { ...progress, done: 2_000, eventsPerSecond: 2_000, timeLeftMs: 0 })
  })
})
