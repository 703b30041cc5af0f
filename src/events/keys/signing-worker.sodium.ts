import { workerData } from 'node:worker_threads'
import sodium from 'sodium-native'
import { SigningRing } from './signing-ring.ts'

// A thread that signs what the log's thread offers it, until nothing came for a while: then the thread ends, and the key
// with it.

/** A batch follows on the other within milliseconds, or a node has no more to say than a few events a minute. */
const IDLE_MS = 10_000

const ring = new SigningRing(workerData as SharedArrayBuffer)

for (let index = ring.claimOrSleep(IDLE_MS); index !== undefined; index = ring.claimOrSleep(IDLE_MS)) {
  sodium.crypto_sign_detached(ring.signature(index), ring.message(index), ring.key)
  ring.finish(index)
}
