import { workerData } from 'node:worker_threads'
import sodium from 'sodium-native'
import { SigningRing } from './signing-ring.ts'

// A thread that signs what the log's thread offers. It ends when nothing was offered for a while; the log's thread then clears
// the key.

export type SigningWorkerData = { readonly memory: SharedArrayBuffer; readonly idleMs: number }

const { memory, idleMs } = workerData as SigningWorkerData
const ring = new SigningRing(memory)

for (let index = ring.claimOrSleep(idleMs); index !== undefined; index = ring.claimOrSleep(idleMs)) {
  sodium.crypto_sign_detached(ring.signature(index), ring.message(index), ring.key)
  ring.finish(index)
}
