import type { NodeId } from '../../events/index.ts'

/**
 * Requests that are being answered, of one asker and in all; as many as the messenger lets in. It forgets one that its asker
 * calls off, while the work for it goes on: without this count a stranger who asks and calls off begins work without end.
 */
export const AT_WORK_PER_ASKER_MAX = 32
export const AT_WORK_MAX = 256

/** Says no to work beyond the bounds. */
export class RequestBounds {
  readonly #perAsker = new Map<NodeId, number>()
  #total = 0

  /** @throws Error where too much is under way: the asker is told, and may ask another owner */
  async run<T>(asker: NodeId, work: () => Promise<T>): Promise<T> {
    const own = this.#perAsker.get(asker) ?? 0
    if (own >= AT_WORK_PER_ASKER_MAX || this.#total >= AT_WORK_MAX)
      throw new Error('this index node has too many requests to answer: ask again later, or another owner')
    this.#perAsker.set(asker, own + 1)
    this.#total += 1
    try {
      return await work()
    } finally {
      this.#total -= 1
      const left = (this.#perAsker.get(asker) ?? 1) - 1
      if (left > 0) this.#perAsker.set(asker, left)
      else this.#perAsker.delete(asker)
    }
  }
}
