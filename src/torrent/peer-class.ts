import { reachOf } from './endpoint.ts'

/** Peers of this machine and of local networks, and all others: each may have rates of its own, as with libtorrent's peer classes. */
export type PeerClass = 'local' | 'remote'

export const PEER_CLASSES: readonly PeerClass[] = ['local', 'remote']

/** By its address: one that is of no use on the internet (RFC 6890, RFC 4193, RFC 4291) is local. */
export function peerClassOf(host: string): PeerClass {
  const reach = reachOf(host)
  return reach === 'machine' || reach === 'site' ? 'local' : 'remote'
}
