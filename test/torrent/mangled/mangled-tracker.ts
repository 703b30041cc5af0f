import type { Draw } from './draw.ts'
import { mangledBencode } from './mangled-bencode.ts'

// What a tracker that means no good answers, over HTTP (BEP 3, 7, 23) and over UDP (BEP 15).

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const text = (value: string): string => `${value.length}:${value}`
const ACTIONS = [0, 1, 2, 3, 4, 0xffffffff]

export function mangledHttpAnswer(draw: Draw): Uint8Array {
  const compact = (bytes: number): string => text(latin1(draw.bytes(bytes * draw.below(30) + draw.of([0, 0, 1]))))
  const named = `ld2:ip${text(draw.of(['127.0.0.1', '::1', 'a name', '']))}4:porti${draw.edge()}eee`
  const peers = draw.of([compact(6), named, 'i1e', 'le'])
  const failure = draw.chance(0.1) ? `14:failure reason${text(latin1(draw.bytes(draw.below(500))))}` : ''
  const honest = `d8:completei${draw.edge()}e${failure}8:intervali${draw.edge()}e5:peers${peers}6:peers6${compact(18)}e`
  return draw.chance(0.2) ? Buffer.from(honest, 'latin1') : mangledBencode(draw, honest)
}

/** @param transaction that was asked with */
export function mangledUdpAnswer(draw: Draw, transaction: number): Uint8Array {
  const bytes = Buffer.from(draw.bytes(draw.of([0, 7, 8, 15, 16, 19, 20, 26, 200, 1_400])))
  if (bytes.length >= 8) {
    bytes.writeUInt32BE(draw.of(ACTIONS), 0)
    if (draw.chance(0.9)) bytes.writeUInt32BE(transaction, 4)
  }
  return bytes
}
