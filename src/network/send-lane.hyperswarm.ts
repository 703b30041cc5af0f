/** Messages that wait in the order they came. */
export class SendLane {
  #waiting: (Uint8Array | undefined)[] = []
  #head = 0

  get count(): number {
    return this.#waiting.length - this.#head
  }

  get first(): Uint8Array | undefined {
    return this.#waiting[this.#head]
  }

  push(message: Uint8Array): void {
    this.#waiting.push(message)
  }

  shift(): void {
    // What has left is not kept until the list is cut: a thousand long messages are 60 MB.
    this.#waiting[this.#head] = undefined
    this.#head++
    if (this.#head !== this.#waiting.length && this.#head <= 1024) return
    this.#waiting = this.#waiting.slice(this.#head)
    this.#head = 0
  }

  clear(): void {
    this.#waiting = []
    this.#head = 0
  }
}
