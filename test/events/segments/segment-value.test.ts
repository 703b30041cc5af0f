import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { BodyError } from '../../../src/events/codec/body-scan.ts'
import { PayloadError } from '../../../src/events/codec/payload.ts'
import { VarintError } from '../../../src/events/codec/varint.ts'
import { LogError } from '../../../src/events/index.ts'
import {
  asDamage,
  chainDigest,
  damaged,
  isSealed,
  orDamaged,
  sealSegment,
  sealValue,
  storedFrames,
} from '../../../src/events/segments/segment-value.level.ts'

const rangesOf = (error: unknown): unknown => {
  assert.ok(error instanceof LogError && error.detail.code === 'LOG_DAMAGED')
  return error.detail.ranges
}

describe('a value of the log', () => {
  it('stands behind its checksum, in one piece', () => {
    const value = sealValue([Buffer.from('one'), Buffer.from(''), Buffer.from('two')])
    assert.deepEqual(value, Buffer.concat([Buffer.from(Uint32Array.of(crc32('onetwo')).buffer), Buffer.from('onetwo')]))
    assert.equal(isSealed(value), true)
    assert.equal(isSealed(sealValue([])), true)
  })

  it('is not sealed with a bit changed, or a byte fewer or more', () => {
    const value = sealValue([Buffer.from('value')])
    for (let at = 0; at < value.length; at++) assert.equal(isSealed(Buffer.from(value.with(at, (value[at] ?? 0) ^ 1))), false)
    for (let length = 1; length < value.length; length++) assert.equal(isSealed(value.subarray(0, length)), false)
    assert.equal(isSealed(Buffer.alloc(0)), false)
    assert.equal(isSealed(Buffer.concat([value, Buffer.alloc(1)])), false)
  })

  it('of a segment has its frames behind what it says of itself', () => {
    const value = sealSegment({ before: new Uint8Array(32).fill(3) }, [Buffer.from('one'), Buffer.from('two')])
    assert.equal(isSealed(value), true)
    assert.equal(Buffer.from(storedFrames(value)).toString(), 'onetwo')
  })

  it('has a chain of sha-256 over the digest before and the frame', () => {
    const [before, frame] = [Buffer.alloc(32, 1), Buffer.from('frame')]
    assert.deepEqual(
      Buffer.from(chainDigest(before, frame)),
      createHash('sha256')
        .update(Buffer.concat([before, frame]))
        .digest(),
    )
  })
})

describe('what cannot be read', () => {
  const level = (code: string, message = '') => Object.assign(new Error(message), { code })

  it('is damage of these events where the disk or LevelDB says so', () => {
    for (const message of [
      'Input/output error',
      'IO error: 5.ldb: Invalid argument',
      'No such file or directory',
      'truncated block read',
    ]) {
      const error = level('LEVEL_IO_ERROR', message)
      const damage = asDamage(error, 3, 9)
      assert.deepEqual(rangesOf(damage), [{ from: 3, to: 9, what: 'missing' }])
      assert.equal((damage as Error).cause, error)
    }
    const corrupt = level('LEVEL_CORRUPTION', 'block checksum mismatch')
    assert.deepEqual(rangesOf(asDamage(corrupt, 3, 9)), [{ from: 3, to: 9, what: 'altered' }])
    assert.equal((asDamage(corrupt, 3, 9) as Error).cause, corrupt)
  })

  it('is no damage where it is anything else', () => {
    for (const error of [
      level('LEVEL_IO_ERROR', 'Too many open files'),
      level('LEVEL_DATABASE_NOT_OPEN', 'truncated'),
      new Error('truncated'),
    ])
      assert.equal(asDamage(error, 3, 9), error)
  })

  it('is damage of these events where its bytes are not what was written', () => {
    assert.equal(
      orDamaged(1, 2, () => 'read'),
      'read',
    )
    for (const cause of [new VarintError('x'), new BodyError('x'), new PayloadError('x')])
      assert.throws(
        () =>
          orDamaged(1, 2, () => {
            throw cause
          }),
        (error) => {
          assert.deepEqual(rangesOf(error), [{ from: 1, to: 2, what: 'altered' }])
          assert.equal((error as Error).cause, cause)
          return true
        },
      )
    const other = new TypeError('a bug')
    assert.throws(
      () =>
        orDamaged(1, 2, () => {
          throw other
        }),
      (error) => error === other,
    )
  })

  it('may be several ranges', () => {
    const ranges = [
      { from: 1, to: 2, what: 'missing' },
      { from: 4, to: 5, what: 'altered' },
    ] as const
    assert.deepEqual(rangesOf(damaged(...ranges)), ranges)
  })
})
