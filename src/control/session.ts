import { failureOf } from './failure.ts'
import {
  encodeFailure,
  encodeProgress,
  encodeResult,
  type Failure,
  type Incoming,
  parseIncoming,
  type RequestId,
  RPC,
} from './json-rpc.ts'
import type { Line } from './line-splitter.ts'
import { METHOD_BY_NAME, type Method, type Services } from './methods.ts'
import type { Outbox } from './outbox.ts'
import { complaint } from './parameters.ts'
import { unreadSentence } from './unread.ts'

/** Calls one caller may have open at once, those included whose answers it has not read; further ones are refused. */
export const CALLS_MAX = 64

/** What a session needs of the server it belongs to. */
export type SessionHost = {
  /** The services, or why there are none yet. */
  services(): Services | string
  /** Counts a line that was no call. */
  malformed(): void
  /** Why this caller may not call that method now; it is hung up on after. */
  refusal(method: string): Failure | undefined
  hangUp(): void
  /** Calls whose answers are not out yet, each time that changes. */
  openCalls(count: number): void
}

/** What one caller asks, from the first line to the last, whatever carries the lines. */
export class Session {
  readonly #host: SessionHost
  readonly #outbox: Outbox
  readonly #calls = new Map<RequestId, Call>()
  #unanswered = 0
  #closed = false

  constructor(host: SessionHost, outbox: Outbox) {
    this.#host = host
    this.#outbox = outbox
  }

  receive(line: Line): void {
    if (typeof line !== 'string') {
      this.#refuse(null, { code: RPC.parseError, message: 'the line is too long' })
      return
    }
    const incoming = parseIncoming(line)
    if (incoming.is === 'bad') this.#refuse(incoming.id, incoming.failure)
    if (incoming.is === 'cancel') this.#cancel(incoming.id)
    if (incoming.is === 'call') this.#take(incoming)
  }

  /** The caller is gone: ends what runs for it. */
  close(): void {
    this.#closed = true
    for (const call of this.#calls.values()) end(call)
  }

  #cancel(id: RequestId): void {
    const call = this.#calls.get(id)
    if (call !== undefined) end(call)
  }

  #take({ id, method, parameters }: Extract<Incoming, { is: 'call' }>): void {
    const problem = this.#calls.has(id)
      ? 'a call with this "id" is open'
      : this.#unanswered >= CALLS_MAX
        ? `more than ${CALLS_MAX} calls are open, or their answers unread`
        : undefined
    if (problem !== undefined) {
      this.#refuse(id, { code: RPC.invalidRequest, message: problem })
      return
    }
    const refusal = this.#host.refusal(method)
    if (refusal === undefined) void this.#call(id, method, parameters)
    else void this.#deliver(encodeFailure(id, refusal)).then(() => this.#host.hangUp())
  }

  #refuse(id: RequestId | null, failure: Failure): void {
    this.#host.malformed()
    const line = encodeFailure(id, failure)
    // Refusals are no calls, so no bound on calls holds for them: whoever asks for them and reads none is hung up on.
    if (this.#outbox.refusal(line.length) === undefined) void this.#deliver(line)
    else this.#host.hangUp()
  }

  async #call(id: RequestId, name: string, parameters: readonly unknown[]): Promise<void> {
    const call: Call = { cancelled: false, iterator: undefined }
    this.#calls.set(id, call)
    this.#count(1)
    let answer: string
    try {
      const found = this.#find(name, parameters)
      answer = 'failure' in found ? encodeFailure(id, found.failure) : await this.#carryOut(id, found, call)
    } catch (error) {
      answer = encodeFailure(id, failureOf(error))
    }
    // The caller may use the id again as soon as it has read the answer, which is before the system says that it has left.
    this.#calls.delete(id)
    const unread = this.#outbox.refusal(Buffer.byteLength(answer))
    await this.#deliver(
      unread === undefined
        ? answer
        : encodeFailure(id, { code: RPC.serviceError, message: unreadSentence(unread), data: { code: 'failed' } }),
    )
    this.#count(-1)
  }

  #count(change: 1 | -1): void {
    this.#unanswered += change
    this.#host.openCalls(this.#unanswered)
  }

  #find(name: string, parameters: readonly unknown[]): { failure: Failure } | Found {
    const method = METHOD_BY_NAME.get(name)
    if (method === undefined)
      return { failure: { code: RPC.methodNotFound, message: `there is no method ${JSON.stringify(name)}` } }
    const wrong = complaint(method.parameters, parameters)
    if (wrong !== undefined)
      return { failure: { code: RPC.invalidParams, message: `${name} ${wrong}`, data: { code: 'usage' } } }
    const services = this.#host.services()
    if (typeof services === 'string') return { failure: { code: RPC.starting, message: services } }
    const service = services[method.service] as unknown as Record<string, (...given: unknown[]) => unknown> | undefined
    const run = service?.[method.name]
    if (service === undefined || run === undefined) {
      const message = `this node is no ${method.service} node`
      return { failure: { code: RPC.serviceError, message, data: { code: 'usage' } } }
    }
    // JSON has no undefined: an optional parameter that was left out comes as null.
    return {
      method,
      run: () =>
        run.apply(
          service,
          parameters.map((value) => value ?? undefined),
        ),
    }
  }

  async #carryOut(id: RequestId, { method, run }: Found, call: Call): Promise<string> {
    if (method.shape === 'answer') return encodeResult(id, await run())
    const iterator = (run() as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    call.iterator = iterator
    try {
      while (!call.cancelled) {
        const step = await iterator.next()
        if (call.cancelled) break
        if (step.done === true) return encodeResult(id, step.value)
        await this.#outbox.value(encodeProgress(id, step.value))
      }
      return encodeFailure(id, { code: RPC.serviceError, message: 'the call was cancelled', data: { code: 'failed' } })
    } finally {
      end(call)
    }
  }

  async #deliver(line: string): Promise<void> {
    if (this.#closed) return
    // A caller that is gone has no use for the answer; its socket told the server already.
    await this.#outbox.last(line).catch(() => {})
  }
}

type Found = { method: Method; run: () => unknown }

type Call = { cancelled: boolean; iterator: AsyncIterator<unknown> | undefined }

/** Ends a call's iterator: one that sleeps wakes up by it (live-iterator.ts), one that works ends at its next value. */
function end(call: Call): void {
  if (call.cancelled) return
  call.cancelled = true
  // Not awaited: a generator answers when its present step is over, and the caller has no reason to wait for that.
  call.iterator?.return?.().catch(() => {})
}
