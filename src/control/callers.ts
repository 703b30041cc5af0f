/** Callers at once that may ask for anything. Each command of an operator is one or two. */
export const CALLERS_MAX = 64

/** Places beyond them for callers that ask for no more than `node.status` and `node.stop`, so that a stop always gets through. */
export const RESERVED_MAX = 8

/** A caller without an open call keeps its place for this long against others who merely connect, ms. */
export const SILENT_MS_MAX = 250

const RESERVED_METHODS: ReadonlySet<string> = new Set(['node.status', 'node.stop'])

/** What became of a caller that wants a place, and who lost one for it: that caller has no open call, and is to be told. */
export type Placed<C> = { readonly place: boolean; readonly evicted: C | undefined }

type Entry = { reserved: boolean; openCalls: number; idleSince: number }

/**
 * Who has a place at the control socket. Where all are taken, the caller without an open call for longest makes room; if
 * each has one open, a newcomer gets a reserved place, and is refused when it asks for more than goes with that. Times
 * are passed in, ms.
 */
export class Callers<C> {
  readonly #entries = new Map<C, Entry>()

  get size(): number {
    return this.#entries.size
  }

  /** Somebody has connected, and said nothing yet. */
  arrive(caller: C, now: number): Placed<C> {
    let evicted: C | undefined
    let reserved = false
    if (this.#count(false) >= CALLERS_MAX) {
      evicted = this.#idleFor(SILENT_MS_MAX, false, now)
      reserved = evicted === undefined
    }
    if (reserved && this.#count(true) >= RESERVED_MAX) {
      evicted = this.#idleFor(SILENT_MS_MAX, true, now)
      if (evicted === undefined) return { place: false, evicted }
    }
    if (evicted !== undefined) this.#entries.delete(evicted)
    this.#entries.set(caller, { reserved, openCalls: 0, idleSince: now })
    return { place: true, evicted }
  }

  /** A caller asks. Real work counts for more than silence: one with a reserved place takes that of the longest idle. */
  ask(caller: C, method: string, now: number): Placed<C> {
    const entry = this.#entries.get(caller)
    if (entry === undefined) return { place: false, evicted: undefined }
    if (!entry.reserved || RESERVED_METHODS.has(method)) return { place: true, evicted: undefined }
    let evicted: C | undefined
    if (this.#count(false) >= CALLERS_MAX) {
      evicted = this.#idleFor(0, false, now)
      if (evicted === undefined) return { place: false, evicted }
      this.#entries.delete(evicted)
    }
    entry.reserved = false
    return { place: true, evicted }
  }

  /** A caller has so many calls open from now on; one whose answer is not out yet is open. */
  calls(caller: C, openCalls: number, now: number): void {
    const entry = this.#entries.get(caller)
    if (entry === undefined) return
    entry.openCalls = openCalls
    entry.idleSince = now
  }

  leave(caller: C): void {
    this.#entries.delete(caller)
  }

  #count(reserved: boolean): number {
    let count = 0
    for (const entry of this.#entries.values()) if (entry.reserved === reserved) count += 1
    return count
  }

  /** The longest idle, if it has been so for `msMin`. */
  #idleFor(msMin: number, reserved: boolean, now: number): C | undefined {
    let longest: [C, Entry] | undefined
    for (const [caller, entry] of this.#entries) {
      if (entry.reserved !== reserved || entry.openCalls > 0 || now - entry.idleSince < msMin) continue
      if (longest === undefined || entry.idleSince < longest[1].idleSince) longest = [caller, entry]
    }
    return longest?.[0]
  }
}
