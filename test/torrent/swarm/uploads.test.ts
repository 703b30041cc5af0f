import assert from 'node:assert/strict'
import type { Timers } from '../../../src/events/index.ts'
import { TorrentError } from '../../../src/torrent/engine.ts'
import type { Peer } from '../../../src/torrent/swarm/peer.ts'
import { SendBuffers } from '../../../src/torrent/swarm/send-buffers.ts'
import { ServeQueue } from '../../../src/torrent/swarm/serve-queue.ts'
import { type TransferFlow, TransferTurns } from '../../../src/torrent/swarm/transfer-turns.ts'
import { Uploads, type UploadsOptions } from '../../../src/torrent/swarm/uploads.ts'
import { MESSAGE, type NamedBlock } from '../../../src/torrent/wire/messages.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

const BLOCK = 16_384

const block = (index: number, at: number, length = BLOCK): NamedBlock => ({ index, offset: at * BLOCK, length })

/** What stands at a place of a piece. */
const byteAt = (index: number, offset: number): number => (index * 31 + offset) & 0xff

/** A peer whose messages are kept, with what it is told when each has left. */
class Asking {
  readonly wanted = new ServeQueue()
  readonly link = { unsentBytes: 0 }
  readonly uploaded = { add: () => {} }
  readonly sent: Uint8Array[] = []
  readonly rejected: NamedBlock[] = []
  readonly left: (() => void)[] = []
  reading = 0
  awaitsTurn = false
  readonly peerClass = 'local'
  amChoking = false
  closed = false

  send(bytes: Uint8Array, onSent: () => void): void {
    this.sent.push(bytes)
    this.link.unsentBytes += bytes.length
    this.left.push(() => {
      this.link.unsentBytes -= bytes.length
      onSent()
    })
  }

  reject(blocks: readonly NamedBlock[]): void {
    this.rejected.push(...blocks)
  }
}

const time = new VirtualTime()

/** A torrent among those that share so many bytes a second; 0: no limit. */
function limited(bytesPerSecond: number, timers: Timers = time): TransferFlow {
  const turns = new TransferTurns({ timers, now: () => time.now() })
  turns.all.set(bytesPerSecond)
  return turns.flow()
}

function uploads(options: Partial<UploadsOptions> = {}) {
  const works: Promise<void>[] = []
  const reads: { index: number; offset: number; lengths: number[] }[] = []
  const asking = new Asking()
  const made = new Uploads({
    ...{ buffers: new SendBuffers(), flow: limited(0), now: () => time.now() },
    mayServe: () => true,
    read: async (index, offset, parts) => {
      reads.push({ index, offset, lengths: parts.map(({ length }) => length) })
      let at = offset
      for (const part of parts) for (let byte = 0; byte < part.length; byte++) part[byte] = byteAt(index, at++)
    },
    isSpoiled: () => false,
    sent: () => {},
    problem: () => {},
    track: (work) => works.push(work),
    ...options,
  })
  const serve = async (...blocks: NamedBlock[]) => {
    for (const each of blocks) asking.wanted.add(each)
    made.serve(asking as unknown as Peer)
    for (let done = 0; done < works.length; done++) await works[done]
  }
  return { asking, reads, serve }
}

/** The blocks of `piece` messages, in their order. */
function blocksIn(bytes: Uint8Array): { block: NamedBlock; data: Uint8Array }[] {
  const found = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at) - 9
    assert.equal(view.getUint8(at + 4), MESSAGE.piece)
    const data = bytes.slice(at + 13, at + 13 + length)
    found.push({ block: { index: view.getUint32(at + 5), offset: view.getUint32(at + 9), length }, data })
    at += 13 + length
  }
  return found
}

