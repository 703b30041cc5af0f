export type WakeLimits = {
  /** Connections that wait at a time. */
  waitingMax: number
  perSecondMax: number
  perHostMax: number
}

/**
 * How many seeds at rest the connections of others may open: each is read, looked at on the disk and kept open for a while, and a
 * stranger may name as many as there are.
 */
export class WakeLimit {
  readonly #limits: WakeLimits
  readonly #ofHosts = new Map<string, number>()
  #waiting = 0
  #inSecond = 0
  #second = 0

  constructor(limits: WakeLimits) {
    this.#limits = limits
  }

  /** @param now ms @returns false if there is no room now; else one waits until `ended` */
  take(host: string, now: number): boolean {
    const { waitingMax, perSecondMax, perHostMax } = this.#limits
    const second = Math.floor(now / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#inSecond = 0
      this.#ofHosts.clear()
    }
    const ofHost = this.#ofHosts.get(host) ?? 0
    if (this.#waiting >= waitingMax || this.#inSecond >= perSecondMax || ofHost >= perHostMax) return false
    this.#waiting++
    this.#inSecond++
    this.#ofHosts.set(host, ofHost + 1)
    return true
  }

  ended(): void {
    this.#waiting--
  }
}
