import type { NodeId, PeerId } from '../events/index.ts'
import { addressId, isNodeId } from '../events/index.ts'
import { networkOf } from './endpoint.ts'

// Peer ids are self-chosen and inbound ports are ephemeral, so a ban names a key, or an address where no key was proved.
// An address is shared by everyone behind one router: from an address under a ban only peers that prove a key which is
// not banned are let in. Whoever has one address of an IPv6 network (/64) has all of them: there the network is under the
// ban. A banned node that comes back without its key is thus turned away, and its neighbour is not.

/** Addresses remembered of one banned key. */
const ADDRESSES_PER_KEY_MAX = 32
/** Oldest bans fall out beyond this; the reputation behind them is kept elsewhere and bans again. */
const BANS_MAX = 65_536

export class BanList {
  /** Banned peer -> addresses it was seen at. */
  readonly #bans = new Map<PeerId, Set<string>>()
  readonly #addresses = new Map<string, number>()

  ban(peer: PeerId): void {
    if (this.#bans.has(peer)) return
    this.#bans.set(peer, new Set())
    if (!isNodeId(peer)) this.#remember(peer, networkOf(peer.slice('ip:'.length)))
    for (const oldest of this.#bans.keys()) {
      if (this.#bans.size <= BANS_MAX) break
      this.unban(oldest)
    }
  }

  unban(peer: PeerId): void {
    for (const address of this.#bans.get(peer) ?? []) {
      const count = (this.#addresses.get(address) ?? 1) - 1
      if (count === 0) this.#addresses.delete(address)
      else this.#addresses.set(address, count)
    }
    this.#bans.delete(peer)
  }

  has(peer: PeerId): boolean {
    return this.#bans.has(peer)
  }

  /** A banned key was met at this address. */
  seen(key: NodeId, host: string): void {
    this.#remember(key, addressOf(host))
  }

  /** True if only a peer that proves an unbanned key is welcome from this address. */
  needsProof(host: string): boolean {
    return this.#addresses.has(addressOf(host))
  }

  #remember(peer: PeerId, address: string): void {
    const addresses = this.#bans.get(peer)
    if (addresses === undefined || addresses.has(address) || addresses.size >= ADDRESSES_PER_KEY_MAX) return
    addresses.add(address)
    this.#addresses.set(address, (this.#addresses.get(address) ?? 0) + 1)
  }
}

const addressOf = (host: string): string => networkOf(addressId(host).slice('ip:'.length))
