// Memory that two threads share while the bodies of a commit are signed. One thread offers messages; both claim them one by
// one, from the same counter, until none is left. Claims cost one atomic operation and nobody ever waits for the other, so
// that a thread that is slow, or gone, delays nothing: what it claimed and did not finish is signed again.

/** Messages that one batch can share; the signer of the batch signs the rest alone. */
export const RING_SLOTS = 512
/** Longest message that is shared, in bytes: most events have 200 bytes, and a torrent file is better not copied. */
export const RING_MESSAGE_BYTES_MAX = 1024

const KEY_BYTES = 64
const SIGNATURE_BYTES = 64

/** Places in the words: two counters, then a length and a stamp a slot. */
const OFFERED = 0
const CLAIMED = 1
const LENGTHS = 2
const STAMPS = LENGTHS + RING_SLOTS
const WORDS = STAMPS + RING_SLOTS

const KEY_AT = WORDS * 4
const SIGNATURES_AT = KEY_AT + KEY_BYTES
const MESSAGES_AT = SIGNATURES_AT + RING_SLOTS * SIGNATURE_BYTES
const RING_BYTES = MESSAGES_AT + RING_SLOTS * RING_MESSAGE_BYTES_MAX

/**
 * One side of the shared memory. An index counts all messages ever offered, modulo 2^32, so that a thread that comes late
 * cannot take a new message for the one it had claimed; its slot is the index modulo RING_SLOTS.
 */
export class SigningRing {
  readonly memory: SharedArrayBuffer
  /** The ed25519 secret key: the only copy outside the signer's own, so that one call clears it. */
  readonly key: Uint8Array
  readonly #words: Int32Array
  readonly #bytes: Uint8Array

  constructor(memory = new SharedArrayBuffer(RING_BYTES)) {
    this.memory = memory
    this.#words = new Int32Array(memory, 0, WORDS)
    this.#bytes = new Uint8Array(memory)
    this.key = this.#bytes.subarray(KEY_AT, KEY_AT + KEY_BYTES)
  }

  /**
   * Offers `prefix` and `body`, one behind the other, to whoever claims first; wakes the other side. The offering side
   * must be through with the message RING_SLOTS before it.
   * @returns the index, or undefined for a message longer than RING_MESSAGE_BYTES_MAX
   */
  offer(prefix: Uint8Array, body: Uint8Array): number | undefined {
    const length = prefix.length + body.length
    if (length > RING_MESSAGE_BYTES_MAX) return undefined
    const index = Atomics.load(this.#words, OFFERED)
    const at = MESSAGES_AT + slotOf(index) * RING_MESSAGE_BYTES_MAX
    this.#bytes.set(prefix, at)
    this.#bytes.set(body, at + prefix.length)
    this.#words[LENGTHS + slotOf(index)] = length
    // Publishes what was written above: the other side reads the counter before the message.
    Atomics.store(this.#words, OFFERED, (index + 1) | 0)
    Atomics.notify(this.#words, OFFERED, 1)
    return index
  }

  /** The next message that nobody has claimed, which is the caller's now; undefined if there is none. */
  claim(): number | undefined {
    for (;;) {
      const index = Atomics.load(this.#words, CLAIMED)
      if (index === Atomics.load(this.#words, OFFERED)) return undefined
      if (Atomics.compareExchange(this.#words, CLAIMED, index, (index + 1) | 0) === index) return index
    }
  }

  /** As `claim`, but sleeps until there is one; undefined when nothing was offered for `idleMs`. Blocks the thread. */
  claimOrSleep(idleMs: number): number | undefined {
    for (;;) {
      const seen = Atomics.load(this.#words, OFFERED)
      const index = this.claim()
      if (index !== undefined) return index
      if (Atomics.wait(this.#words, OFFERED, seen, idleMs) === 'timed-out') return undefined
    }
  }

  message(index: number): Uint8Array {
    const slot = slotOf(index)
    const at = MESSAGES_AT + slot * RING_MESSAGE_BYTES_MAX
    return this.#bytes.subarray(at, at + (this.#words[LENGTHS + slot] as number))
  }

  /** Where the signature of a message is written, before `finish`. */
  signature(index: number): Uint8Array {
    const at = SIGNATURES_AT + slotOf(index) * SIGNATURE_BYTES
    return this.#bytes.subarray(at, at + SIGNATURE_BYTES)
  }

  finish(index: number): void {
    Atomics.store(this.#words, STAMPS + slotOf(index), stampOf(index))
  }

  /** A copy of the signature of this very message, once it is there. */
  finished(index: number): Uint8Array | undefined {
    const isThere = Atomics.load(this.#words, STAMPS + slotOf(index)) === stampOf(index)
    return isThere ? this.signature(index).slice() : undefined
  }
}

const slotOf = (index: number): number => index & (RING_SLOTS - 1)
/** Never that of memory which is still zero. */
const stampOf = (index: number): number => (index + 1) | 0
