import { isDialable, type NodeId } from '../events/index.ts'
import type { Endpoint } from './transport.ts'

export type KnownEndpoint = Endpoint & { readonly key: NodeId }

/** Enough to find a network of any size again; each is dialled at most once a round. */
const KNOWN_MAX = 256

/** Where servers were last reached, the latest first: the way back in when no bootstrap and no DHT node answers. */
export class KnownEndpoints {
  readonly #byKey = new Map<NodeId, Endpoint>()

  constructor(known: readonly KnownEndpoint[]) {
    for (const { key, host, port } of known.slice(0, KNOWN_MAX).reverse()) this.add(key, { host, port })
  }

  get(key: NodeId): Endpoint | undefined {
    return this.#byKey.get(key)
  }

  add(key: NodeId, { host, port }: Endpoint): void {
    if (!isDialable({ host, port })) return
    this.#byKey.delete(key)
    this.#byKey.set(key, { host, port })
    if (this.#byKey.size <= KNOWN_MAX) return
    const oldest = this.#byKey.keys().next().value
    if (oldest !== undefined) this.#byKey.delete(oldest)
  }

  /** The latest first. */
  list(): KnownEndpoint[] {
    return [...this.#byKey].map(([key, { host, port }]) => ({ key, host, port })).reverse()
  }
}
