import assert from 'node:assert/strict'
import { BODY_BYTES_MAX, BodyError, BodyScan } from '../../../src/events/codec/body-scan.ts'

const AUTHOR = Array.from({ length: 32 }, (_, index) => index + 1)
type Fields = readonly (readonly number[])[]
/** Version, kind, Lamport time, author, stream, number, time and payload, as a node writes them. */
const FIELDS: Fields = [
  [8, 1],
  [16, 2],
  [24, 5],
  [34, 32, ...AUTHOR],
  [40, 2],
  [48, 7],
  [56, 9],
  [66, 2, 170, 187],
]
const bytesOf = (fields: Fields): Uint8Array => Uint8Array.from(fields.flat())

/** LEB128, seven bits a byte; with `length` padded, which is odd but no other number. */
function varint(value: number, length = 1): number[] {
  const digits: number[] = []
  for (let left = BigInt(value); left > 0n || digits.length < length; left >>= 7n) digits.push(Number(left & 127n))
  return digits.map((digit, index) => (index < digits.length - 1 ? digit | 128 : digit))
}

function scan(bytes: Uint8Array, start = 0, end = bytes.length) {
  const read = new BodyScan()
  read.read(bytes, start, end)
  const { version, kind, lamport, author, stream, authorSeq, at, payloadStart, payloadEnd } = read
  return { version, kind, lamport, author, stream, authorSeq, at, payload: [payloadStart, payloadEnd] }
}

const READ = {
  ...{ version: 1, kind: 2, lamport: 5, author: Buffer.from(AUTHOR).toString('hex'), stream: 'gossip', authorSeq: 7, at: 9 },
  payload: [48, 50],
}
const refusal = (sentence: string) => ({ name: 'BodyError', message: sentence })
/** The field in another form of the same number: whoever reads the plain form alone leaves it to the slower reader. */
const odd = (tag: number, value: number): number[] => [tag, ...varint(value, 9)]

