import { workerData } from 'node:worker_threads'
import { SigningRing } from '../../../src/events/keys/signing-ring.ts'
import type { SigningWorkerData } from '../../../src/events/keys/signing-worker.sodium.ts'

// Threads that fail with a body in their hands, one for each word on the command line.

const ring = new SigningRing((workerData as SigningWorkerData).memory)
if (process.argv.includes('at-once')) throw new Error('no library here')
ring.claimOrSleep(10_000)
if (process.argv.includes('throws')) throw new Error('cannot sign')
if (process.argv.includes('exits')) process.exit(3)
// Stuck: neither signs nor ends.
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