describe('answers to requests', () => {
  it('are read in one go where they follow each other, and sent as messages with the right bytes', async () => {
    const { asking, reads, serve } = uploads()
    const asked = [block(3, 0), block(3, 1), block(3, 2, 100), block(5, 7)]
    await serve(...asked)
    assert.deepEqual(reads, [
      { index: 3, offset: 0, lengths: [BLOCK, BLOCK, 100] },
      { index: 5, offset: 7 * BLOCK, lengths: [BLOCK] },
    ])
    const answered = asking.sent.flatMap(blocksIn)
    assert.deepEqual(
      answered.map((each) => each.block),
      asked,
    )
    for (const {
      block: { index, offset },
      data,
    } of answered)
      assert.ok(
        data.every((byte, at) => byte === byteAt(index, offset + at)),
        `${index} ${offset}`,
      )
  })

  it('go out of memory that is written to again only when they have left', async () => {
    const { asking, serve } = uploads()
    await serve(block(0, 0))
    await serve(block(1, 0))
    assert.notEqual(asking.sent[0]?.buffer, asking.sent[1]?.buffer, 'the first one has not left')
    asking.left[0]?.()
    await serve(block(2, 0))
    assert.equal(asking.sent[2]?.buffer, asking.sent[0]?.buffer)
    assert.ok(blocksIn(asking.sent[1] as Uint8Array)[0]?.data.every((byte, at) => byte === byteAt(1, at)))
  })

  it('wait where a megabyte has not left, and go on when it has', async () => {
    const { asking, serve } = uploads()
    const blocks = Array.from({ length: 200 }, (_, at) => block(0, at))
    await serve(...blocks)
    assert.ok(asking.wanted.size > 0)
    assert.ok(asking.link.unsentBytes < 1024 * 1024 + 2 * 32 * (BLOCK + 13), `${asking.link.unsentBytes}`)
    while (asking.wanted.size > 0) {
      for (const left of asking.left.splice(0)) left()
      await serve()
    }
    assert.equal(asking.sent.flatMap(blocksIn).length, 200)
  })

  it('are rejected where the piece may not be had, the disk fails, or the peer was choked meanwhile', async () => {
    const refused = uploads({ mayServe: (_, index) => index !== 1 })
    await refused.serve(block(1, 0), block(2, 0))
    assert.deepEqual([refused.asking.rejected, refused.asking.sent.length], [[block(1, 0)], 1])
    const failing = uploads({ read: () => Promise.reject(new Error('bad sector')) })
    await failing.serve(block(1, 0), block(1, 1))
    assert.deepEqual([failing.asking.rejected, failing.asking.sent], [[block(1, 0), block(1, 1)], []])
    const choked = uploads({
      read: async () => {
        choked.asking.amChoking = true
      },
    })
    await choked.serve(block(1, 0))
    assert.deepEqual([choked.asking.rejected, choked.asking.sent], [[block(1, 0)], []])
  })

  it('tell of a disk that cannot be read, and not of what is told elsewhere or over in a moment', async () => {
    const problems: string[] = []
    for (const error of [new TorrentError('DISK', 'a.bin cannot be read'), new Error('EMFILE')]) {
      const read = async () => {
        throw error
      }
      const { asking, serve } = uploads({ read, problem: ({ message }) => problems.push(message) })
      await serve(block(1, 0))
      assert.deepEqual(asking.rejected, [block(1, 0)])
    }
    assert.deepEqual(problems, ['a.bin cannot be read'])
  })

  it('are read in runs no longer than what the limit gives in a moment, a block at least', async () => {
    for (const [bytesPerSecond, blocks] of [
      [9 * BLOCK, 2],
      [BLOCK, 1],
    ] as const) {
      const { reads, serve } = uploads({ flow: limited(bytesPerSecond) })
      await serve(block(1, 0), block(1, 1), block(1, 2), block(1, 3))
      assert.equal(reads[0]?.lengths.length, blocks)
    }
  })

  it('have an error in each block of a piece that is to be spoiled', async () => {
    const { asking, serve } = uploads({ isSpoiled: (index) => index === 1 })
    await serve(block(0, 0), block(1, 0), block(1, 1))
    const wrong = asking.sent.flatMap(blocksIn).map(({ block: { index, offset }, data }) => {
      return data.filter((byte, at) => byte !== byteAt(index, offset + at)).length
    })
    assert.deepEqual(wrong, [0, 1, 1])
  })

  it('share a limit among those that wait for it, one run each in turn', async () => {
    const works: Promise<void>[] = []
    const made = new Uploads({
      ...{ buffers: new SendBuffers(), flow: limited(BLOCK), now: () => time.now(), mayServe: () => true },
      ...{ read: async () => {}, isSpoiled: () => false, problem: () => {}, sent: () => {}, track: (work) => works.push(work) },
    })
    const peers = Array.from({ length: 3 }, () => new Asking())
    for (const [place, peer] of peers.entries()) {
      // Pieces apart, so that each is a run of its own.
      for (let index = 0; index < 10; index++) peer.wanted.add(block(index * 2 + place, 0))
      made.serve(peer as unknown as Peer)
    }
    for (let second = 0; second < 12; second++) await time.advance(1_000)
    assert.deepEqual(
      peers.map(({ sent }) => sent.length),
      [5, 4, 4],
    )
    const [first, second] = peers
    assert.ok(first !== undefined && second !== undefined)
    second.closed = true
    for (let more = 0; more < 6; more++) await time.advance(1_000)
    assert.deepEqual(
      peers.map(({ sent }) => sent.length),
      [8, 4, 7],
    )
    await Promise.all(works)
  })

  it('keep a limit, with one timer however often it is asked to go on', async () => {
    let timers = 0
    const { asking, serve } = uploads({
      flow: limited(BLOCK, {
        after: (waitMs, run) => {
          timers++
          return time.after(waitMs, run)
        },
      }),
    })
    await serve(...Array.from({ length: 8 }, (_, at) => block(at, 0)))
    for (let times = 0; times < 100; times++) await serve()
    const atFirst = asking.sent.length
    assert.ok(atFirst <= 2, `${atFirst}`)
    assert.equal(timers, 1)
    for (let second = 0; second < 4; second++) {
      await time.advance(1_000)
      await serve()
    }
    assert.ok(asking.sent.length >= atFirst + 3 && asking.sent.length <= atFirst + 4, `${asking.sent.length - atFirst}`)
  })
})

describe('memory to send from', () => {
  it('is at most twice as long as what is asked for, or a block', () => {
    const buffers = new SendBuffers()
    for (const bytes of [1, BLOCK + 13, BLOCK + 14, 5 * (BLOCK + 13), 32 * (BLOCK + 13)]) {
      const { length } = buffers.take(bytes)
      assert.ok(length >= bytes && (length < 2 * bytes || length === BLOCK + 13), `${bytes}: ${length}`)
    }
  })

  it('is used again, up to 8 MiB of it', () => {
    const buffers = new SendBuffers()
    const size = 32 * (BLOCK + 13)
    const taken = Array.from({ length: 17 }, () => buffers.take(size))
    for (const buffer of taken) buffers.giveBack(buffer)
    const again = new Set(Array.from({ length: 17 }, () => buffers.take(size)))
    assert.equal(taken.filter((buffer) => again.has(buffer)).length, 15)
  })
})
