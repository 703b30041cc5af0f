import { deepEqual, equal, rejects } from 'node:assert/strict'
import { walkLog } from '../../../src/roles/node/walk-log.ts'
import { countedTurns } from '../../projections/counted-turns.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

const BATCH_EVENTS = 1_024

describe('a walk over a log', () => {
  const events = BATCH_EVENTS + 6
  let own: SmallLog
  before(async () => {
    own = await openSmallLog()
    await own.log.append(Array.from({ length: events }, () => ({ event: { kind: 'node.stopped', reason: '' } as const })))
  })
  after(() => own[Symbol.asyncDispose]())
  const someTurns = () => countedTurns().newTurns()

  it('visits each event of its range, in order', async () => {
    const seen: number[] = []
    const visit = ({ seq }: { seq: number }): true => {
      seen.push(seq)
      return true
    }
    await walkLog(own.log, { from: 1_020, to: 1_028 }, visit, { turns: someTurns() })
    deepEqual(seen, [1_020, 1_021, 1_022, 1_023, 1_024, 1_025, 1_026, 1_027, 1_028])
  })

  it('ends where its visitor has seen enough, and only then', async () => {
    const seen: number[] = []
    await walkLog(
      own.log,
      {},
      ({ seq }) => {
        seen.push(seq)
        return seq === 3 ? false : undefined
      },
      { turns: someTurns() },
    )
    deepEqual(seen, [1, 2, 3])
  })

  it('gives others their turn, says how far it is then, and after each batch', async () => {
    const told: number[] = []
    const turns = countedTurns()
    await walkLog(own.log, {}, () => true, { turns: turns.newTurns(), onProgress: (seq) => told.push(seq) })
    // On this clock a look at it takes 1 ms, and a turn lasts ten.
    deepEqual(told.slice(0, 2), [10, 20])
    equal(turns.count, told.length - 2)
    deepEqual([told.includes(BATCH_EVENTS), told.at(-1)], [true, events])
  })

  it('ends with its signal’s reason, at the next turn or after the batch', async () => {
    const stop = new AbortController()
    let seen = 0
    const turns = countedTurns(async () => stop.abort(new Error('enough')))
    const visit = () => {
      seen += 1
      return true
    }
    await rejects(walkLog(own.log, {}, visit, { turns: turns.newTurns(), signal: stop.signal }), /enough/)
    equal(seen, 10)
    seen = 0
    const few = walkLog(own.log, { to: 3 }, visit, { turns: someTurns(), signal: stop.signal })
    await rejects(few, /enough/)
    equal(seen, 3)
  })
})
