import { BoundedMap, isNodeId, type PeerId } from '../events/index.ts'
import type { BanList } from './ban-list.ts'

/** Oldest are forgotten and found out again. */
const ENDPOINTS_MAX = 4_096

/** A peer that ends a connection sooner than this, with no block either way, does not want it. */
export const EARLY_MS = 10_000
/** It is not dialled again for so long, twice as long each time in a row. */
export const EARLY_FIRST_MS = 2_000
export const EARLY_MAX_MS = 300_000

/** Who answered at the addresses we dialled, so that a banned peer, or ourselves, is not dialled again and again; nor is one that wants no connection. */
export class KnownEndpoints {
  readonly #known = new BoundedMap<string, PeerId | 'self'>(ENDPOINTS_MAX)
  readonly #early = new BoundedMap<string, { readonly times: number; readonly until: number }>(ENDPOINTS_MAX)

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

  /** A connection that we dialled has ended after `lastedMs`. */
  ended(endpoint: string, lastedMs: number, gaveOrTook: boolean, now: number): void {
    if (lastedMs >= EARLY_MS || gaveOrTook) {
      this.#early.delete(endpoint)
      return
    }
    const times = (this.#early.get(endpoint)?.times ?? 0) + 1
    this.#early.set(endpoint, { times, until: now + Math.min(EARLY_MAX_MS, EARLY_FIRST_MS * 2 ** (times - 1)) })
  }

  mayDial(endpoint: string, bans: BanList, now: number): boolean {
    if (now < (this.#early.get(endpoint)?.until ?? 0)) return false
    const peer = this.#known.get(endpoint)
    if (peer === undefined) return true
    if (peer === 'self') return false
    return isNodeId(peer) ? !bans.has(peer) : !bans.needsProof(endpoint.slice(0, endpoint.lastIndexOf(':')))
  }
}
