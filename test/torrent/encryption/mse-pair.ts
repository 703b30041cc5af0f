import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { systemDhKeys } from '../../../src/torrent/encryption/dh.system.ts'
import type { MseStep, RandomBytes } from '../../../src/torrent/encryption/index.ts'
import {
  hashOfSkey,
  MseInitiator,
  type MseInitiatorOptions,
  MseResponder,
  type MseResponderOptions,
} from '../../../src/torrent/encryption/index.ts'
import type { Sha1 } from '../../../src/torrent/metainfo.ts'

// Both sides of a handshake, joined without a socket, over a line that cuts what it carries wherever a test says.

export const sha1: Sha1 = (chunks) => {
  const hash = createHash('sha1')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}

export const keys = systemDhKeys()
export const INFO_HASH = Uint8Array.from({ length: 20 }, (_, index) => index + 1)

export const initiatorOf = (changed: Partial<MseInitiatorOptions> = {}): MseInitiator =>
  new MseInitiator({
    ...{ infoHash: INFO_HASH, offer: 'both', initialPayload: new Uint8Array(), keys, randomBytes, sha1 },
    ...changed,
  })

/** Knows INFO_HASH alone. */
export const responderOf = (changed: Partial<MseResponderOptions> = {}): MseResponder =>
  new MseResponder({
    infoHashOf: (hash) => (Buffer.from(hashOfSkey(sha1, INFO_HASH)).equals(hash) ? INFO_HASH : undefined),
    ...{ accept: 'both', keys, randomBytes, sha1 },
    ...changed,
  })

/** Pads of these lengths, first the one behind the key, all of `byte`. */
export function padsOf([behindKey, behindHead]: readonly [number, number], byte = 0): RandomBytes {
  const answers = [
    Buffer.of(behindKey >> 8, behindKey & 255),
    Buffer.alloc(behindKey, byte),
    Buffer.of(behindHead >> 8, behindHead & 255),
  ]
  return (count) => {
    const answer = answers.shift()
    assert.equal(answer?.length, count)
    return answer
  }
}

export type Side = { receive(bytes: Uint8Array): MseStep }
export type Done = Extract<MseStep, { state: 'done' }>

export function assertDone(step: MseStep): Done {
  assert.equal(step.state, 'done', step.state === 'failed' ? step.reason : step.state)
  return step as Done
}

/** Cuts by these lengths, over and over. */
export function cutsOf(lengths: readonly number[]): (bytes: Uint8Array) => Uint8Array[] {
  let turn = 0
  return (bytes) => {
    const pieces: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = lengths.length === 0 ? bytes.length : (lengths[turn++ % lengths.length] ?? 1)
      pieces.push(bytes.subarray(at, at + length))
      at += length
    }
    return pieces
  }
}

/** A side, what its peer's stream has said so far in the clear, and how its handshake ended. */
class End {
  readonly heard: Uint8Array[] = []
  last: MseStep = { state: 'more' }
  readonly #side: Side
  readonly #says: Uint8Array

  constructor(side: Side, says: Uint8Array) {
    this.#side = side
    this.#says = says
  }

  /** @returns what it sends */
  hear(bytes: Uint8Array): Uint8Array {
    if (this.last.state === 'failed') return new Uint8Array()
    if (this.last.state === 'done') {
      const plain = Uint8Array.from(bytes)
      this.heard.push(this.last.decrypt?.apply(plain) ?? plain)
      return new Uint8Array()
    }
    const step = this.#side.receive(bytes)
    this.last = step
    if (step.state !== 'done') return step.send ?? new Uint8Array()
    this.heard.push(step.incoming)
    const stream = Uint8Array.from(this.#says)
    // The stream directly behind the handshake, so that one cut of the line holds both.
    return Buffer.concat([step.send ?? new Uint8Array(), step.encrypt?.apply(stream) ?? stream])
  }
}

export type Talk = { initiator: MseStep; responder: MseStep; heardByInitiator: Buffer; heardByResponder: Buffer }

/** Lets both talk until the line is silent. Each says its stream as soon as its handshake is done. */
export function talk(
  sides: { initiator: MseInitiator; responder: MseResponder },
  says: { initiator: Uint8Array; responder: Uint8Array },
  cut: (bytes: Uint8Array) => Uint8Array[] = cutsOf([]),
): Talk {
  const initiator = new End(sides.initiator, says.initiator)
  const responder = new End(sides.responder, says.responder)
  let toResponder: Uint8Array = sides.initiator.start()
  while (toResponder.length > 0) {
    const toInitiator = Buffer.concat(cut(toResponder).map((piece) => responder.hear(piece)))
    toResponder = Buffer.concat(cut(toInitiator).map((piece) => initiator.hear(piece)))
  }
  return {
    ...{ initiator: initiator.last, responder: responder.last },
    ...{ heardByInitiator: Buffer.concat(initiator.heard), heardByResponder: Buffer.concat(responder.heard) },
  }
}
