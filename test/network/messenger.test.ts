import assert from 'node:assert/strict'
import type { NodeId } from '../../src/events/index.ts'
import { IN_MAX, IN_PER_PEER_MAX, Messenger, OUT_MAX, OUT_PER_PEER_MAX, REASON_BYTES_MAX } from '../../src/network/messenger.ts'
import { RequestError, type RequestOptions } from '../../src/network/overlay.ts'
import { EXCHANGE_BODY_BYTES_MAX, type MessengerMessage } from '../../src/network/wire.ts'
import { VirtualTime } from '../sim/virtual-time.ts'

const peerOf = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId
const PEER = peerOf(1)
const NOTHING = new Uint8Array()

describe('messenger', () => {
  let time: VirtualTime
  let messenger: Messenger
  let sent: { to: NodeId; message: MessengerMessage }[]
  let isLinked: boolean
  let takes: boolean
  beforeEach(() => {
    time = new VirtualTime(0)
    sent = []
    isLinked = true
    takes = true
    messenger = new Messenger({
      timers: time,
      connect: async () => isLinked,
      send(to, message) {
        if (takes) sent.push({ to, message })
        return takes
      },
    })
  })

  /** The code of a request that fails, or `ok`. */
  const outcome = (to: NodeId, options: RequestOptions = {}): Promise<string> =>
    messenger.request(to, 'method', NOTHING, options).then(
      () => 'ok',
      (error) => (error instanceof RequestError ? error.code : String(error)),
    )
  const idOf = (index: number): number => sent.filter(({ message }) => message.type === 'request')[index]?.message.id ?? -1
  const answers = () => sent.flatMap(({ message }) => (message.type === 'response' ? [message.status] : []))

  /** Fills all slots of requests to one peer, and asserts that there is none left. @returns what becomes of them */
  const full = async (options: RequestOptions = {}) => {
    const requests = Array.from({ length: OUT_PER_PEER_MAX }, () => outcome(PEER, options))
    assert.equal(await outcome(PEER), 'overloaded')
    return { outcomes: () => Promise.all(requests) }
  }

  describe('requests under way', () => {
    it('are 64 to one peer, and others can still be asked', async () => {
      assert.equal(OUT_PER_PEER_MAX, 64)
      await full()
      void outcome(peerOf(2))
      await time.advance(0)
      assert.equal(sent.length, OUT_PER_PEER_MAX + 1)
    })

    it('are 1,024 in all', async () => {
      assert.equal(OUT_MAX, 1_024)
      for (let count = 0; count < OUT_MAX; count++) void outcome(peerOf(Math.floor(count / OUT_PER_PEER_MAX)))
      assert.equal(await outcome(peerOf(OUT_MAX)), 'overloaded')
    })

    const ends: Readonly<Record<string, { options?: () => RequestOptions; end(): Promise<void> | void; code: string }>> = {
      'it is answered': {
        code: 'ok',
        end() {
          const ids = Array.from({ length: OUT_PER_PEER_MAX }, (_, index) => idOf(index))
          for (const id of ids) messenger.receive(PEER, { type: 'response', id, status: 'ok', body: NOTHING })
        },
      },
      'it is refused': {
        code: 'refused',
        end() {
          const ids = Array.from({ length: OUT_PER_PEER_MAX }, (_, index) => idOf(index))
          for (const id of ids) messenger.receive(PEER, { type: 'response', id, status: 'refused', body: NOTHING })
        },
      },
      'its time is over': { code: 'timeout', options: () => ({ timeoutMs: 50 }), end: () => time.advance(50) },
      'it is given up': {
        code: 'aborted',
        options() {
          const controller = new AbortController()
          time.after(10, () => controller.abort())
          return { signal: controller.signal }
        },
        end: () => time.advance(10),
      },
      'its link is lost': { code: 'unreachable', end: () => messenger.linkDown(PEER) },
    }
    for (const [name, { options, end, code }] of Object.entries(ends)) {
      it(`leave their slot free when ${name}`, async () => {
        const { outcomes } = await full(options?.())
        await time.advance(0)
        await end()
        assert.deepEqual(new Set(await outcomes()), new Set([code]))
        const cancelled = sent.filter(({ message }) => message.type === 'cancel').length
        assert.equal(cancelled, code === 'timeout' || code === 'aborted' ? OUT_PER_PEER_MAX : 0)
        sent.length = 0
        await full()
        await time.advance(0)
        assert.equal(sent.length, OUT_PER_PEER_MAX)
      })
    }

    it('leave their slot free when there is no link, or it takes nothing', async () => {
      isLinked = false
      for (let count = 0; count <= OUT_MAX; count++) assert.equal(await outcome(PEER), 'unreachable')
      isLinked = true
      takes = false
      for (let count = 0; count <= OUT_MAX; count++) assert.equal(await outcome(PEER), 'unreachable')
    })

    it('leave no timer behind', async () => {
      const request = outcome(PEER, { timeoutMs: 50 })
      await time.advance(0)
      messenger.receive(PEER, { type: 'response', id: idOf(0), status: 'ok', body: NOTHING })
      assert.equal(await request, 'ok')
      await time.advance(100)
      assert.equal(sent.length, 1, 'no cancel')
    })

    it('are answered by whom they were sent to, and nobody else', async () => {
      const request = outcome(PEER, { timeoutMs: 50 })
      await time.advance(0)
      messenger.receive(peerOf(2), { type: 'response', id: idOf(0), status: 'ok', body: NOTHING })
      await time.advance(50)
      assert.equal(await request, 'timeout')
    })

    it('end when the node stops, and there are no others', async () => {
      const request = outcome(PEER)
      messenger.stop()
      assert.deepEqual([await request, await outcome(PEER)], ['unreachable', 'unreachable'])
    })
  })

  describe('requests of others', () => {
    const asked = (from: NodeId, id: number, method = 'slow') =>
      messenger.receive(from, { type: 'request', id, method, body: NOTHING })
    let release: (() => void)[]
    beforeEach(() => {
      release = []
      messenger.serve('slow', () => new Promise((resolve) => release.push(() => resolve(NOTHING))))
    })

    it('are 32 of one peer at once, and 256 in all', async () => {
      assert.deepEqual([IN_PER_PEER_MAX, IN_MAX], [32, 256])
      for (let id = 0; id <= IN_PER_PEER_MAX; id++) asked(PEER, id)
      await time.advance(0)
      assert.deepEqual(answers(), ['overloaded'])
      for (let id = 0; id < IN_MAX - IN_PER_PEER_MAX; id++) asked(peerOf(2 + Math.floor(id / IN_PER_PEER_MAX)), id)
      await time.advance(0)
      assert.deepEqual(answers(), ['overloaded'])
      asked(peerOf(100), 1)
      await time.advance(0)
      assert.deepEqual(answers(), ['overloaded', 'overloaded'])
    })

    it('leave their slot free when they are answered, are given up, fail, or their link is lost', async () => {
      messenger.serve('fail', async () => {
        throw new Error('no')
      })
      for (let round = 0; round < 2; round++) {
        for (let id = 0; id < IN_PER_PEER_MAX; id++) asked(PEER, id)
        for (const run of release.splice(0)) run()
        await time.advance(0)
        for (let id = 0; id < IN_PER_PEER_MAX; id++) asked(PEER, id)
        for (let id = 0; id < IN_PER_PEER_MAX; id++) messenger.receive(PEER, { type: 'cancel', id })
        for (let id = 0; id < IN_PER_PEER_MAX; id++) asked(PEER, id, 'fail')
        await time.advance(0)
        for (let id = 0; id < IN_PER_PEER_MAX; id++) asked(PEER, id)
        messenger.linkDown(PEER)
        await time.advance(0)
      }
      assert.deepEqual(
        answers().filter((status) => status === 'overloaded'),
        [],
      )
      assert.equal(answers().filter((status) => status === 'ok').length, 2 * IN_PER_PEER_MAX)
      assert.equal(answers().filter((status) => status === 'refused').length, 2 * IN_PER_PEER_MAX)
    })

    it('that were given up are not answered, also when the id is used again', async () => {
      asked(PEER, 1)
      messenger.receive(PEER, { type: 'cancel', id: 1 })
      asked(PEER, 1)
      await time.advance(0)
      release[0]?.()
      await time.advance(0)
      assert.deepEqual(answers(), [])
      release[1]?.()
      await time.advance(0)
      assert.deepEqual(answers(), ['ok'])
    })

    it('with an id that is in use already are turned away', async () => {
      asked(PEER, 1)
      asked(PEER, 1)
      await time.advance(0)
      assert.deepEqual(answers(), ['overloaded'])
    })

    it('are answered with bodies of the longest size, and refused above', async () => {
      messenger.serve('long', async () => new Uint8Array(EXCHANGE_BODY_BYTES_MAX))
      messenger.serve('longer', async () => new Uint8Array(EXCHANGE_BODY_BYTES_MAX + 1))
      asked(PEER, 1, 'long')
      asked(PEER, 2, 'longer')
      asked(PEER, 3, 'none')
      await time.advance(0)
      assert.deepEqual(answers().sort(), ['ok', 'refused', 'unknown-method'])
    })

    it('that fail are refused with a reason of 512 bytes at most', async () => {
      assert.equal(REASON_BYTES_MAX, 512)
      messenger.serve('talk', async () => {
        throw new Error('ä'.repeat(10_000))
      })
      asked(PEER, 1, 'talk')
      await time.advance(0)
      const [answer] = sent
      assert.ok(answer?.message.type === 'response')
      assert.equal(answer.message.body.length, REASON_BYTES_MAX)
    })
  })

  describe('a request that waits for its link', () => {
    it('is not sent once it was given up', async () => {
      const { promise, resolve } = Promise.withResolvers<boolean>()
      const late = new Messenger({
        ...{ timers: time, connect: () => promise },
        send: (to, message) => sent.push({ to, message }) > 0,
      })
      const code = late.request(PEER, 'method', NOTHING, { timeoutMs: 50 }).then(
        () => 'ok',
        (error) => error.code,
      )
      await time.advance(50)
      assert.equal(await code, 'timeout')
      resolve(true)
      await time.advance(10)
      assert.deepEqual(
        sent.map(({ message }) => message.type),
        ['cancel'],
      )
    })
  })
})
