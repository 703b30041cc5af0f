import { type PublisherOf, spread, titleForm, titleWords } from '../../projections/keyword-index/index.ts'
import type { ProvenHit } from './proven-hits.ts'

/**
 * Answers of several owners as one: by the best place that any of them gave a hit, then by seeders, and spread over
 * titles and publishers again, since owners that hold other titles of one that floods them would otherwise give it twice its places.
 * Each answer is in the order of its own index, whose scores do not travel; what all agree on stays in that order. Of
 * seeders the fewest that anybody says, but all that are proven: a number is easily said.
 */
export function joinedHits(answers: readonly (readonly ProvenHit[])[]): ProvenHit[] {
  const best = new Map<string, { place: number; hit: ProvenHit }>()
  for (const hits of answers) {
    hits.forEach((hit, place) => {
      const known = best.get(hit.infoHash)
      if (known === undefined) best.set(hit.infoHash, { place, hit })
      else best.set(hit.infoHash, { place: Math.min(place, known.place), hit: agreed(known.hit, hit) })
    })
  }
  const inOrder = [...best.values()]
    .sort((a, b) => a.place - b.place || b.hit.seeders - a.hit.seeders || (a.hit.infoHash < b.hit.infoHash ? -1 : 1))
    .map(({ hit }) => hit)
  return spread(inOrder, PUBLISHER_OF)
}

const PUBLISHER_OF: PublisherOf<ProvenHit> = {
  authorOf: ({ publisher }) => publisher,
  partyOf: ({ party }) => party,
  titleOf: ({ title }) => titleForm(titleWords(title)),
}

function agreed(one: ProvenHit, two: ProvenHit): ProvenHit {
  const provenSeeders = new Set([...one.provenSeeders, ...two.provenSeeders])
  const seeders = Math.max(provenSeeders.size, Math.min(one.seeders, two.seeders))
  return { ...one, provenSeeders, seeders, lastSeenAt: Math.max(one.lastSeenAt, two.lastSeenAt) }
}
