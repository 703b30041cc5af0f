import { type NodeId, OPEN_PARTY } from '../../events/index.ts'
import { countedOf, describedOf, isActive, type PartyOf, type TorrentDocument } from './documents.ts'
import { type Query, titlesMatch } from './text/index.ts'

/** Descriptions beside the one that is shown, where that alone does not have the words that were asked for. */
const OTHER_TITLES_MAX = 3
/** Seeders whose word goes along, each of another party: a page of 20 hits stays below 20 KiB. */
export const SEEDERS_PROVEN_MAX = 3

/**
 * Where the events stand in this log that prove a hit to anybody: the description that is shown first, then others that
 * make it match, then some of its seeders'. The same events at every owner that holds them.
 */
export function evidenceOf(document: TorrentDocument, query: Query, partyOf: PartyOf): number[] {
  const { description, infoHash, offers } = document
  if (description === undefined) return []
  const counted = countedOf(offers, partyOf)
  const evidence = [description.by.seq]
  const titles = [description.title]
  if (!titlesMatch(query, titles, infoHash)) {
    for (const { description: other } of describedOf(counted)) {
      if (other === undefined || titles.includes(other.title)) continue
      titles.push(other.title)
      evidence.push(other.by.seq)
      if (evidence.length > OTHER_TITLES_MAX || titlesMatch(query, titles, infoHash)) break
    }
  }
  // Strangers have one party in common, and no more to tell them by than their keys.
  const nameOf = (author: NodeId, party: string | undefined) => (party === OPEN_PARTY ? author : party)
  const parties = new Set([nameOf(description.author, document.party)])
  const seedersFrom = evidence.length
  for (const offer of counted) {
    if (evidence.length - seedersFrom >= SEEDERS_PROVEN_MAX) break
    const party = nameOf(offer.author, partyOf(offer.author))
    if (offer.claim.kind !== 'verified' || !isActive(offer) || parties.has(party)) continue
    parties.add(party)
    evidence.push(offer.claim.by.seq)
  }
  return evidence
}
