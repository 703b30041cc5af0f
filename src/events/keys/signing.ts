import { fromHex } from '../model/hex.ts'
import type { NetworkId } from '../model/ids.ts'

/**
 * What a signature is for. It is part of what is signed, as is the network: a signature of one kind never passes for
 * one of another kind, and none of one network for one of another.
 */
export type Purpose = 'event' | 'peer' | 'invitation' | 'admission' | 'revocation' | 'audit'

const text = new TextEncoder()

/** What stands before the signed bytes: the purpose, ended by a line feed, and the 32 bytes of the network's id. */
export function signingPrefix(network: NetworkId, purpose: Purpose): Uint8Array {
  const label = text.encode(`p2pt ${purpose} 1\n`)
  const prefix = new Uint8Array(label.length + 32)
  prefix.set(label)
  prefix.set(fromHex(network), label.length)
  return prefix
}
