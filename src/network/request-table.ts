import type { NodeId } from '../events/index.ts'

/** Exchanges under way, by peer and id, with a bound for each peer and one for all. */
export class RequestTable<T> {
  readonly #perPeerMax: number
  readonly #countMax: number
  readonly #byPeer = new Map<NodeId, Map<number, T>>()
  #count = 0

  constructor(perPeerMax: number, countMax: number) {
    this.#perPeerMax = perPeerMax
    this.#countMax = countMax
  }

  get size(): number {
    return this.#count
  }

  hasRoom(peer: NodeId): boolean {
    return this.#count < this.#countMax && (this.#byPeer.get(peer)?.size ?? 0) < this.#perPeerMax
  }

  /** @returns false if there is no room or the id is in use */
  add(peer: NodeId, id: number, value: T): boolean {
    const exchanges = this.#byPeer.get(peer) ?? new Map<number, T>()
    if (!this.hasRoom(peer) || exchanges.has(id)) return false
    exchanges.set(id, value)
    this.#byPeer.set(peer, exchanges)
    this.#count++
    return true
  }

  get(peer: NodeId, id: number): T | undefined {
    return this.#byPeer.get(peer)?.get(id)
  }

  /** Takes an exchange out. */
  take(peer: NodeId, id: number): T | undefined {
    const exchanges = this.#byPeer.get(peer)
    const value = exchanges?.get(id)
    if (exchanges === undefined || !exchanges.delete(id)) return undefined
    if (exchanges.size === 0) this.#byPeer.delete(peer)
    this.#count--
    return value
  }

  /** Takes out all exchanges with a peer, or all there are. */
  takeAll(peer?: NodeId): T[] {
    const taken: T[] = []
    for (const [of, exchanges] of peer === undefined ? [...this.#byPeer] : [[peer, this.#byPeer.get(peer)] as const]) {
      if (exchanges === undefined) continue
      taken.push(...exchanges.values())
      this.#count -= exchanges.size
      this.#byPeer.delete(of)
    }
    return taken
  }
}
