import type { Standing } from '../keys/index.ts'
import type { Header, Stream } from '../model/envelope.ts'
import type { NodeId } from '../model/ids.ts'

/** Who answers for all those that came to an open network without an invitation: their keys cost nothing. */
export const OPEN_PARTY = 'open'

/** All nodes that one invitation admitted, or in an open network all clients that came without one. */
export type Party = { readonly key: NodeId | typeof OPEN_PARTY; readonly standing: Standing }

/**
 * `defer`: nothing is known of its author yet, and nobody is to blame: ask again later. `refuse`: the author may not say this.
 * `over-budget`: the author, or others of its invitation, have used up what is kept of them; there is room later.
 */
export type Ruling = 'take' | 'defer' | 'refuse' | 'over-budget'

/** What is left of budgets while one commit comes about; dropped with it if the write fails. */
export type CommitBudget = {
  /**
   * Takes room for an event.
   * @param isRenewal of offers: there is some room for those when all other is used up, or whoever has published all that it may
   *   could not say any more that it is there
   * @returns false, and takes nothing, where there is none
   */
  take(author: NodeId, stream: Stream, payloadBytes: number, isRenewal?: boolean): boolean
}

/**
 * What a network holds every foreign event against, whichever way it came: the same answer at every honest node that knows
 * the author's credential. Budgets alone depend on what the node holds.
 */
export type ContentRules = {
  /** True of an author whose admission the owner took back. */
  isRevoked(author: NodeId): boolean
  /** True of an author of whom nothing more of this stream is taken now, over its budget: it is not asked for. */
  isShut(author: NodeId, stream: Stream): boolean
  /** Who answers for this node; undefined, and left out, where nobody is told from anybody. */
  partyOf?(author: NodeId): Party | undefined
  /** Highest Lamport stamp that is admitted now (lamport-clock.ts). */
  lamportMax(): number
  /** Highest that an event of our own is given now. */
  ownLamportMax(): number
  /**
   * About an event that its author signed.
   * @param credential what a `node.admitted` shows; a good one is remembered
   */
  judge(header: Pick<Header, 'author' | 'at' | 'kind' | 'lamport' | 'stream'>, credential: Uint8Array | undefined): Ruling
  /** Asked for each commit of foreign events; left out where nothing is counted. */
  budget?(): CommitBudget
}
