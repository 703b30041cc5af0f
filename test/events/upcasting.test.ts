import assert from 'node:assert/strict'
import fc from 'fast-check'
import { upcastSteps } from '../../migrations/index.ts'
import {
  ALL_KINDS,
  decodePayload,
  type Event,
  encodePayload,
  KINDS,
  NewerEventError,
  PayloadError,
  upcaster,
} from '../../src/events/index.ts'

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

  it('gives a download of version 1 the title of its magnet, else its name, and changes nothing else', () => {
    const { number } = KINDS['download.added']
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), fc.boolean(), (name, title, linked) => {
        const magnet = linked ? `magnet:?xt=urn:btih:${'5'.repeat(40)}&dn=${encodeURIComponent(title)}` : ''
        const whole = {
          infoHash: '5'.repeat(40),
          name,
          directory: '/d',
          origin: 'download',
          magnet,
          torrentFile: new Uint8Array([7]),
        }
        // Version 1 is version 2 without the field at its end, which protobuf leaves out where it is empty.
        const { payload: older } = encodePayload({ kind: 'download.added', title: '', ...whole } as Event)
        const event = decodePayload(number, upcast(number, 1, older))
        assert.deepEqual(event, { kind: 'download.added', ...whole, title: (linked && title) || name })
      }),
    )
  })

  it('calls bytes that no step can read malformed, whoever sent them', () => {
    for (const bytes of [[8, 1], [18, 99], [255]]) {
      assert.throws(() => upcast(KINDS['download.added'].number, 1, new Uint8Array(bytes)), PayloadError)
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
})
