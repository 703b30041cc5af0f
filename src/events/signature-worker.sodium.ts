import { parentPort } from 'node:worker_threads'
import { scanBody } from './body.ts'
import { BodyError } from './body-scan.ts'
import { signedEventsOf } from './segment.ts'
import { verifySignature } from './signer.sodium.ts'

// A thread that checks the signatures of one segment after the other: frames in, sequences of forged events out.

export type SignatureJob = { readonly first: number; readonly frames: Uint8Array }
export type SignatureResult = { readonly checked: number; readonly forged: readonly number[] }

function check({ first, frames }: SignatureJob): SignatureResult {
  const forged: number[] = []
  let checked = 0
  for (const { seq, body, signature } of signedEventsOf(frames, 0, first)) {
    checked++
    if (!isGood(body, signature)) forged.push(seq)
  }
  return { checked, forged }
}

function isGood(body: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verifySignature(body, signature, scanBody(body).author)
  } catch (error) {
    if (error instanceof BodyError) return false
    throw error
  }
}

parentPort?.on('message', (job: SignatureJob) => parentPort?.postMessage(check(job)))
