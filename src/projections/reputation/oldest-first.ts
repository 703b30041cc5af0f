import type { Subject } from './ledger.ts'

type Entry = { at: number; readonly subject: Subject }

/**
 * Subjects by the event at which others spoke of them last. A binary heap whose entries may be behind: one is put right when its turn
 * comes, so that one more verdict about a subject costs nothing here.
 */
export class OldestFirst {
  #heap: Entry[] = []
  readonly #max: number
  /** True while the subject is held here, and not in another heap or in none. */
  readonly #isHeld: (subject: Subject) => boolean

  constructor(max: number, isHeld: (subject: Subject) => boolean) {
    this.#max = max
    this.#isHeld = isHeld
  }

  push(subject: Subject): void {
    // Entries of subjects that have left are dropped when their turn comes, or here.
    if (this.#heap.length > 2 * this.#max + 64) {
      this.#heap = this.#heap.filter((entry) => this.#isHeld(entry.subject)).sort((a, b) => a.at - b.at)
    }
    this.#heap.push({ at: subject.heardAt, subject })
    this.#up(this.#heap.length - 1)
  }

  /** Takes out the one that was spoken of longest ago. */
  take(): Subject | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined) return undefined
      const { subject } = first
      if (this.#isHeld(subject) && first.at !== subject.heardAt) {
        first.at = subject.heardAt
        this.#down(0)
        continue
      }
      const last = this.#heap.pop()
      if (last !== undefined && this.#heap.length > 0) {
        this.#heap[0] = last
        this.#down(0)
      }
      if (this.#isHeld(subject)) return subject
    }
  }

  #up(from: number): void {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!this.#swapIfOlder(index, parent)) return
      index = parent
    }
  }

  #down(from: number): void {
    let index = from
    for (;;) {
      const [left, right] = [2 * index + 1, 2 * index + 2]
      const child = this.#atOf(right) < this.#atOf(left) ? right : left
      if (!this.#swapIfOlder(child, index)) return
      index = child
    }
  }

  #atOf(index: number): number {
    return this.#heap[index]?.at ?? Number.POSITIVE_INFINITY
  }

  #swapIfOlder(child: number, parent: number): boolean {
    const [a, b] = [this.#heap[child], this.#heap[parent]]
    if (a === undefined || b === undefined || a.at >= b.at) return false
    this.#heap[child] = b
    this.#heap[parent] = a
    return true
  }
}
