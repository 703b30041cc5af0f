import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import sodium from 'sodium-native'
import type { NetworkId } from '../model/ids.ts'
import type { CommitSigner, Signer } from './signer.ts'
import { signingPrefix } from './signing.ts'
import { RING_SLOTS, SigningRing } from './signing-ring.ts'
import type { SigningWorkerData } from './signing-worker.sodium.ts'

/** Smaller commits are signed by the log's thread alone: waking another one takes as long as some signatures. */
export const SHARED_FROM = 32

/** Large commits follow one another within milliseconds; otherwise a node appends a few events a minute and needs no thread. */
const IDLE_MS = 10_000

type Body = {
  readonly body: Uint8Array
  /** Where it stands in the ring, if it does. */
  readonly index: number | undefined
}
type Thread = { readonly worker: Worker; readonly ring: SigningRing }

/**
 * Signs the bodies of a commit with a second thread, which begins while the commit is planned; both claim bodies until none
 * is left, so that they end together. The caller never waits for the thread: whatever that has not finished is signed here,
 * where ed25519 gives the same bytes. The thread is started by the first large commit, and ends when it is idle.
 */
export class SigningThread implements CommitSigner, AsyncDisposable {
  readonly #signer: Signer & { readonly seed: Uint8Array }
  readonly #prefix: Uint8Array
  readonly #start: (memory: SharedArrayBuffer) => Worker
  #thread: Thread | undefined
  /** The thread could not be started, or broke: not tried again. */
  #isBroken = false
  #bodies: Body[] = []
  #shares = false
  /** A body that the thread claimed and had not finished when it was needed. */
  #late: number | undefined

  /** @param start replaces the thread, for tests of threads that fail */
  constructor(
    signer: Signer & { readonly seed: Uint8Array },
    network: NetworkId,
    start: (memory: SharedArrayBuffer) => Worker = startWorker,
  ) {
    this.#signer = signer
    this.#prefix = signingPrefix(network, 'event')
    this.#start = start
  }

  begin(count: number): void {
    this.#bodies = []
    this.#shares = count >= SHARED_FROM && this.#isReady()
  }

  add(body: Uint8Array): void {
    const shares = this.#shares && this.#bodies.length < RING_SLOTS
    this.#bodies.push({ body, index: shares ? this.#thread?.ring.offer(this.#prefix, body) : undefined })
  }

  finish(): readonly Uint8Array[] {
    const bodies = this.#bodies
    this.#bodies = []
    const ring = this.#thread?.ring
    const signatures = new Array<Uint8Array>(bodies.length)
    if (ring !== undefined && this.#shares) this.#signClaimed(ring, bodies, signatures)
    for (const [place, { body, index }] of bodies.entries()) {
      if (signatures[place] !== undefined) continue
      const shared = index === undefined ? undefined : ring?.finished(index)
      signatures[place] = shared ?? this.#signer.sign('event', body)
      if (shared === undefined && index !== undefined) this.#late = index
    }
    return signatures
  }

  /** Ends the thread and clears its key. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isBroken = true
    const thread = this.#thread
    if (thread === undefined) return
    await thread.worker.terminate()
    this.#end(thread)
  }

  #signClaimed(ring: SigningRing, bodies: readonly Body[], signatures: Uint8Array[]): void {
    const places = new Map(bodies.map(({ index }, place) => [index, place]))
    for (let index = ring.claim(); index !== undefined; index = ring.claim()) {
      const place = places.get(index)
      const claimed = place === undefined ? undefined : bodies[place]
      if (place !== undefined && claimed !== undefined) signatures[place] = this.#signer.sign('event', claimed.body)
    }
  }

  /** True if there is a thread that has caught up with what it was given before. */
  #isReady(): boolean {
    if (this.#thread === undefined) {
      if (!this.#isBroken) this.#open()
      return false
    }
    // Its slot, and the body in its hands, may not be written over yet.
    if (this.#late !== undefined && this.#thread.ring.finished(this.#late) === undefined) return false
    this.#late = undefined
    return true
  }

  #open(): void {
    const ring = new SigningRing()
    const publicKey = new Uint8Array(sodium.crypto_sign_PUBLICKEYBYTES)
    try {
      sodium.crypto_sign_seed_keypair(publicKey, ring.key, this.#signer.seed)
      const worker = this.#start(ring.memory)
      const thread = { worker, ring }
      // An idle thread keeps no process alive.
      worker.unref()
      // Heard here, or it would end the process; `exit` follows.
      worker.on('error', () => {})
      worker.on('exit', (code) => {
        this.#isBroken ||= code !== 0
        this.#end(thread)
      })
      this.#thread = thread
    } catch {
      ring.key.fill(0)
      this.#isBroken = true
    }
  }

  #end({ ring }: Thread): void {
    ring.key.fill(0)
    if (this.#thread?.ring !== ring) return
    this.#thread = undefined
    this.#late = undefined
  }
}

/** The thread that signs what is offered in `memory`. */
export function startWorker(memory: SharedArrayBuffer, idleMs = IDLE_MS): Worker {
  // .ts here, .js once built.
  const url = new URL(`./signing-worker.sodium${extname(import.meta.url)}`, import.meta.url)
  const workerData: SigningWorkerData = { memory, idleMs }
  return new Worker(url, { workerData })
}
