import assert from 'node:assert/strict'
import fc from 'fast-check'
import { upcastSteps } from '../../../migrations/index.ts'
import { ALL_KINDS, KINDS, NewerEventError, PayloadError, type UpcastStep, upcaster } from '../../../src/events/index.ts'

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

  it('runs the steps from the version of the payload to the present one, in order', () => {
    const append =
      (byte: number): UpcastStep['up'] =>
      (older) =>
        new Uint8Array([...older, byte])
    const steps: UpcastStep[] = [
      { kind: 'download.added', from: 2, up: append(2) },
      { kind: 'download.added', from: 1, up: append(1) },
    ]
    const later = upcaster(steps, { ...KINDS, 'download.added': { number: 24, version: 3 } })
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        assert.deepEqual(later(24, 1, bytes), new Uint8Array([...bytes, 1, 2]))
        assert.deepEqual(later(24, 2, bytes), new Uint8Array([...bytes, 2]))
        assert.equal(later(24, 3, bytes), bytes)
        assert.equal(later(25, 1, bytes), bytes)
      }),
    )
  })

  it('refuses to begin where a step is missing', () => {
    const step: UpcastStep = { kind: 'download.added', from: 1, up: (older) => older }
    const kinds = { ...KINDS, 'download.added': { number: 24, version: 3 } }
    assert.throws(() => upcaster([step], kinds), { name: 'RangeError', message: 'no step from version 2 of download.added' })
  })

  it('calls bytes that no step can read malformed, whoever sent them', () => {
    const refusal = new PayloadError('the step says so itself')
    const steps = ['out of range', refusal].map((error): UpcastStep => {
      const up = () => {
        throw typeof error === 'string' ? new RangeError(error) : error
      }
      return { kind: 'download.added', from: 1, up }
    })
    for (const step of steps) {
      const broken = upcaster([step], { ...KINDS, 'download.added': { number: 24, version: 2 } })
      assert.throws(() => broken(24, 1, payload), PayloadError)
    }
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

  it('calls the very next version newer, and does not read it as the present one', () => {
    for (const kind of ALL_KINDS) {
      const { number, version } = KINDS[kind]
      assert.throws(() => upcast(number, version + 1, payload), NewerEventError)
    }
  })
})
