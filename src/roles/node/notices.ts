import type { Clock } from '../../events/index.ts'
import type { Notice } from '../services.ts'
import { liveIterator } from './live-iterator.ts'

/** Notices kept for who asks later; older ones are forgotten, the log is the memory. */
const NOTICES_KEPT = 500

/** What a node tells its operator while it runs. Bounded; readers that fall behind skip to what is still kept. */
export class NoticeBoard {
  #notices: Notice[] = []
  #posted = 0
  readonly #listeners = new Set<(notice: Notice) => void>()
  #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  post(level: Notice['level'], code: string, text: string): void {
    const notice: Notice = { at: this.#clock.now(), level, code, text }
    this.#notices.push(notice)
    if (this.#notices.length > NOTICES_KEPT) this.#notices.shift()
    this.#posted += 1
    for (const listener of this.#listeners) listener(notice)
  }

  /** @returns a function that stops it */
  onPosted(listener: (notice: Notice) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The last `last` notices, then each new one until the reader goes. */
  follow(last = 0): AsyncIterable<Notice> {
    let next = this.#posted - Math.min(last, this.#notices.length)
    return liveIterator<Notice>(
      () => {
        const oldest = this.#posted - this.#notices.length
        const items = this.#notices.slice(Math.max(next, oldest) - oldest)
        next = this.#posted
        return { items }
      },
      (wake) => this.onPosted(wake),
    )
  }
}
