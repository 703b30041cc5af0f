import type { NodeId, Timers } from '../events/index.ts'
import { RequestError, type RequestFailure, type RequestHandler, type RequestOptions } from './overlay.ts'
import { RequestTable } from './request-table.ts'
import { EXCHANGE_BODY_BYTES_MAX, type MessengerMessage, type ResponseStatus } from './wire.ts'

// Requests and answers over links: methods by name, bodies are bytes. Everything has a bound: what is under way, out and
// in, of one peer and in all; how long an answer may take; how long bodies are.

export const REQUEST_TIMEOUT_MS = 10_000
export const OUT_PER_PEER_MAX = 64
export const OUT_MAX = 1_024
export const IN_PER_PEER_MAX = 32
export const IN_MAX = 256
/** Of the sentence with which a request is refused. */
export const REASON_BYTES_MAX = 512

export type MessengerOptions = {
  timers: Timers
  send: (to: NodeId, message: MessengerMessage) => boolean
  /** A link to the peer, made if there is none; never rejects. */
  connect: (to: NodeId) => Promise<boolean>
}

type Waiting = { resolve: (body: Uint8Array) => void; fail: (code: RequestFailure, why: string) => void }

const SENTENCES: Record<Exclude<ResponseStatus, 'ok'>, string> = {
  refused: 'the node refused the request',
  'unknown-method': 'the node does not know this method',
  overloaded: 'the node has too many requests to answer',
}

export class Messenger {
  readonly #options: MessengerOptions
  readonly #handlers = new Map<string, RequestHandler>()
  readonly #out = new RequestTable<Waiting>(OUT_PER_PEER_MAX, OUT_MAX)
  readonly #in = new RequestTable<symbol>(IN_PER_PEER_MAX, IN_MAX)
  #id = 0
  #stopped = false

  constructor(options: MessengerOptions) {
    this.#options = options
  }

  serve(method: string, handler: RequestHandler): void {
    this.#handlers.set(method, handler)
  }

  /** @throws RequestError */
  async request(to: NodeId, method: string, body: Uint8Array, options: RequestOptions = {}): Promise<Uint8Array> {
    const { timeoutMs = REQUEST_TIMEOUT_MS, signal } = options
    if (body.length > EXCHANGE_BODY_BYTES_MAX) {
      throw new RequestError('refused', `a request of ${body.length} bytes is over the limit of ${EXCHANGE_BODY_BYTES_MAX}`)
    }
    if (signal?.aborted) throw new RequestError('aborted', 'the request was given up', { cause: signal.reason })
    if (this.#stopped) throw new RequestError('unreachable', 'this node is stopping')
    this.#id = (this.#id + 1) % 0x1_0000_0000
    const id = this.#id
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const fail = (code: RequestFailure, why: string) => reject(new RequestError(code, why))
    if (!this.#out.add(to, id, { resolve, fail })) throw new RequestError('overloaded', 'too many requests are under way')
    const giveUp = (code: RequestFailure, why: string) => {
      this.#options.send(to, { type: 'cancel', id })
      fail(code, why)
    }
    // One clock for the whole exchange, the making of the link included.
    const cancelTimer = this.#options.timers.after(timeoutMs, () => giveUp('timeout', `no answer after ${timeoutMs} ms`))
    const aborted = () => giveUp('aborted', 'the request was given up')
    signal?.addEventListener('abort', aborted, { once: true })
    let settled = false
    void this.#options.connect(to).then((linked) => {
      if (settled || (linked && this.#options.send(to, { type: 'request', id, method, body }))) return
      fail('unreachable', 'the node cannot be reached')
    })
    try {
      return await promise
    } finally {
      settled = true
      this.#out.take(to, id)
      cancelTimer()
      signal?.removeEventListener('abort', aborted)
    }
  }

  receive(from: NodeId, message: MessengerMessage): void {
    // Bodies are copied: as views, Buffers among them, they would keep the whole message.
    switch (message.type) {
      case 'request':
        void this.#answer(from, message.id, message.method, new Uint8Array(message.body))
        return
      case 'cancel':
        this.#in.take(from, message.id)
        return
      case 'response': {
        const waiting = this.#out.take(from, message.id)
        if (message.status === 'ok') waiting?.resolve(new Uint8Array(message.body))
        else waiting?.fail(message.status, reasonOf(message.body) || SENTENCES[message.status])
      }
    }
  }

  /** The link is gone, and with it every answer that was to come over it. */
  linkDown(peer: NodeId): void {
    for (const { fail } of this.#out.takeAll(peer)) fail('unreachable', 'the link was lost before the answer')
    this.#in.takeAll(peer)
  }

  stop(): void {
    this.#stopped = true
    for (const { fail } of this.#out.takeAll()) fail('unreachable', 'this node is stopping')
    this.#in.takeAll()
  }

  async #answer(from: NodeId, id: number, method: string, body: Uint8Array): Promise<void> {
    const answer = (status: ResponseStatus, reply: Uint8Array) =>
      this.#options.send(from, { type: 'response', id, status, body: reply })
    const handler = this.#handlers.get(method)
    if (handler === undefined) {
      answer('unknown-method', new Uint8Array())
      return
    }
    // The asker may cancel and use the id again: only the exchange that began here is answered here.
    const exchange = Symbol(method)
    if (!this.#in.add(from, id, exchange)) {
      answer('overloaded', new Uint8Array())
      return
    }
    let status: ResponseStatus = 'ok'
    let reply: Uint8Array
    try {
      reply = await handler(from, body)
      if (reply.length > EXCHANGE_BODY_BYTES_MAX) throw new RangeError('the answer is too long for one message')
    } catch (error) {
      status = 'refused'
      reply = reasonFrom(error)
    }
    if (this.#in.get(from, id) !== exchange) return
    this.#in.take(from, id)
    answer(status, reply)
  }
}

/** At most REASON_BYTES_MAX bytes, without half a character at the end. */
function reasonFrom(error: unknown): Uint8Array {
  const bytes = new Uint8Array(REASON_BYTES_MAX)
  const { written } = new TextEncoder().encodeInto(error instanceof Error ? error.message : String(error), bytes)
  return bytes.subarray(0, written)
}

function reasonOf(body: Uint8Array): string {
  return new TextDecoder().decode(body.subarray(0, REASON_BYTES_MAX))
}
