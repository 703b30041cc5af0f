import { BoundedMap, isNodeId, type PeerId } from '../events/index.ts'
import type { BanList } from './ban-list.ts'
import { hostOf } from './endpoint.ts'

/** Oldest are forgotten and found out again. */
const ENDPOINTS_MAX = 4_096

/** Who answered at the addresses we dialled, so that a banned peer, or ourselves, is not dialled again and again. */
export class KnownEndpoints {
  readonly #known = new BoundedMap<string, PeerId | 'self'>(ENDPOINTS_MAX)

  /** @param endpoint `host:port`, IPv6 in brackets */
  learn(endpoint: string, peer: PeerId): void {
    this.#known.set(endpoint, peer)
  }

  isSelf(endpoint: string): void {
    this.#known.set(endpoint, 'self')
  }

  /** Who was found at this endpoint. */
  peerAt(endpoint: string): PeerId | undefined {
    const peer = this.#known.get(endpoint)
    return peer === 'self' ? undefined : peer
  }

  mayDial(endpoint: string, bans: BanList): boolean {
    const peer = this.#known.get(endpoint)
    if (peer === undefined) return true
    if (peer === 'self') return false
    return isNodeId(peer) ? !bans.has(peer) : !bans.needsProof(hostOf(endpoint))
  }
}
