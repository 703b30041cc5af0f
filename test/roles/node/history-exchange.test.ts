import { deepEqual, equal, rejects } from 'node:assert/strict'
import {
  bodyOf,
  type EventLog,
  type InfoHash,
  type Lamport,
  type Millis,
  type SignedEvent,
  type VerifySignature,
} from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import type { RequestHandler, RequestOptions } from '../../../src/network/index.ts'
import { fetchOwnHistory, lastOwnNumber, SHARED_STREAMS, serveHistory } from '../../../src/roles/node/history-exchange.ts'
import {
  decodeHistoryReply,
  decodeHistoryRequest,
  encodeHistoryReply,
  encodeHistoryRequest,
  HISTORY_BYTES_MAX,
  HISTORY_METHOD,
} from '../../../src/roles/node/history-messages.ts'
import { foreign, noUpcast, numbered, signerOf, tickingClock } from '../../events/samples.ts'
import { verifySignature } from '../../events/test-network.ts'

const REQUESTS_MAX = 16_384
const [own, peer] = [signerOf(1), signerOf(2)]
const logOf = (number: number) => openMemoryLog({ signer: signerOf(number), clock: tickingClock(), upcast: noUpcast })
/** Our own gossip events `from` to `to`. */
const said = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at): SignedEvent => {
    const { body, signature } = foreign(own, from + at, from + at)
    return { body, signature: new Uint8Array(signature) }
  })

describe('own events that another node holds', () => {
  let held: EventLog
  let serve: RequestHandler
  beforeEach(() => {
    held = logOf(2)
    serveFrom(held)
  })
  const serveFrom = (log: EventLog) =>
    serveHistory(log, {
      serve(method, handler) {
        equal(method, HISTORY_METHOD)
        serve = handler
      },
    })
  const ask = async (after: number, stream: 'gossip' | 'index' = 'gossip') =>
    decodeHistoryReply(await serve(own.id, encodeHistoryRequest({ stream, after })))
  const numbers = ({ events }: { events: readonly SignedEvent[] }) => events.length

  it('are given to their author from the next number on, stream by stream, and nobody else’s with them', async () => {
    await held.ingest([...said(1, 5), foreign(signerOf(3), 6, 6)])
    deepEqual(await ask(0), { events: said(1, 5), more: false })
    deepEqual(await ask(3), { events: said(4, 5), more: false })
    deepEqual(await ask(5), { events: [], more: false })
    deepEqual(await ask(0, 'index'), { events: [], more: false })
  })

  it('are given as many as a message has room for, and it says that there are more', async () => {
    const AROUND = 64 + 16
    const titled = (seq: number, bytes: number) =>
      foreign(own, seq, seq, {
        stream: 'index',
        event: { kind: 'torrent.verified', infoHash: '1'.repeat(40) as InfoHash, title: 'x'.repeat(bytes) },
      })
    const bytesEach = titled(1_000, 600).body.length + AROUND
    const count = Math.floor(HISTORY_BYTES_MAX / bytesEach) - 1
    const many = Array.from({ length: count }, (_, at) => titled(1_000 + at, 600))
    // One more fills the rest to the last byte.
    const room = HISTORY_BYTES_MAX - count * bytesEach
    const last = titled(1_000 + count, 600 + room - bytesEach)
    equal(last.body.length + AROUND, room)
    await held.ingest([...many, last, titled(1_001 + count, 1)])
    const reply = await ask(0, 'index')
    deepEqual([numbers(reply), reply.more], [count + 1, true])
    equal(numbers(await ask(1_000 + count, 'index')), 1)
    const fuller = logOf(2)
    await fuller.ingest([...many, titled(1_000 + count, 601 + room - bytesEach)])
    serveFrom(fuller)
    const shorter = await ask(0, 'index')
    deepEqual([numbers(shorter), shorter.more], [count, true])
  })
})

