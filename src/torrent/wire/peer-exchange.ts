import { joinBytes } from '../../events/index.ts'
import { decode, encode } from '../bencode.ts'
import { hostOf, portOf } from '../endpoint.ts'
import { compactOf, peersOfCompact } from './compact-peers.ts'

// Peer exchange (BEP 11): what peers tell each other of others, at most once a minute.

/** Of each family; more than BEP 11 allows is not read. */
export const EXCHANGED_MAX = 50

/** @param added and dropped as `host:port`; names are left out */
export function encodePeerExchange(added: readonly string[], dropped: readonly string[]): Uint8Array {
  const [added4, added6] = compact(added)
  const [dropped4, dropped6] = compact(dropped)
  return encode({
    added: added4,
    'added.f': new Uint8Array(added4.length / 6),
    added6,
    'added6.f': new Uint8Array(added6.length / 18),
    dropped: dropped4,
    dropped6,
  })
}

/** @returns endpoints that were added; undefined for what is no such message */
export function decodePeerExchange(payload: Uint8Array): string[] | undefined {
  let message: unknown
  try {
    message = decode(payload)
  } catch {
    return undefined
  }
  if (!(message instanceof Map)) return undefined
  const [added, added6] = [message.get('added'), message.get('added6')]
  return [
    ...(added instanceof Uint8Array ? peersOfCompact(added, 4, EXCHANGED_MAX) : []),
    ...(added6 instanceof Uint8Array ? peersOfCompact(added6, 6, EXCHANGED_MAX) : []),
  ]
}

function compact(endpoints: readonly string[]): [Uint8Array, Uint8Array] {
  const families: { 4: Uint8Array[]; 6: Uint8Array[] } = { 4: [], 6: [] }
  for (const endpoint of endpoints) {
    const peer = compactOf(hostOf(endpoint), portOf(endpoint))
    if (peer !== undefined && families[peer.family].length < EXCHANGED_MAX) families[peer.family].push(peer.bytes)
  }
  return [joinBytes(families[4]), joinBytes(families[6])]
}
