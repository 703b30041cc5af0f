import type { NodeId } from '../../events/index.ts'
import { isPlaced } from './documents.ts'
import type { KeywordIndexState } from './index-state.ts'
import { placedSeqs } from './partition-tallies.ts'

// The events of a partition: what its owners must have in common. Of each author and torrent the last description, the
// last word, and the last event whose title belongs here: owners that saw different pasts come to the same set by
// exchanging these.

/** An event of the index stream by its author's sequence. */
export type PartitionEvent = { readonly author: NodeId; readonly authorSeq: number }

/**
 * The events of a partition that count, torrent by torrent in the order in which these came here. Not those of whose author
 * the admission was taken back: no owner takes them any more, and one lets go of them sooner than another, so that the owners
 * would never be level.
 */
export function* eventsOfPartition(state: KeywordIndexState, partition: number): Generator<readonly PartitionEvent[]> {
  const { documents, partitions, partitionTorrents, uncounted } = state
  for (const ordinal of partitionTorrents.ordinals(partition, () => partitions.torrents[partition] ?? 0)) {
    const events: PartitionEvent[] = []
    for (const offer of documents.at(ordinal)?.offers ?? []) {
      if (uncounted.has(offer.author) || !isPlaced(offer, partition)) continue
      for (const group of offer.placed) {
        if (!group.partitions.includes(partition)) continue
        for (const authorSeq of placedSeqs(offer, group)) events.push({ author: offer.author, authorSeq })
      }
    }
    yield events
  }
}

/** Over the names of a partition's events, hex: equal for equal sets, whatever the order they came in. See set-digest.ts. */
export const partitionDigest = ({ partitions }: KeywordIndexState, partition: number): string =>
  partitions.digests.hex(partition)

/** `torrents`: with an event there, those that nobody offers any more among them. */
export type PartitionStats = { readonly partition: number; readonly torrents: number; readonly events: number }

/** How much of a partition this node holds. */
export const partitionStats = ({ partitions }: KeywordIndexState, partition: number): PartitionStats => ({
  partition,
  torrents: partitions.torrents[partition] ?? 0,
  events: partitions.events[partition] ?? 0,
})
