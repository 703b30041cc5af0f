import assert from 'node:assert/strict'
import type { NodeId } from '../../../src/events/index.ts'
import { askHedged } from '../../../src/roles/client/hedged-request.ts'
import { node } from '../../projections/envelopes.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

const [first, second, third] = [node('first'), node('second'), node('third')]
const HEDGE_AFTER_MS = 400
const DEADLINE_MS = 5_000

type Plan = Partial<Record<NodeId, { afterMs: number; fails?: string }>>

describe('a hedged request', () => {
  let time: VirtualTime
  let asked: { node: NodeId; atMs: number }[]
  let calledOff: NodeId[]
  let startMs: number
  beforeEach(() => {
    time = new VirtualTime()
    asked = []
    calledOff = []
    startMs = time.now()
  })

  /** Nodes that answer with their own id, or fail, after so long; one that is not in the plan never says anything. */
  const ask = async (candidates: NodeId[], plan: Plan) => {
    const asking = askHedged(
      candidates,
      (id, called) => {
        asked.push({ node: id, atMs: time.now() - startMs })
        called.addEventListener('abort', () => calledOff.push(id))
        return new Promise<string>((resolve, reject) => {
          const its = plan[id]
          if (its === undefined) return
          time.after(its.afterMs, () => (its.fails === undefined ? resolve(id) : reject(new Error(its.fails))))
        })
      },
      { hedgeAfterMs: HEDGE_AFTER_MS, deadlineMs: DEADLINE_MS, timers: time },
    )
    const { answers, failed, atMs } = await time.wait(asking.then((all) => ({ ...all, atMs: time.now() - startMs })))
    const [first] = answers
    return { by: first?.by, answer: first?.answer, failed, atMs }
  }

  it('ends at once where there is nobody to ask, however many answers are wanted', async () => {
    for (const wanted of [0, 1, 2]) {
      const none = askHedged<string>([], () => assert.fail('nobody is there'), {
        ...{ wanted, hedgeAfterMs: HEDGE_AFTER_MS, deadlineMs: DEADLINE_MS, timers: time },
      })
      assert.deepEqual(await none, { answers: [], failed: [] })
    }
  })

  it('asks nobody else while the first is quick', async () => {
    const { by, answer, failed, atMs } = await ask([first, second], { [first]: { afterMs: 399 } })
    assert.deepEqual([by, answer, failed, atMs], [first, first, [], 399])
    assert.deepEqual(asked, [{ node: first, atMs: 0 }])
  })

  it('asks the next one beside a slow first, takes whoever is sooner, and calls the other off', async () => {
    const { by, failed, atMs } = await ask([first, second, third], { [first]: { afterMs: 2_000 }, [second]: { afterMs: 100 } })
    assert.deepEqual([by, failed, atMs], [second, [], 500])
    assert.deepEqual(asked, [
      { node: first, atMs: 0 },
      { node: second, atMs: HEDGE_AFTER_MS },
    ])
    assert.ok(calledOff.includes(first))
  })

  it('goes on to the next one at once when one fails, and says who failed and why', async () => {
    const { by, failed, atMs } = await ask([first, second], {
      [first]: { afterMs: 10, fails: 'gone' },
      [second]: { afterMs: 10 },
    })
    assert.deepEqual([by, failed, atMs], [second, [{ node: first, reason: 'gone' }], 20])
  })

  it('still takes the slow first one when the second has failed', async () => {
    const plan = { [first]: { afterMs: 900 }, [second]: { afterMs: 1, fails: 'gone' } }
    const { by, failed, atMs } = await ask([first, second], plan)
    assert.deepEqual([by, failed, atMs], [first, [{ node: second, reason: 'gone' }], 900])
  })

  it('does not change what it gave when one that was called off fails later', async () => {
    const plan = { [first]: { afterMs: 900, fails: 'called off' }, [second]: { afterMs: 100 } }
    const { by, failed } = await ask([first, second, third], plan)
    await time.advance(DEADLINE_MS)
    assert.deepEqual([by, failed], [second, []])
    assert.equal(asked.length, 2)
  })

  it('ends when all have failed, without waiting for the deadline', async () => {
    const plan = { [first]: { afterMs: 5, fails: 'one' }, [second]: { afterMs: 5, fails: 'two' } }
    const { by, failed, atMs } = await ask([first, second], plan)
    assert.deepEqual([by, atMs], [undefined, 10])
    assert.deepEqual(
      failed.map(({ reason }) => reason),
      ['one', 'two'],
    )
  })

  it('gives up at the deadline and names everyone who was silent', async () => {
    const { by, failed, atMs } = await ask([first, second], {})
    assert.deepEqual([by, atMs], [undefined, DEADLINE_MS])
    assert.deepEqual(failed, [
      { node: first, reason: 'no answer within 5000 ms' },
      { node: second, reason: 'no answer within 5000 ms' },
    ])
    assert.deepEqual(calledOff, [first, second])
  })

  it('ends at once without candidates', async () => {
    assert.deepEqual(await ask([], {}), { by: undefined, answer: undefined, failed: [], atMs: 0 })
  })

  describe('that wants two answers', () => {
    const askTwo = async (
      candidates: NodeId[],
      plan: Plan,
      lingerMs: (answer: string) => number | undefined = () => undefined,
    ) => {
      const asking = askHedged(
        candidates,
        (id, called) => {
          asked.push({ node: id, atMs: time.now() - startMs })
          called.addEventListener('abort', () => calledOff.push(id))
          return new Promise<string>((resolve, reject) => {
            const its = plan[id]
            if (its === undefined) return
            time.after(its.afterMs, () => (its.fails === undefined ? resolve(id) : reject(new Error(its.fails))))
          })
        },
        { wanted: 2, lingerMs, hedgeAfterMs: HEDGE_AFTER_MS, deadlineMs: DEADLINE_MS, timers: time },
      )
      const { answers, failed, atMs } = await time.wait(asking.then((all) => ({ ...all, atMs: time.now() - startMs })))
      return { by: answers.map(({ by }) => by), failed: failed.map(({ node }) => node), atMs }
    }

    it('asks two at once, gives both in the order of the candidates, and asks no third', async () => {
      const plan = { [first]: { afterMs: 90 }, [second]: { afterMs: 20 } }
      assert.deepEqual(await askTwo([first, second, third], plan), { by: [first, second], failed: [], atMs: 90 })
      assert.deepEqual(
        asked.map(({ node, atMs }) => [node, atMs]),
        [
          [first, 0],
          [second, 0],
        ],
      )
    })

    it('waits for the other only so long as an answer says', async () => {
      const plan = { [first]: { afterMs: 30 }, [second]: { afterMs: 300 } }
      assert.deepEqual(await askTwo([first, second, third], plan, () => 150), { by: [first], failed: [], atMs: 180 })
      assert.ok(calledOff.includes(second))
      const patient = await askTwo([first, second, third], plan, () => undefined)
      assert.deepEqual(patient.by, [first, second])
    })

    it('asks a third at once where one of the two fails, and ends with one where nobody else is left', async () => {
      const plan = { [first]: { afterMs: 10, fails: 'gone' }, [second]: { afterMs: 100 }, [third]: { afterMs: 10 } }
      assert.deepEqual(await askTwo([first, second, third], plan), { by: [second, third], failed: [first], atMs: 100 })
      startMs = time.now()
      assert.deepEqual(await askTwo([first, second], plan), { by: [second], failed: [first], atMs: 100 })
    })

    it('asks a third beside two of which one is slow', async () => {
      const plan = { [first]: { afterMs: 10 }, [third]: { afterMs: 10 } }
      assert.deepEqual(await askTwo([first, second, third], plan), { by: [first, third], failed: [], atMs: 410 })
    })

    it('gives the one it has at the deadline, and names who was silent', async () => {
      assert.deepEqual(await askTwo([first, second], { [first]: { afterMs: 10 } }), {
        ...{ by: [first], failed: [second], atMs: DEADLINE_MS },
      })
    })
  })
})
