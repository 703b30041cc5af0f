import { parentPort, workerData } from 'node:worker_threads'
import { scanBody } from '../codec/body.ts'
import { BodyError } from '../codec/body-scan.ts'
import type { NetworkId } from '../model/ids.ts'
import { signedEventsOf } from '../segments/segment.ts'
import { verifierOf } from './signer.sodium.ts'

// A thread that checks the signatures of one segment after the other: frames in, sequences of forged events out.

export type SignatureJob = { readonly first: number; readonly frames: Uint8Array }
export type SignatureResult = { readonly checked: number; readonly forged: readonly number[] }

const verify = verifierOf(workerData as NetworkId)

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
    return verify('event', body, signature, scanBody(body).author)
  } catch (error) {
    if (error instanceof BodyError) return false
    throw error
  }
}

parentPort?.on('message', (job: SignatureJob) => parentPort?.postMessage(check(job)))
