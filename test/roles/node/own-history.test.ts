import assert from 'node:assert/strict'
import fc from 'fast-check'
import { upcastSteps } from '../../../migrations/index.ts'
import {
  type EventLog,
  type InfoHash,
  type Millis,
  type NodeId,
  type UnsignedEvent,
  upcaster,
} from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import type { RequestHandler } from '../../../src/network/index.ts'
import { type Fork, fetchOwnHistory, lastOwnNumber, serveHistory } from '../../../src/roles/node/history-exchange.ts'
import { decodeHistoryReply, decodeHistoryRequest, encodeHistoryRequest } from '../../../src/roles/node/history-messages.ts'
import { NoticeBoard } from '../../../src/roles/node/notices.ts'
import { OwnEventsGate } from '../../../src/roles/node/own-events-gate.ts'
import { OwnHistory } from '../../../src/roles/node/own-history.ts'
import { numbered, signerOf, tickingClock } from '../../events/samples.ts'
import { verifySignature } from '../../events/test-network.ts'
import { VirtualTime } from '../../sim/virtual-time.ts'

const own = signerOf(1)
const PEER = signerOf(2).id
const open = (number = 1): EventLog =>
  openMemoryLog({ signer: signerOf(number), clock: tickingClock(), upcast: upcaster(upcastSteps) })
const started = { stream: 'local', event: { kind: 'node.stopped', reason: 'x' } } as const
const published = (title: string): UnsignedEvent => ({
  stream: 'index',
  event: { kind: 'torrent.published', infoHash: '1'.repeat(40) as InfoHash, title, sizeBytes: 1, fileCount: 1, tags: [] },
})

/** A copy of our log that somebody else holds: the first `count` of our gossip events. */
async function heldBy(log: EventLog, count: number): Promise<EventLog> {
  const held = open(2)
  for await (const event of log.readSigned(own.id, 'gossip', 1, count)) await held.ingest([event])
  return held
}

/** An overlay between us and peers that hold these logs. */
function overlayTo(peers: ReadonlyMap<NodeId, EventLog | 'silent'>) {
  const handlers = new Map<NodeId, RequestHandler>()
  for (const [peer, log] of peers) {
    if (log !== 'silent') serveHistory(log, { serve: (_, handler) => void handlers.set(peer, handler) })
  }
  let told: (change: { up: boolean; peer: NodeId; why?: string }) => void = () => {}
  const asked: NodeId[] = []
  const overlay = {
    async request(to: NodeId, _method: string, body: Uint8Array): Promise<Uint8Array> {
      asked.push(to)
      const handler = handlers.get(to)
      if (handler === undefined) throw new Error('no answer')
      return handler(own.id, body)
    },
    onLinks(listener: (change: { up: boolean; peer: NodeId; why?: string }) => void) {
      told = listener
      return () => {}
    },
  }
  return {
    overlay,
    asked,
    link: (peer: NodeId) => told({ up: true, peer }),
    unlink: (peer: NodeId) => told({ up: false, peer }),
  }
}

/** Lets everything that waits for promises alone go on. */
const settle = async () => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
}

