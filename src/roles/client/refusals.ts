import type { Refusal } from '../index-node/index-messages.ts'

/** What a refusal means to whoever published, and what there is to do about it. */
export const REFUSAL_SENTENCES: { readonly [R in Refusal]: string } = {
  refused: 'it refused the entry for a reason that this version of p2pt does not know: update p2pt',
  'over-budget':
    "the budget of this client's invitation is used up there: the entry is offered again every 10 minutes; remove torrents, or ask the owner of the network for another invitation",
  malformed: 'it cannot read the entry: it may run an older version of p2pt',
  forged:
    'the signature of the entry is wrong there: check the log with `p2pt log verify`, and that both are in the same network',
  'not-admitted':
    'this client is not admitted to the network, or not any more: ask the owner of the network for an invitation, and see `p2pt network show`',
  'below-rank':
    'not kept, below rank: others have all places of those of its words that it owns; index nodes that own the other words may keep it, and it is offered again from time to time',
  'clock-jump':
    'the entry is stamped too far ahead of everything that it knows: it may have been cut off from the network; the entry is offered again every 10 minutes',
}
