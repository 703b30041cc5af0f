import { workerData } from 'node:worker_threads'
import sodium from 'sodium-native'
import { SigningRing } from './signing-ring.ts'

// A thread that signs what the log's thread offers. It ends when nothing was offered for a while; the log's thread then clears
// the key.

/** Large commits follow one another within milliseconds; otherwise a node appends a few events a minute and needs no thread. */
const IDLE_MS = 10_000

const ring = new SigningRing(workerData as SharedArrayBuffer)

for (let index = ring.claimOrSleep(IDLE_MS); index !== undefined; index = ring.claimOrSleep(IDLE_MS)) {
  sodium.crypto_sign_detached(ring.signature(index), ring.message(index), ring.key)
  ring.finish(index)
}