describe('the scan of a body', () => {
  it('reads each field, and where the payload stands', () => {
    assert.deepEqual(scan(bytesOf(FIELDS)), READ)
  })

  it('reads a body in the midst of other bytes, whatever they are', () => {
    const body = bytesOf(FIELDS)
    for (const around of [0, 8, 66, 255]) {
      const bytes = Uint8Array.from([...Array(60).fill(around), ...body, ...Array(60).fill(around)])
      assert.deepEqual(scan(bytes, 60, 60 + body.length), { ...READ, payload: [108, 110] })
    }
  })

  it('reads the same in any form of its numbers', () => {
    const { payload, ...numbers } = READ
    for (const [index, tag, value] of [
      [0, 8, 1],
      [1, 16, 2],
      [2, 24, 5],
      [4, 40, 2],
      [5, 48, 7],
      [6, 56, 9],
    ] as const) {
      const { payload: where, ...read } = scan(bytesOf(FIELDS.with(index, odd(tag, value))))
      assert.deepEqual(read, numbers)
      assert.deepEqual(
        where,
        payload.map((at) => at + 8),
      )
    }
  })

  it('reads numbers of every length', () => {
    for (const exponent of [7, 14, 21, 28, 35, 42, 49, 53])
      for (const value of [2 ** exponent - 1, 2 ** exponent, 2 ** exponent + 1]) {
        if (value > Number.MAX_SAFE_INTEGER) continue
        const body = bytesOf(
          FIELDS.with(2, [24, ...varint(value)])
            .with(5, [48, ...varint(value)])
            .with(6, [56, ...varint(value)]),
        )
        const { lamport, authorSeq, at } = scan(body)
        assert.deepEqual({ lamport, authorSeq, at }, { lamport: value, authorSeq: value, at: value })
      }
  })

  it('takes versions and kinds of 32 bits and refuses the next', () => {
    for (const [index, tag, name] of [
      [0, 8, 'version'],
      [1, 16, 'kind'],
    ] as const) {
      for (const value of [1, 127, 128, 2 ** 32 - 1])
        assert.equal(scan(bytesOf(FIELDS.with(index, [tag, ...varint(value)])))[name], value)
      for (const value of [0, 2 ** 32])
        assert.throws(
          () => scan(bytesOf(FIELDS.with(index, [tag, ...varint(value)]))),
          refusal('a field of the body is out of range'),
        )
    }
  })

  it('takes each of three streams and refuses what is before and behind them', () => {
    for (const [number, stream] of [
      [1, 'local'],
      [2, 'gossip'],
      [3, 'index'],
    ] as const)
      assert.equal(scan(bytesOf(FIELDS.with(4, [40, number]))).stream, stream)
    for (const number of [0, 4])
      assert.throws(() => scan(bytesOf(FIELDS.with(4, [40, number]))), refusal('a field of the body is out of range'))
  })

  it('takes author sequences from 1 and times from 0 up to 2^53 - 1', () => {
    const largest = varint(Number.MAX_SAFE_INTEGER)
    const tooLarge = varint(2 ** 53)
    assert.equal(scan(bytesOf(FIELDS.with(5, [48, ...largest]))).authorSeq, Number.MAX_SAFE_INTEGER)
    for (const one of [[48, 1], odd(48, 1)]) assert.equal(scan(bytesOf(FIELDS.with(5, one))).authorSeq, 1)
    assert.equal(scan(bytesOf(FIELDS.with(6, [56, ...largest]))).at, Number.MAX_SAFE_INTEGER)
    assert.equal(scan(bytesOf(FIELDS.with(6, [56, 0]))).at, 0)
    for (const number of [[0], tooLarge])
      assert.throws(() => scan(bytesOf(FIELDS.with(5, [48, ...number]))), refusal('the author sequence is out of range'))
    assert.throws(() => scan(bytesOf(FIELDS.with(6, [56, ...tooLarge]))), refusal('the time is out of range'))
  })

  it('refuses a field under another tag', () => {
    for (const [index, field] of FIELDS.entries())
      for (const tag of [0, 1, 8, 16, 24, 34, 40, 48, 56, 66, 72]) {
        if (tag === field[0]) continue
        const bytes = bytesOf(FIELDS.with(index, [tag, ...field.slice(1)]))
        assert.throws(() => scan(bytes), refusal('a field of the body is missing or out of order'), `${index} as ${tag}`)
      }
  })

  it('refuses an author of another length', () => {
    for (const length of [31, 33])
      assert.throws(
        () => scan(bytesOf(FIELDS.with(3, [34, length, ...Array(length).fill(7)]))),
        refusal('an author has 32 bytes'),
      )
  })

  it('refuses a body that ends before its payload does, with the cause', () => {
    const bytes = bytesOf(FIELDS)
    for (let end = 0; end < bytes.length; end++)
      assert.throws(
        () => scan(bytes, 0, end),
        (error: Error) =>
          error instanceof BodyError && error.message === 'the bytes are no event body' && error.cause instanceof Error,
        `${end}`,
      )
  })

  it('passes over numbers and bytes of a later version behind the payload, and refuses all else', () => {
    for (const later of [
      [72, 5],
      [72, 200, 1],
      [82, 0],
      [82, 2, 8, 1],
      [72, 5, 82, 1, 0],
    ])
      assert.deepEqual(scan(bytesOf([...FIELDS, later])), READ)
    for (const again of [
      [8, 1],
      [56, 0],
      [66, 0],
      [64, 0],
    ])
      assert.throws(() => scan(bytesOf([...FIELDS, again])), refusal('a field of the body stands twice or out of order'))
    for (const type of [67, 69, 73, 77])
      assert.throws(
        () => scan(bytesOf([...FIELDS, [type, 0, 0, 0, 0, 0, 0, 0, 0]])),
        refusal('an unknown field of the body has an unknown type'),
      )
    for (const cut of [[72], [82, 2, 1], [82]])
      assert.throws(() => scan(bytesOf([...FIELDS, cut])), refusal('the bytes are no event body'))
  })

  it('takes a body up to its bound, wherever it stands, and refuses one byte more', () => {
    for (const version of [FIELDS[0] as number[], odd(8, 1)]) {
      const begin = FIELDS.slice(0, 7).with(0, version).flat()
      const whole = (bytes: number): Uint8Array => {
        const result = new Uint8Array(bytes + 2)
        result.set([...begin, 66, ...varint(bytes - begin.length - 5, 4)], 1)
        return result
      }
      assert.equal(scan(whole(BODY_BYTES_MAX), 1, 1 + BODY_BYTES_MAX).authorSeq, 7)
      assert.throws(() => scan(whole(BODY_BYTES_MAX + 1), 1, BODY_BYTES_MAX + 2), refusal('a body is too long'))
    }
  })
})
