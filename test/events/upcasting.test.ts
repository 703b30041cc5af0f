import assert from 'node:assert/strict'
import { upcastSteps } from '../../migrations/index.ts'
import { ALL_KINDS, KINDS, NewerEventError, upcaster } from '../../src/events/index.ts'

describe('upcasting', () => {
  const upcast = upcaster(upcastSteps)
  const payload = new Uint8Array([1, 2, 3])

  it('has a step for every version between the first and the present one of each kind', () => {
    for (const kind of ALL_KINDS) {
      const steps = upcastSteps.filter((step) => step.kind === kind).map(({ from }) => from)
      assert.deepEqual(
        steps,
        Array.from({ length: KINDS[kind].version - 1 }, (_, index) => index + 1),
      )
    }
  })

  it('leaves the present version, and kinds it does not know, as they are', () => {
    for (const kind of ALL_KINDS) assert.equal(upcast(KINDS[kind].number, KINDS[kind].version, payload), payload)
    assert.equal(upcast(60_000, 7, payload), payload)
  })

  it('says which version an event of a newer one needs', () => {
    assert.throws(
      () => upcast(KINDS['node.started'].number, 99, payload),
      (error) => {
        assert.ok(error instanceof NewerEventError)
        assert.match(error.message, /node\.started has version 99, this p2pt knows up to 1: use a newer one/)
        return true
      },
    )
  })
})