describe('own events that are taken back', () => {
  let log: EventLog
  let asked: { after: number; options: RequestOptions | undefined }[]
  let news: number
  let answer: (after: number) => { events: readonly SignedEvent[]; more: boolean }
  beforeEach(() => {
    log = logOf(1)
    asked = []
    news = 0
  })
  const fetch = (after = 0, verify: VerifySignature = verifySignature) =>
    fetchOwnHistory(peer.id, 'gossip', after, {
      ...{ log, verify, onNews: () => void news++ },
      overlay: {
        async request(_to, _method, body, options) {
          const request = decodeHistoryRequest(body)
          asked.push({ after: request.after, options })
          return encodeHistoryReply(answer(request.after))
        },
      },
    })

  it('are asked for from the last on that came, until the peer has no more', async () => {
    answer = (after) => ({ events: said(after + 1, after + 2), more: after < 4 })
    deepEqual(await fetch(), { gained: 6, fork: undefined })
    deepEqual(
      asked,
      [0, 2, 4].map((after) => ({ after, options: { timeoutMs: 5_000 } })),
    )
    deepEqual([news, log.head, lastOwnNumber(log, 'gossip')], [3, 6, 6])
  })

  it('are asked for no further where the peer says that there is more and sends nothing', async () => {
    answer = () => ({ events: [], more: true })
    deepEqual([await fetch(), asked.length, news], [{ gained: 0, fork: undefined }, 1, 0])
  })

  it('that are held already are compared and not taken again', async () => {
    await log.ingest(said(1, 3), { origin: 'stored' })
    answer = () => ({ events: said(1, 4), more: false })
    deepEqual([await fetch(), news, log.head], [{ gained: 1, fork: undefined }, 1, 4])
    answer = () => ({ events: said(1, 4), more: false })
    deepEqual([await fetch(), news], [{ gained: 0, fork: undefined }, 1])
  })

  it('show a fork at the first number under which both hold another event, of another length or not', async () => {
    await log.ingest(said(1, 3), { origin: 'stored' })
    const others = [foreign(own, 2, 2, numbered(77)), foreign(own, 2, 200)]
    for (const other of others) {
      answer = () => ({ events: [...said(1, 1), other, ...said(3, 3)], more: false })
      deepEqual(await fetch(), { gained: 0, fork: { stream: 'gossip', authorSeq: 2 } })
    }
    equal(log.head, 3)
  })

  it('are refused where the peer sends another’s, another stream’s, one out of turn, or one that we did not sign', async () => {
    const index = foreign(own, 2, 2, {
      stream: 'index',
      event: { kind: 'torrent.verified', infoHash: '1'.repeat(40) as never, title: 'x' },
    })
    const [first] = said(1, 1)
    const wrong: (readonly SignedEvent[])[] = [
      [foreign(peer, 2, 2)],
      [index],
      [...said(2, 2), ...said(1, 1)],
      [...said(2, 2), ...said(2, 2)],
      [{ body: first?.body ?? new Uint8Array(), signature: new Uint8Array(64) }],
    ]
    for (const events of wrong) {
      answer = () => ({ events, more: false })
      await rejects(fetch(), /a peer sent events that are not ours/)
    }
    answer = () => ({ events: said(3, 3), more: false })
    await rejects(fetch(3), /not ours/)
    deepEqual([log.head, news], [0, 0])
  })

  it('are not taken from a peer that has no end of them', async () => {
    const signature = new Uint8Array(64)
    answer = (after) => {
      const stamp = { lamport: 1 as Lamport, authorSeq: after + 1, at: 1 as Millis }
      return { events: [{ body: bodyOf(numbered(1), stamp, own.id), signature }], more: true }
    }
    // A log that has them all, and signatures that nobody checks: so many would take their time.
    const endless = { author: own.id, has: () => true, async *readSigned() {}, ingest: log.ingest.bind(log) }
    const overlay = {
      async request(_to: unknown, _method: unknown, body: Uint8Array) {
        asked.push({ after: 0, options: undefined })
        return encodeHistoryReply(answer(decodeHistoryRequest(body).after))
      },
    }
    const parts = { log: endless as never, overlay, verify: () => true, onNews: () => void news++ }
    await rejects(fetchOwnHistory(peer.id, 'gossip', 0, parts), /a peer has no end of events/)
    deepEqual([asked.length, news], [REQUESTS_MAX, 0])
  }).timeout(30_000)

  it('that the log does not take end the exchange', async () => {
    answer = () => ({ events: said(1, 1), more: false })
    log = openMemoryLog({
      ...{ signer: own, clock: tickingClock(), upcast: noUpcast },
      rules: { isRevoked: () => false, isShut: () => false, lamportMax: () => 0, ownLamportMax: () => 0, judge: () => 'take' },
    })
    await rejects(fetch(), /the log did not take an event back: rejected/)
  })

  it('have a last number in each stream, also where there are many or none', async () => {
    deepEqual(
      SHARED_STREAMS.map((stream) => lastOwnNumber(log, stream)),
      [0, 0],
    )
    for (const count of [1, 2, 3, 4, 7, 8, 9]) {
      const some = logOf(1)
      await some.append(Array.from({ length: count }, (_, at) => numbered(at)))
      deepEqual(
        SHARED_STREAMS.map((stream) => lastOwnNumber(some, stream)),
        [count, 0],
      )
    }
  })
})
