import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { SecretStream } from 'hyperdht'
import { FrameGuard } from '../../src/network/frame-guard.hyperswarm.ts'
import { MESSAGE_BYTES_MAX } from '../../src/network/transport.ts'

const FRAME_BYTES_MAX = MESSAGE_BYTES_MAX + 64
const PARTIAL_BYTES_MAX = FRAME_BYTES_MAX + 65_536
const CONTROL_FRAMES_MAX = 16

/** What the guard sees of an encrypted stream: frames as they are whole, and below them what comes off the socket. */
class StreamEnd extends EventEmitter {
  readonly rawStream = new EventEmitter()
  readonly opened = Promise.resolve(true)
  readonly written: Uint8Array[] = []
  rawBytesRead = 0
  destroyed = false
  ends = 0
  alloc = (bytes: number): Buffer => Buffer.alloc(bytes)
  write = (bytes: Uint8Array): boolean => this.written.push(bytes) < 2
  end = (): void => {
    this.ends++
  }
}

describe('frame guard', () => {
  let stream: StreamEnd
  let guard: FrameGuard
  let passed: Uint8Array[]
  let refusals: string[]
  let charged: [bytes: number, messages: number][]
  let allows: boolean
  beforeEach(async () => {
    stream = new StreamEnd()
    ;[passed, refusals, charged, allows] = [[], [], [], true]
    const allow = (bytes: number, messages: number) => {
      charged.push([bytes, messages])
      return allows
    }
    guard = new FrameGuard(stream as unknown as SecretStream, allow, (why) => refusals.push(why))
    guard.on('data', (frame: Uint8Array) => passed.push(frame))
    await stream.opened
  })
  const comes = (...frames: readonly Uint8Array[]) => {
    for (const frame of frames) stream.emit('data', frame)
  }
  const chunk = (bytes: number) => stream.rawStream.emit('data', new Uint8Array(bytes))
  /** True if a frame passes a guard of its own. */
  const passes = (...frame: number[]): boolean => {
    const own: Uint8Array[] = []
    const one = new StreamEnd()
    const refused: string[] = []
    new FrameGuard(
      one as unknown as SecretStream,
      () => true,
      (why) => refused.push(why),
    ).on('data', (each) => own.push(each))
    one.emit('data', Uint8Array.from(frame))
    assert.deepEqual(refused, own.length > 0 ? [] : ['malformed'])
    return own.length > 0
  }

  it('lets messages on channels 1 to 16 pass, with a type at least', () => {
    assert.deepEqual(
      [[1, 0], [16, 0, 7], [17, 0], [253, 0, 0], [1]].map((frame) => passes(...frame)),
      [true, true, false, false, false],
    )
  })

  it('lets channels 1 to 16 be opened, refused and closed, and nothing else be controlled, batches least of all', () => {
    for (const type of [1, 2, 3]) assert.deepEqual([passes(0, type, 1), passes(0, type, 16)], [true, true])
    assert.deepEqual(
      [[0, 0, 1], [0, 4, 1], [0, 1, 0], [0, 1, 17], [0], [0, 1], []].map((frame) => passes(...frame)),
      Array(7).fill(false),
    )
  })

  it(`lets ${CONTROL_FRAMES_MAX} control frames pass, and messages without end`, () => {
    const open = Uint8Array.of(0, 1, 1)
    comes(...Array(CONTROL_FRAMES_MAX).fill(open), ...Array(100).fill(Uint8Array.of(1, 0)))
    assert.deepEqual([passed.length, refusals], [CONTROL_FRAMES_MAX + 100, []])
    comes(open)
    assert.deepEqual([passed.length, refusals], [CONTROL_FRAMES_MAX + 100, ['malformed']])
  })

  it('lets frames of the longest message pass, and refuses longer ones', () => {
    const frame = (length: number) => new Uint8Array(length).fill(1)
    comes(frame(FRAME_BYTES_MAX))
    assert.deepEqual([passed.length, refusals], [1, []])
    comes(frame(FRAME_BYTES_MAX + 1))
    assert.deepEqual([passed.length, refusals], [1, ['oversized']])
  })

  it('charges each frame, and each byte as it comes off the socket, and refuses what is over the rate', () => {
    comes(Uint8Array.of(1, 0))
    chunk(300)
    assert.deepEqual(charged, [
      [0, 1],
      [300, 0],
    ])
    allows = false
    comes(Uint8Array.of(1, 0))
    assert.deepEqual([passed.length, refusals], [1, ['flood']])
  })

  it('refuses bytes over the rate that are no frame yet', () => {
    allows = false
    chunk(1)
    assert.deepEqual(refusals, ['flood'])
  })

  it('refuses a frame that does not end, and counts anew with each that does', () => {
    for (let frames = 0; frames < 3; frames++) {
      stream.rawBytesRead += 1_000
      chunk(PARTIAL_BYTES_MAX - 1)
      chunk(1)
    }
    assert.deepEqual(refusals, [])
    chunk(1)
    assert.deepEqual(refusals, ['oversized'])
  })

  it('refuses once, hands on nothing afterwards, and is destroyed by then', () => {
    assert.equal(guard.destroyed, false)
    guard.destroy()
    assert.deepEqual([refusals, guard.destroyed], [['malformed'], true])
    comes(Uint8Array.of(1, 0), Uint8Array.of(0, 9))
    chunk(10 * PARTIAL_BYTES_MAX)
    guard.destroy()
    assert.deepEqual([passed, refusals, charged], [[], ['malformed'], []])
  })

  it('is the stream in all else, which is never paused', () => {
    const told: string[] = []
    for (const event of ['drain', 'end', 'error', 'close']) {
      guard.on(event, () => told.push(event))
      stream.emit(event, new Error('x'))
    }
    assert.deepEqual(told, ['drain', 'end', 'error', 'close'])
    assert.deepEqual([guard.alloc(3).length, guard.write(Uint8Array.of(1)), guard.write(Uint8Array.of(2))], [3, true, false])
    guard.pause()
    guard.resume()
    guard.end()
    assert.deepEqual([stream.written.length, stream.ends], [2, 1])
    stream.destroyed = true
    assert.equal(guard.destroyed, true)
  })
})
