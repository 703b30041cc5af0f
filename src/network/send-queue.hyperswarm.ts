import type { Clock, Timers } from '../events/index.ts'
import type { TransportLimits } from './limits.hyperswarm.ts'
import { SendLane } from './send-lane.hyperswarm.ts'
import { TokenBucket } from './token-bucket.hyperswarm.ts'

/**
 * Messages on their way to one peer: bounded, paced below what the peer accepts, and stopped while its stream is full.
 * Urgent ones overtake the others: a ping behind megabytes of catch-up would be a suspicion.
 */
export class SendQueue {
  readonly #limits: TransportLimits
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #write: (message: Uint8Array) => boolean
  readonly #messagesOut: TokenBucket
  readonly #bytesOut: TokenBucket
  readonly #urgent = new SendLane()
  readonly #plain = new SendLane()
  #bytesMax: number
  #bytes = 0
  #writable = true
  #cancelTimer: (() => void) | undefined
  #cancelStall: (() => void) | undefined
  readonly #onStalled: () => void
  #closed = false

  /**
   * @param write @returns false if the stream wants no more until `drained`
   * @param onStalled the peer has taken nothing for so long that it does not read
   */
  constructor(
    limits: TransportLimits,
    clock: Clock,
    timers: Timers,
    write: (message: Uint8Array) => boolean,
    onStalled: () => void = () => {},
  ) {
    this.#onStalled = onStalled
    this.#limits = limits
    this.#bytesMax = limits.queueBytesMax
    this.#clock = clock
    this.#timers = timers
    this.#write = write
    this.#messagesOut = new TokenBucket(limits.messagesOut, clock.now())
    this.#bytesOut = new TokenBucket(limits.bytesOut, clock.now())
  }

  /** @returns false if the queue is full: the peer does not read, or we write more than a peer may be sent */
  push(message: Uint8Array, urgent = false): boolean {
    if (this.#closed) return false
    const count = this.#urgent.count + this.#plain.count
    if (count >= this.#limits.queueMessagesMax || this.#bytes + message.length > this.#bytesMax) return false
    const lane = urgent ? this.#urgent : this.#plain
    lane.push(message)
    this.#bytes += message.length
    this.#pump()
    return true
  }

  /** The peer is no member: less waits for it. */
  isForClient(): void {
    this.#bytesMax = this.#limits.queueBytesMaxOfClient
  }

  drained(): void {
    this.#cancelStall?.()
    this.#cancelStall = undefined
    this.#writable = true
    this.#pump()
  }

  close(): void {
    this.#closed = true
    this.#cancelTimer?.()
    this.#cancelStall?.()
    this.#urgent.clear()
    this.#plain.clear()
  }

  #pump(): void {
    while (!this.#closed && this.#writable && this.#cancelTimer === undefined) {
      const lane = this.#urgent.count > 0 ? this.#urgent : this.#plain
      const message = lane.first
      if (message === undefined) return
      const now = this.#clock.now()
      const waitMs = Math.max(this.#messagesOut.waitMs(1, now), this.#bytesOut.waitMs(message.length, now))
      if (waitMs > 0) {
        this.#cancelTimer = this.#timers.after(waitMs, () => {
          this.#cancelTimer = undefined
          this.#pump()
        })
        return
      }
      this.#messagesOut.take(1, now)
      this.#bytesOut.take(Math.min(message.length, this.#limits.bytesOut.burst), now)
      this.#bytes -= message.length
      lane.shift()
      this.#writable = this.#write(message)
      if (!this.#writable && !this.#closed) this.#cancelStall ??= this.#timers.after(this.#limits.stallMsMax, this.#onStalled)
    }
  }
}
