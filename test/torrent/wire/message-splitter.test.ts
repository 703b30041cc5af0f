import assert from 'node:assert/strict'
import fc from 'fast-check'
import { MESSAGE_BYTES_MAX } from '../../../src/torrent/message-bounds.ts'
import { encodeHandshake } from '../../../src/torrent/wire/handshake.ts'
import { MessageSplitter } from '../../../src/torrent/wire/message-splitter.ts'

const HANDSHAKE = encodeHandshake(new Uint8Array(20).fill(1), new Uint8Array(20).fill(2))

const framed = (payload: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(4 + payload.length)
  new DataView(bytes.buffer).setUint32(0, payload.length)
  bytes.set(payload, 4)
  return bytes
}

/** Pushes a stream in chunks that end at these places. */
function split(stream: Uint8Array, ends: readonly number[]) {
  const heard: string[] = []
  const splitter = new MessageSplitter({
    handshake: (bytes) => heard.push(`handshake ${Buffer.from(bytes).toString('hex')}`),
    message: (bytes) => heard.push(Buffer.from(bytes).toString('hex')),
    violation: (what) => heard.push(what),
  })
  let from = 0
  for (const end of [...new Set([...ends.map((each) => each % (stream.length + 1)), stream.length])].sort((a, b) => a - b)) {
    // A copy of its own, which is overwritten afterwards: nothing may be kept of it.
    const chunk = stream.slice(from, end)
    splitter.push(chunk)
    chunk.fill(0xee)
    from = end
  }
  return heard
}

describe('the stream of a peer', () => {
  it('falls into its handshake and messages, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300, size: 'max' }), { maxLength: 12 }),
        fc.array(fc.nat(), { maxLength: 40, size: 'max' }),
        (payloads, ends) => {
          const stream = Buffer.concat([HANDSHAKE, ...payloads.map(framed)])
          // A message of length 0 keeps a connection alive and says nothing.
          const said = payloads.filter(({ length }) => length > 0).map((payload) => Buffer.from(payload).toString('hex'))
          assert.deepEqual(split(stream, ends), [`handshake ${Buffer.from(HANDSHAKE).toString('hex')}`, ...said])
        },
      ),
    )
  })

  it('has its memory back at once when it ends, and hears nothing behind that', () => {
    const count = 500
    const heard: string[] = []
    const sink = {
      handshake: () => {},
      message: () => heard.push('message'),
      violation: () => heard.push('violation'),
    }
    const splitters = Array.from({ length: count }, () => new MessageSplitter(sink))
    const cut = framed(new Uint8Array(MESSAGE_BYTES_MAX)).subarray(0, 1_000)
    for (const splitter of splitters) {
      splitter.push(HANDSHAKE)
      splitter.push(cut)
    }
    const held = process.memoryUsage().arrayBuffers
    // No collection gives it back: they are all held.
    for (const splitter of splitters) splitter.end()
    assert.ok(held - process.memoryUsage().arrayBuffers > 0.9 * count * MESSAGE_BYTES_MAX)
    for (const splitter of splitters) splitter.push(framed(Uint8Array.of(1)))
    assert.deepEqual(heard, [])
  })

  it('takes a message of the greatest length, and ends with one that says it is a byte longer', () => {
    for (const ends of [[], [70], [71, 72, 73]]) {
      const longest = split(Buffer.concat([HANDSHAKE, framed(new Uint8Array(MESSAGE_BYTES_MAX))]), ends)
      assert.equal(longest[1]?.length, 2 * MESSAGE_BYTES_MAX)
      const longer = split(
        Buffer.concat([HANDSHAKE, framed(new Uint8Array(MESSAGE_BYTES_MAX + 1)), framed(new Uint8Array(1))]),
        ends,
      )
      assert.deepEqual(longer.slice(1), [`a message of ${MESSAGE_BYTES_MAX + 1} bytes`])
    }
  })

  it('says nothing more once it was stopped, in the midst of a chunk', () => {
    let heard = 0
    const splitter: MessageSplitter = new MessageSplitter({
      handshake: () => {},
      message: () => {
        heard += 1
        splitter.stop()
      },
      violation: () => assert.fail(),
    })
    splitter.push(Buffer.concat([HANDSHAKE, framed(Uint8Array.of(1)), framed(Uint8Array.of(2))]))
    splitter.push(framed(Uint8Array.of(3)))
    assert.equal(heard, 1)
  })
})
