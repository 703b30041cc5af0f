import assert from 'node:assert/strict'
import { RequestError } from '../../../src/network/index.ts'
import { AskedOwners } from '../../../src/roles/client/asked-owners.ts'
import { node } from '../../projections/envelopes.ts'

const [ada, bob] = [node('ada'), node('bob')]

describe('the owners that were asked', () => {
  let now: number
  let asked: AskedOwners
  beforeEach(() => {
    now = 1_000
    asked = new AskedOwners(() => now)
    asked.begin(ada)
  })
  const row = (more: object) => ({ node: ada, outcome: 'answered', reason: null, hits: 0, lacks: 0, elapsedMs: 0, ...more })

  it('are silent until they answer, for as long as that is', () => {
    now += 250.4
    assert.deepEqual(asked.rows(), [row({ outcome: 'silent', reason: 'no answer in 250 ms', elapsedMs: 250 })])
    assert.deepEqual([asked.outcomeOf(ada), asked.outcomeOf(bob)], ['silent', undefined])
  })

  it('are one row over several pages, with the hits of all and the time since the first', () => {
    now += 100
    asked.answered(ada, 20, 'answered')
    now += 50
    asked.begin(ada)
    now += 50
    asked.answered(ada, 5, 'not-level')
    now += 1_000
    assert.deepEqual(asked.rows(), [row({ outcome: 'not-level', hits: 25, elapsedMs: 200 })])
  })

  it('have failed with a sentence, and not where they were called off', () => {
    asked.begin(bob)
    now += 30
    asked.failed(ada, new RequestError('aborted', 'others were sooner'))
    asked.failed(bob, new RequestError('refused', 'too many requests'))
    assert.deepEqual(asked.rows(), [
      row({ outcome: 'silent', reason: 'no answer in 30 ms', elapsedMs: 30 }),
      { ...row({ outcome: 'failed', reason: 'too many requests', elapsedMs: 30 }), node: bob },
    ])
    asked.failed(ada, 'a text')
    assert.deepEqual(asked.rows()[0], row({ outcome: 'failed', reason: 'a text', elapsedMs: 30 }))
    asked.answered(ada, 1, 'answered')
    assert.equal(asked.rows()[0]?.reason, null, 'it was asked once more, and answered')
  })

  it('may lack something, and what came of that is told, also of one that is silent', () => {
    asked.answered(ada, 1, 'answered')
    asked.lacks(ada, 3)
    asked.explain(ada, 'it took them')
    assert.deepEqual(asked.rows(), [row({ hits: 1, lacks: 3, reason: 'it took them' })])
    asked.begin(bob)
    asked.explain(bob, 'it was held off')
    assert.equal(asked.rows()[1]?.reason, 'it was held off')
  })

  it('are those that were asked: nothing is kept of others, and a clock that goes back makes no time of less than none', () => {
    asked.answered(bob, 1, 'answered')
    asked.failed(bob, new Error('x'))
    asked.lacks(bob, 1)
    asked.explain(bob, 'x')
    now -= 500
    assert.deepEqual(asked.rows(), [row({ outcome: 'silent', reason: 'no answer in 0 ms' })])
    asked.answered(ada, 0, 'answered')
    assert.deepEqual(asked.rows(), [row({})])
  })
})
