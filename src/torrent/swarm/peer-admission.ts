import { isNodeId, type NodeId } from '../../events/index.ts'
import type { BanList } from '../ban-list.ts'
import type { EngineOptions } from '../engine.ts'
import type { KnownEndpoints } from '../known-endpoints.ts'
import type { Peer } from './peer.ts'

export type AdmissionOptions = {
  identity: EngineOptions['identity']
  admits: NonNullable<EngineOptions['admits']>
  bans: BanList
  endpoints: KnownEndpoints
  /** Those that prove no key are welcome. */
  isPublic(): boolean
  peers(): Iterable<Peer>
}

/** Which peers a torrent talks to: admission to the network, bans, and one connection a node. */
export class PeerAdmission {
  readonly #options: AdmissionOptions

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** A public torrent is for all that prove no key; one that was put out of the network stays out. */
  admits(key: NodeId | undefined): boolean {
    return (key === undefined && this.#options.isPublic()) || this.#options.admits(key)
  }

  /** Without a key it cannot stay. */
  needsProof(host: string): boolean {
    return this.#options.bans.needsProof(host) || !this.admits(undefined)
  }

  /** It has said who it is where that matters. Nothing is asked of or served to others. */
  isWelcome(peer: Peer): boolean {
    if (!this.admits(peer.key)) return false
    return peer.key !== undefined || (!this.#options.bans.needsProof(peer.link.host) && peer.mayStayUnproven)
  }

  /** Of those that are connected now. */
  enforce(): void {
    for (const peer of [...this.#options.peers()]) {
      if (peer.identified && !this.admits(peer.key)) peer.close('not admitted to this network')
      else this.#enforceBans(peer)
    }
  }

  /** It has proved a key, or will prove none. @returns true if the connection was closed */
  refuses(peer: Peer): boolean {
    if (!this.admits(peer.key)) {
      peer.close('not admitted to this network')
      return true
    }
    return this.#enforceBans(peer) || this.#isDuplicate(peer)
  }

  /** @returns true if the connection was closed */
  #enforceBans(peer: Peer): boolean {
    const { bans } = this.#options
    if (peer.key !== undefined && bans.has(peer.key)) bans.seen(peer.key, peer.link.host)
    else if (peer.key !== undefined || !peer.identified || !bans.needsProof(peer.link.host)) return false
    peer.close('banned')
    return true
  }

  /** Nobody is known to be there who is banned, or connected already. */
  mayDial(endpoint: string): boolean {
    const { endpoints, bans, peers } = this.#options
    const id = endpoints.peerAt(endpoint)
    if (id !== undefined && isNodeId(id)) for (const peer of peers()) if (peer.identified && peer.id === id) return false
    return endpoints.mayDial(endpoint, bans)
  }

  /**
   * Two nodes that find each other at once dial each other. Both keep the connection that the lower key opened.
   * @returns true if this one was closed
   */
  #isDuplicate(peer: Peer): boolean {
    const { identity, peers } = this.#options
    const { key } = peer
    if (key === undefined) return false
    for (const other of [...peers()]) {
      if (other === peer || other.key !== key) continue
      const oursStays = identity.id < key
      // Another peer id is another process: the node was started again, and the old connection is a ghost.
      const isGhost = other.peerId !== peer.peerId || other.link.outbound === peer.link.outbound
      const loser = !isGhost && other.link.outbound === oursStays ? peer : other
      loser.close('connected already')
      if (loser === peer) return true
    }
    return false
  }
}
