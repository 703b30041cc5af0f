import type { NodeId } from '../../events/index.ts'
import type { TidyWork } from '../disk-projection.ts'
import type { PartyOf } from './documents.ts'
import { type KeywordIndexState, listingOf, partyIn, relist } from './index-state.ts'
import { EventTally } from './partition-tallies.ts'

// Who counts may change after the fact: an admission that comes late, one that is taken back. What partitions have of an
// author is then counted in or out, torrent by torrent, and takes effect at once when all were seen.

/** Torrents between two looks at the clock. */
const STEP = 16

/**
 * Parties are looked up anew, since an admission has come or was taken back. What follows for rank and titles is computed when a
 * document is next looked at; partitions follow with the next `recountAuthors`.
 */
export function weigh(state: KeywordIndexState, partyOf: PartyOf = state.partyOf): void {
  state.partyOf = partyOf
  state.parties.clear()
  state.epoch += 1
}

/** Counts authors in or out whose standing has changed. */
export async function recountAuthors(state: KeywordIndexState, work: TidyWork): Promise<void> {
  for (let number = 0; number < state.authors.ids.length; number++) {
    const author = state.authors.idOf(number) as NodeId
    const counts = partyIn(state, author) !== undefined
    if (counts !== state.uncounted.has(author)) continue
    if (!(await recount(state, author, counts ? 1 : -1, work))) return
  }
}

async function recount(state: KeywordIndexState, author: NodeId, sign: 1 | -1, { turns, signal }: TidyWork): Promise<boolean> {
  const { authors, documents } = state
  const number = authors.enter(author)
  const recount = { author, sign, seen: new Set<number>(), tally: new EventTally(state.sha256) }
  state.recount = recount
  try {
    let steps = 0
    for (const ordinal of authors.torrentsOf(number)) {
      const document = documents.at(ordinal)
      const offer = document?.offers.find((one) => one.author === author)
      if (document !== undefined && offer !== undefined && !recount.seen.has(ordinal)) {
        recount.tally.count(offer, sign)
        // Whether it can be found, and by how many words.
        relist(state, document, document.serial === 0 ? undefined : listingOf(state, document))
      }
      recount.seen.add(ordinal)
      if (steps++ % STEP === 0 && turns?.isOver) await turns.next()
      if (signal.aborted) return false
    }
    // Nothing is awaited from the last torrent to here.
    state.partitions.join(recount.tally)
    if (sign === 1) state.uncounted.delete(author)
    else state.uncounted.add(author)
    return true
  } finally {
    state.recount = undefined
  }
}
