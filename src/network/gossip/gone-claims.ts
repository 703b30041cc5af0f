import type { NodeId } from '../../events/index.ts'
import type { AuthorRange } from '../wire.ts'

/** Ranges remembered; the oldest give way. */
export const CLAIMS_MAX = 16_384

/** Which events peers say they have pruned. What two of them say is believed. */
export class GoneClaims {
  #claims: { readonly peer: NodeId; readonly range: AuthorRange }[] = []

  /** Notes what a peer claims. @returns the part of it that another peer has claimed as well */
  confirmed(peer: NodeId, ranges: readonly AuthorRange[]): AuthorRange[] {
    const agreed: AuthorRange[] = []
    for (const range of ranges) {
      for (const claim of this.#claims) {
        if (claim.peer === peer || claim.range.author !== range.author) continue
        const from = Math.max(range.from, claim.range.from)
        const to = Math.min(range.to, claim.range.to)
        if (from <= to) agreed.push({ author: range.author, from, to })
      }
    }
    const done = new Set(agreed.map(({ author }) => author))
    const known = (range: AuthorRange): boolean =>
      this.#claims.some((claim) => claim.peer === peer && claim.range.author === range.author && claim.range.to >= range.to)
    const fresh = ranges.filter((range) => !done.has(range.author) && !known(range)).map((range) => ({ peer, range }))
    this.#claims = [...this.#claims, ...fresh].slice(-CLAIMS_MAX)
    return agreed
  }
}
