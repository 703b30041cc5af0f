import { deepEqual, equal, rejects } from 'node:assert/strict'
import { AT_WORK_MAX, AT_WORK_PER_ASKER_MAX, RequestBounds } from '../../../src/roles/index-node/request-bounds.ts'
import { node } from '../../projections/envelopes.ts'

describe('requests at work', () => {
  const [ada, bob] = [node('ada'), node('bob')]
  const tooMany = { message: /too many requests/ }
  let bounds: RequestBounds
  let ends: (() => void)[]
  let underWay: Promise<void>[]
  beforeEach(() => {
    bounds = new RequestBounds()
    ;[ends, underWay] = [[], []]
  })
  const begin = (asker = ada) => {
    const running = bounds.run(asker, () => new Promise<void>((resolve) => ends.push(resolve)))
    underWay.push(running)
    return running
  }
  const endAll = async () => {
    for (const end of ends) end()
    await Promise.all(underWay)
  }

  it('are 32 of one asker at most; others are answered meanwhile, and it is again when one has ended', async () => {
    equal(AT_WORK_PER_ASKER_MAX, 32)
    for (let count = 0; count < 32; count++) void begin()
    await rejects(
      bounds.run(ada, async () => {}),
      tooMany,
    )
    equal(await bounds.run(bob, async () => 7), 7)
    ends[0]?.()
    await underWay[0]
    equal(await bounds.run(ada, async () => 8), 8)
    await endAll()
  })

  it('are 256 in all at most', async () => {
    equal(AT_WORK_MAX, 256)
    for (let count = 0; count < 256; count++) void begin(node(`asker ${count}`))
    await rejects(
      bounds.run(bob, async () => {}),
      tooMany,
    )
    await endAll()
    equal(await bounds.run(bob, async () => 7), 7)
  })

  it('make room again when they fail, and what is refused takes none', async () => {
    const outcomes: string[] = []
    for (let count = 0; count < 100; count++) {
      await bounds
        .run(ada, async () => {
          throw new Error('no')
        })
        .catch((error: Error) => outcomes.push(error.message))
    }
    deepEqual(new Set(outcomes), new Set(['no']))
    for (let count = 0; count < 32; count++) void begin()
    for (let count = 0; count < 5; count++) await rejects(bounds.run(ada, async () => {}))
    await endAll()
    for (let count = 0; count < 32; count++) void begin()
    await endAll()
  })
})
