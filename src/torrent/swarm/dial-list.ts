import { hostOf, networkOf } from '../endpoint.ts'

/** Endpoints kept of one torrent; the oldest that is not in use gives way. */
const ENDPOINTS_MAX = 400
/** Of those, that only other peers told of: a stranger must not crowd out the rest. */
const HEARSAY_MAX = 200
/** Of one host: nobody must have us knock at all doors of another. */
const HEARSAY_PER_HOST_MAX = 8
/** In a row, which takes some seconds: so whoever tells of ever other endpoints cannot have us dial ever faster. */
const FAILURES_OF_SILENT = 3
/** Wait before a peer is dialled again, ms: doubled each time in a row that it did not answer, up to the maximum. */
const RETRY_FIRST_MS = 1_000
const RETRY_MAX_MS = 300_000

type Known = { state: 'idle' | 'busy'; failures: number; notBefore: number; isHearsay: boolean }

/** Whom to dial for one torrent, and when. */
export class DialList {
  readonly #known = new Map<string, Known>()

  /** @param endpoint `host:port` */
  add(endpoint: string): void {
    const known = this.#known.get(endpoint)
    if (known !== undefined) known.isHearsay = false
    else if (this.#known.size < ENDPOINTS_MAX || this.#makeRoom()) this.#set(endpoint, false)
  }

  /** A stranger told of it, which anybody may say of anybody: only what was hearsay too, and has not answered, gives way for it. */
  addHearsay(endpoint: string): void {
    if (this.#known.has(endpoint)) return
    const host = networkOf(hostOf(endpoint))
    let hearsay = 0
    let sameHost = 0
    let silent: string | undefined
    let silentOfHost: string | undefined
    for (const [other, { isHearsay, state, failures }] of this.#known) {
      if (!isHearsay) continue
      hearsay++
      const isSameHost = networkOf(hostOf(other)) === host
      if (isSameHost) sameHost++
      if (state === 'busy' || failures < FAILURES_OF_SILENT) continue
      silent ??= other
      if (isSameHost) silentOfHost ??= other
    }
    const isHostFull = sameHost >= HEARSAY_PER_HOST_MAX
    const isFull = hearsay >= HEARSAY_MAX || this.#known.size >= ENDPOINTS_MAX
    if (isHostFull || isFull) {
      const leaves = isHostFull ? silentOfHost : silent
      if (leaves === undefined) return
      this.#known.delete(leaves)
    }
    this.#set(endpoint, true)
  }

  #set(endpoint: string, isHearsay: boolean): void {
    this.#known.set(endpoint, { state: 'idle', failures: 0, notBefore: 0, isHearsay })
  }

  /** @returns false if all are in use */
  #makeRoom(): boolean {
    const idle = [...this.#known].filter(([, { state }]) => state === 'idle')
    const [endpoint] = idle.find(([, { isHearsay }]) => isHearsay) ?? idle[0] ?? []
    return endpoint !== undefined && this.#known.delete(endpoint)
  }

  /** Somebody named it by hand: it is dialled now, whatever became of it before. */
  urge(endpoint: string): void {
    this.add(endpoint)
    const known = this.#known.get(endpoint)
    if (known?.state === 'idle') known.notBefore = 0
  }

  /** Up to `count` endpoints to dial now; they are busy from here on. */
  next(count: number, now: number, mayDial: (endpoint: string) => boolean): string[] {
    const endpoints: string[] = []
    for (const [endpoint, known] of this.#known) {
      if (endpoints.length >= count) break
      if (known.state === 'busy' || now < known.notBefore || !mayDial(endpoint)) continue
      known.state = 'busy'
      endpoints.push(endpoint)
    }
    return endpoints
  }

  /** The connection ended. @param wasUp it was established */
  ended(endpoint: string, wasUp: boolean, now: number): void {
    const known = this.#known.get(endpoint)
    if (known === undefined) return
    known.state = 'idle'
    known.failures = wasUp ? 0 : known.failures + 1
    known.notBefore = now + Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** known.failures)
  }
}
