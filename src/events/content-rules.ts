import type { Header } from './envelope.ts'
import type { NodeId } from './ids.ts'

/** `defer`: nothing is known of its author yet, and nobody is to blame: ask again later. `refuse`: the author may not say this. */
export type Ruling = 'take' | 'defer' | 'refuse'

/**
 * What a network holds every foreign event against, whichever way it came: the same answer at every honest node that knows
 * the author's credential.
 */
export type ContentRules = {
  /** True for an author of whom nothing more is taken, whatever there is of it: it is not asked for. */
  isRevoked(author: NodeId): boolean
  /** Highest Lamport stamp that is admitted now (lamport-clock.ts). */
  lamportMax(): number
  /**
   * About an event that its author signed.
   * @param credential what a `node.admitted` shows; a good one is remembered
   */
  judge(header: Pick<Header, 'author' | 'at' | 'kind'>, credential: Uint8Array | undefined): Ruling
}
