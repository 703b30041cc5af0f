import { deepEqual, equal } from 'node:assert/strict'
import { type NodeId, type SignedEvent, scanBody } from '../../../src/events/index.ts'
import { VERIFIED_MAX, verifyingOnce } from '../../../src/roles/client/verified-signatures.ts'
import { verifySignature } from '../../events/test-network.ts'
import { Author } from '../index-network.ts'

describe('signatures that are checked once', () => {
  let checked: number
  let verify: typeof verifySignature
  beforeEach(() => {
    checked = 0
    verify = verifyingOnce((...signed) => {
      checked += 1
      return verifySignature(...signed)
    })
  })
  const holds = ({ body, signature }: SignedEvent, author: NodeId = scanBody(body).author) =>
    verify('event', body, signature, author)
  const event = async () => (await new Author(1).publishes('quiet orbit'))[0] as SignedEvent

  it('hold again without a look, also where the bytes they came in are others by now', async () => {
    const signed = await event()
    const { body, signature } = { body: new Uint8Array(signed.body), signature: new Uint8Array(signed.signature) }
    equal(holds({ body, signature }), true)
    body.fill(0)
    signature.fill(0)
    deepEqual([holds(signed), checked], [true, 1])
  })

  it('do not hold for another body, signature, author or purpose', async () => {
    const signed = await event()
    equal(holds(signed), true)
    const body = new Uint8Array(signed.body)
    body[body.length - 1] = (body.at(-1) ?? 0) ^ 1
    const signature = new Uint8Array(signed.signature)
    signature[0] = (signature[0] ?? 0) ^ 1
    for (let round = 0; round < 2; round++) {
      equal(holds({ body, signature: signed.signature }, new Author(1).id), false)
      equal(holds({ body: signed.body.subarray(0, -1), signature: signed.signature }, new Author(1).id), false)
      equal(holds({ ...signed, signature }), false)
      equal(holds(signed, new Author(2).id), false)
    }
    equal(checked, 9)
  })

  it('are remembered up to a bound, those met last', async () => {
    let isRight = true
    const once = verifyingOnce(() => {
      checked += 1
      return isRight
    })
    const author = new Author(1).id
    const signature = (number: number) => new Uint8Array([number & 255, number >> 8, 7])
    const check = (number: number) => once('event', new Uint8Array([1]), signature(number), author)
    for (let number = 0; number < VERIFIED_MAX; number++) check(number)
    check(0)
    equal(checked, VERIFIED_MAX)
    check(VERIFIED_MAX)
    isRight = false
    deepEqual([check(0), check(1), check(2)], [true, false, true])
  })
})
