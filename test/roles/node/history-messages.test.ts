import { deepEqual, throws } from 'node:assert/strict'
import {
  decodeHistoryReply,
  decodeHistoryRequest,
  encodeHistoryReply,
  encodeHistoryRequest,
  HistoryMessageError,
} from '../../../src/roles/node/history-messages.ts'

const HISTORY_EVENTS_MAX = 1_024
const event = (length = 3) => ({ body: new Uint8Array(length).fill(7), signature: new Uint8Array(64).fill(9) })

describe('messages about own history', () => {
  it('give back what went in', () => {
    for (const request of [
      { stream: 'gossip', after: 0 },
      { stream: 'index', after: Number.MAX_SAFE_INTEGER },
    ] as const)
      deepEqual(decodeHistoryRequest(encodeHistoryRequest(request)), request)
    for (const reply of [
      { events: [], more: true },
      { events: [event(), event(1)], more: false },
    ])
      deepEqual(decodeHistoryReply(encodeHistoryReply(reply)), reply)
    deepEqual(decodeHistoryReply(new Uint8Array()), { events: [], more: false })
  })

  it('ask for streams that others hold, and for no other', () => {
    const refusal = { name: 'HistoryMessageError', message: 'no such stream' }
    throws(() => decodeHistoryRequest(encodeHistoryRequest({ stream: 'local', after: 1 })), refusal)
    throws(() => decodeHistoryRequest(new Uint8Array()), refusal)
    // The first field, a stream that there is not.
    throws(() => decodeHistoryRequest(new Uint8Array([8, 4])), refusal)
  })

  it('are refused where they are none', () => {
    throws(() => decodeHistoryRequest(new Uint8Array([255])), HistoryMessageError)
    throws(() => decodeHistoryReply(new Uint8Array([255])), HistoryMessageError)
  })

  it('hold so many events, and not one more', () => {
    const reply = (count: number) => encodeHistoryReply({ events: Array.from({ length: count }, () => event(1)), more: false })
    deepEqual(decodeHistoryReply(reply(HISTORY_EVENTS_MAX)).events.length, HISTORY_EVENTS_MAX)
    throws(() => decodeHistoryReply(reply(HISTORY_EVENTS_MAX + 1)), HistoryMessageError)
  })

  it('hold events with a body and a whole signature', () => {
    const reply = (events: Parameters<typeof encodeHistoryReply>[0]['events']) => encodeHistoryReply({ events, more: false })
    throws(() => decodeHistoryReply(reply([event(0)])), { name: 'HistoryMessageError', message: 'an event has no body' })
    for (const bytes of [0, 63, 65])
      throws(() => decodeHistoryReply(reply([{ ...event(), signature: new Uint8Array(bytes) }])), HistoryMessageError)
  })

  it('give events that are bytes of their own: what the message stood in may be used again', () => {
    const bytes = encodeHistoryReply({ events: [event()], more: false })
    const { events } = decodeHistoryReply(bytes)
    bytes.fill(0)
    deepEqual(events, [event()])
  })
})
