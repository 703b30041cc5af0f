import { ArrivedBytes } from './arrived-bytes.ts'
import { failed, joined, type MseStep, PAD_BYTES_MAX } from './mse-handshake.ts'

// A side of the handshake is a generator that reads like the specification, from top to bottom; this runs it over bytes
// that come in any pieces.

/** Yields what it sends, or undefined to wait for more; returns how it ended. */
export type Script<T> = Generator<Uint8Array | undefined, T, void>

/** The next `count` bytes. */
export function* take(arrived: ArrivedBytes, count: number): Script<Uint8Array> {
  while (arrived.length < count) yield undefined
  return arrived.take(count)
}

/** Reads a pad of unknown length and `end` behind it. @returns false if `end` is not where the longest pad would let it be */
export function* skipPadUntil(arrived: ArrivedBytes, end: Uint8Array): Script<boolean> {
  for (let padBytes = 0; padBytes <= PAD_BYTES_MAX; padBytes++) {
    while (arrived.length < padBytes + end.length) yield undefined
    if (arrived.has(end, padBytes)) {
      arrived.take(padBytes + end.length)
      return true
    }
  }
  return false
}

/** Runs a script over what arrives, until it ends. */
export class MseConversation {
  readonly #arrived: ArrivedBytes
  #script: Script<MseStep> | undefined

  constructor(script: (arrived: ArrivedBytes) => Script<MseStep>) {
    this.#arrived = new ArrivedBytes()
    this.#script = script(this.#arrived)
  }

  receive(bytes: Uint8Array): MseStep {
    if (this.#script === undefined) return failed('the handshake is over')
    this.#arrived.push(bytes)
    let send: Uint8Array | undefined
    for (;;) {
      const { value, done } = this.#script.next()
      if (done === true) {
        // What the script holds (keys, the payload) goes with it.
        this.#script = undefined
        if (value.state === 'failed' || send === undefined) return value
        return { ...value, send: value.send === undefined ? send : joined(send, value.send) }
      }
      if (value === undefined) return send === undefined ? { state: 'more' } : { state: 'more', send }
      send = send === undefined ? value : joined(send, value)
    }
  }
}
