import type { NodeId } from '../../events/index.ts'

/** Peers whose last answer is remembered; the one that answered longest ago gives way. */
const ANSWERS_MAX = 8_192

/** When each peer last answered us, and how long its last ping took. */
export class Answers {
  readonly #answers = new Map<NodeId, { at: number; roundTripMs: number | undefined }>()

  /** @param roundTripMs undefined if it is not known how long this answer took */
  add(peer: NodeId, now: number, roundTripMs: number | undefined): void {
    this.#answers.delete(peer)
    this.#answers.set(peer, { at: now, roundTripMs })
    if (this.#answers.size <= ANSWERS_MAX) return
    for (const oldest of this.#answers.keys()) {
      this.#answers.delete(oldest)
      break
    }
  }

  roundTripMs(peer: NodeId): number | undefined {
    return this.#answers.get(peer)?.roundTripMs
  }

  /** When it answered last, ms; -Infinity if it never did. */
  at(peer: NodeId): number {
    return this.#answers.get(peer)?.at ?? Number.NEGATIVE_INFINITY
  }

  hasAnsweredSince(peer: NodeId, since: number): boolean {
    return this.at(peer) >= since
  }
}
