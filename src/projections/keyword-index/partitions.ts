import type { NodeId } from '../../events/index.ts'
import type { NewSha256 } from '../sha256.ts'
import { isVisible } from './documents.ts'
import { type KeywordIndexState, partyIn } from './index-state.ts'

// The events of a partition: what its owners must have in common. Of each author and torrent the last description, the
// last word, and the last event whose title belongs here: owners that saw different pasts come to the same set by
// exchanging these.

/** An event of the index stream, and where it stands in this log. */
export type PartitionEvent = { readonly author: NodeId; readonly authorSeq: number; readonly seq: number }

/**
 * The events of a partition that count, by author and author sequence. Not those of whose author the admission was taken
 * back: no owner takes them any more, and one lets go of them sooner than another, so that the owners would never be level.
 */
export function eventsOfPartition(state: KeywordIndexState, partition: number): PartitionEvent[] {
  const events: PartitionEvent[] = []
  for (const ordinal of state.partitions[partition] ?? []) {
    for (const { author, placed, description, claim } of state.byOrdinal[ordinal]?.offers ?? []) {
      if (partyIn(state, author) === undefined) continue
      const here = placed.find(({ partitions }) => partitions.includes(partition))
      if (here === undefined) continue
      const stamps = [here.by, claim.by, ...(description === undefined ? [] : [description.by])]
      for (const [index, { authorSeq, seq }] of stamps.entries()) {
        // An author's events in one stream differ by their sequence.
        if (stamps.findIndex((stamp) => stamp.authorSeq === authorSeq) === index) events.push({ author, authorSeq, seq })
      }
    }
  }
  return events.sort((a, b) => (a.author === b.author ? a.authorSeq - b.authorSeq : a.author < b.author ? -1 : 1))
}

/** sha-256 over the names of a partition's events, hex: equal for equal sets, whatever the order they came in. */
export function partitionDigest(state: KeywordIndexState, partition: number, newSha256: NewSha256): string {
  let digest = state.partitionDigests[partition]
  if (digest === undefined) {
    const hash = newSha256()
    hash.update(
      eventsOfPartition(state, partition)
        .map(({ author, authorSeq }) => `${author}/${authorSeq}\n`)
        .join(''),
    )
    digest = hash.digestHex()
    state.partitionDigests[partition] = digest
  }
  return digest
}

export type PartitionStats = { readonly partition: number; readonly documents: number; readonly events: number }

/** How much of each partition this node holds: documents that can be found, and events. */
export function partitionStats(state: KeywordIndexState, partitions: Iterable<number>): PartitionStats[] {
  return [...partitions].map((partition) => {
    const ordinals = state.partitions[partition] ?? []
    let documents = 0
    for (const ordinal of ordinals) {
      const document = state.byOrdinal[ordinal]
      if (document !== undefined && isVisible(document)) documents += 1
    }
    return { partition, documents, events: eventsOfPartition(state, partition).length }
  })
}