describe('own history', () => {
  it('is fetched back whole, whatever both hold, and a fork is found at its first number', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 600 }), async (before, after) => {
        const whole = open()
        await whole.append(Array.from({ length: before + after }, (_, index) => numbered(index)))
        const mine = open()
        for await (const event of whole.readSigned(own.id, 'gossip', 1, before)) await mine.ingest([event])
        assert.equal(lastOwnNumber(mine, 'gossip'), before)
        const { overlay } = overlayTo(new Map([[PEER, await heldBy(whole, before + after)]]))
        let news = 0
        const parts = { log: mine, overlay, verify: verifySignature, onNews: () => news++ }
        assert.deepEqual(await fetchOwnHistory(PEER, 'gossip', Math.max(0, before - 5), parts), {
          gained: after,
          fork: undefined,
        })
        assert.equal(lastOwnNumber(mine, 'gossip'), before + after)
        assert.equal(news > 0, after > 0)
        const [next] = await mine.append([numbered(0)])
        assert.equal(next?.authorSeq, before + after + 1)
        assert.ok((next?.lamport ?? 0) > before + after, 'the clock came back, too')
      }),
      { numRuns: 6 },
    )
    const whole = open()
    await whole.append([numbered(1), numbered(2), numbered(3)])
    const twin = open()
    for await (const event of whole.readSigned(own.id, 'gossip', 1, 1)) await twin.ingest([event])
    await twin.append([numbered(99)])
    const { overlay } = overlayTo(new Map([[PEER, await heldBy(whole, 3)]]))
    const { fork } = await fetchOwnHistory(PEER, 'gossip', 0, { log: twin, overlay, verify: verifySignature, onNews() {} })
    assert.deepEqual(fork, { stream: 'gossip', authorSeq: 2 })
  })

  it('takes nothing that is not ours, and asks for no private events', async () => {
    const mine = open()
    const stranger = open(3)
    await stranger.append([numbered(1)])
    const parts = { log: mine, verify: verifySignature, onNews() {} }
    // A peer that answers with its own events instead of ours.
    const lying = { request: async (_to: NodeId, _method: string, body: Uint8Array) => answer(stranger, stranger.author, body) }
    await assert.rejects(fetchOwnHistory(PEER, 'gossip', 0, { ...parts, overlay: lying }), /not ours/)
    assert.equal(mine.head, 0)
    assert.throws(() => decodeHistoryRequest(encodeHistoryRequest({ stream: 'local', after: 0 })), /no such stream/)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (bytes) => {
        for (const decode of [decodeHistoryRequest, decodeHistoryReply]) {
          try {
            decode(bytes)
          } catch (error) {
            assert.equal((error as Error).name, 'HistoryMessageError')
          }
        }
      }),
    )
  })

  describe('of a node', () => {
    const set = async (options: {
      said: number
      restored?: boolean
      fork?: Fork
      peers?: ReadonlyMap<NodeId, EventLog | 'silent'>
      indexNodes?: readonly NodeId[]
    }) => {
      const time = new VirtualTime()
      const log = open()
      await log.append(Array.from({ length: options.said }, (_, index) => numbered(index)))
      const gate = new OwnEventsGate(log)
      const notices = new NoticeBoard({ now: () => time.now() as Millis })
      const { overlay, ...links } = overlayTo(options.peers ?? new Map())
      const seen = { recovered: 0, fork: undefined as Fork | undefined }
      const history = new OwnHistory({
        ...{ log, gate, overlay, verify: verifySignature, timers: time, notices, indexNodes: () => options.indexNodes ?? [] },
        restored: options.restored === true ? 'backup' : undefined,
        fork: options.fork,
        onRecovered: () => {
          seen.recovered += 1
        },
        onFork: (fork) => {
          seen.fork = fork
        },
      })
      history.start()
      return { time, log, gate, history, seen, ...links }
    }

    it('that never said anything is sure at once', async () => {
      const { gate, history, log } = await set({ said: 0 })
      assert.equal(history.waitingFor, null)
      await gate.append([numbered(1)])
      assert.equal(log.head, 1)
    })

    it('without doubt waits for the first answer, or a while where nobody is, and local events never wait', async () => {
      const { gate, log, time, history } = await set({ said: 3 })
      const waiting = gate.append([numbered(4), started])
      await gate.append([started])
      await settle()
      assert.equal(log.head, 4)
      assert.equal(history.waitingFor, null)
      await time.advance(3_000)
      assert.deepEqual(
        (await waiting).map(({ authorSeq }) => authorSeq),
        [4, 2],
      )
    })

    it('that was restored says nothing until a peer has answered, and then goes on behind what came back', async () => {
      const whole = open()
      await whole.append(Array.from({ length: 9 }, (_, index) => numbered(index)))
      const peers = new Map<NodeId, EventLog | 'silent'>([
        [PEER, await heldBy(whole, 9)],
        [signerOf(3).id, 'silent'],
      ])
      const { gate, history, link, time, seen, log } = await set({ said: 0, restored: true, peers })
      const waiting = gate.append([numbered(99)])
      await assert.rejects(gate.append([published('asked for')]), { code: 'failed', message: /does not know yet/ })
      await time.advance(60_000)
      assert.match(history.waitingFor ?? '', /its peers/)
      link(signerOf(3).id)
      link(PEER)
      await settle()
      for (let tries = 0; tries < 4; tries++) {
        await time.advance(2_000)
        await settle()
      }
      assert.equal(history.waitingFor, null)
      assert.equal(seen.recovered, 1)
      assert.deepEqual(
        (await waiting).map(({ authorSeq }) => authorSeq),
        [10],
      )
      assert.equal(log.head, 10)
    })

    it('asks a peer that does not answer three times, two seconds apart, and no more', async () => {
      const { link, unlink, asked, time } = await set({ said: 3 })
      unlink(PEER)
      await settle()
      assert.equal(asked.length, 0)
      link(PEER)
      link(PEER)
      await settle()
      assert.equal(asked.length, 1)
      await time.advance(1_999)
      assert.equal(asked.length, 1)
      await time.advance(1)
      assert.equal(asked.length, 2)
      await time.advance(60_000)
      link(PEER)
      await settle()
      assert.deepEqual(asked, [PEER, PEER, PEER])
    })

    it('asks sixteen peers in its life without doubt, and all that it meets with', async () => {
      const peers = Array.from({ length: 17 }, (_, at) => signerOf(100 + at).id)
      const sound = await set({ said: 3 })
      for (const peer of peers) sound.link(peer)
      await sound.time.advance(30_000)
      assert.deepEqual(new Set(sound.asked), new Set(peers.slice(0, 16)))
      const restored = await set({ said: 3, restored: true })
      for (const peer of peers) restored.link(peer)
      await restored.time.advance(30_000)
      assert.deepEqual(new Set(restored.asked), new Set(peers))
    })

    it('that was restored asks the index nodes too, two seconds after its first link, and is not sure before', async () => {
      const [near, index] = [signerOf(100).id, signerOf(101).id]
      const empty = open(2)
      const peers = new Map<NodeId, EventLog>([
        [near, empty],
        [index, empty],
      ])
      const { link, asked, time, history, seen } = await set({ said: 3, restored: true, peers, indexNodes: [near, index] })
      link(near)
      await time.advance(1_999)
      assert.deepEqual([new Set(asked), history.isRecovering, seen.recovered], [new Set([near]), true, 0])
      await time.advance(1)
      await settle()
      assert.deepEqual([new Set(asked), history.isRecovering, seen.recovered], [new Set([near, index]), false, 1])
    })

    it('that finds a fork refuses to say more, then and in its next life', async () => {
      const whole = open()
      await whole.append([numbered(7), numbered(8)])
      const first = await set({ said: 2, peers: new Map([[PEER, await heldBy(whole, 2)]]) })
      first.link(PEER)
      await settle()
      assert.deepEqual(first.seen.fork, { stream: 'gossip', authorSeq: 1 })
      await assert.rejects(first.gate.append([numbered(3)]), {
        code: 'failed',
        message: /number 1 of its gossip stream to two events/,
      })
      await first.gate.append([started])
      const next = await set({ said: 2, fork: { stream: 'gossip', authorSeq: 1 } })
      assert.match(next.history.waitingFor ?? '', /a new key/)
      await assert.rejects(next.gate.append([numbered(3)]), /two events/)
    })

    it('that stops keeps nobody waiting', async () => {
      const restored = await set({ said: 1, restored: true })
      const waiting = restored.gate.append([numbered(2)])
      restored.history[Symbol.dispose]()
      await assert.rejects(waiting, { code: 'LOG_CLOSED' })
      const sound = await set({ said: 1 })
      const goodbye = sound.gate.append([numbered(2)])
      sound.history[Symbol.dispose]()
      assert.equal((await goodbye).length, 1)
    })
  })
})

async function answer(log: EventLog, author: NodeId, body: Uint8Array): Promise<Uint8Array> {
  let handler: RequestHandler | undefined
  serveHistory(log, {
    serve: (_, given) => {
      handler = given
    },
  })
  return handler?.(author, body) ?? assert.fail()
}
