import { isOneSlip } from '../../projections/keyword-index/index.ts'
import { correctedQuery, mayBeSlips } from '../corrected-query.ts'
import type { IndexMap } from '../index-node/index-map.ts'
import { decodeNearWordsReply, encodeNearWords, INDEX_METHODS, NEAR_ASKED_MAX } from '../index-node/index-messages.ts'
import type { OwnerOptions } from './owner-answers.ts'

/** Number of index nodes that are asked, and the timeout of each request, ms. Each knows all words of the titles that it holds. */
const ASKED_MAX = 5
const WITHIN_MS = 2_000

/**
 * What was meant by a query that found nothing, if some of its words are one slip away from words of titles. Index nodes are asked; the
 * word that most of them name counts, and the commonest of those. Whatever they say, only what is signed is found by it. Never rejects.
 */
export async function queryMeant(
  query: string,
  { map, overlay, heldOff }: Pick<OwnerOptions, 'overlay' | 'heldOff'> & { map: Pick<IndexMap, 'indexNodes'> },
): Promise<string | undefined> {
  const words = mayBeSlips(query, NEAR_ASKED_MAX)
  if (words.length === 0) return undefined
  const asked = map
    .indexNodes()
    .toSorted((a, b) => Number(heldOff.isHeldOff(a)) - Number(heldOff.isHeldOff(b)))
    .slice(0, ASKED_MAX)
  const votes = words.map(() => new Map<string, { nodes: number; documents: number }>())
  await Promise.all(
    asked.map(async (node) => {
      try {
        const reply = await overlay.request(node, INDEX_METHODS.nearWords, encodeNearWords(words), { timeoutMs: WITHIN_MS })
        for (const [at, near] of decodeNearWordsReply(reply).entries()) {
          // A word that it names twice has one vote, and one that is no slip of what was typed none.
          const told = near.filter(({ word }) => isOneSlip(word, words[at] ?? ''))
          for (const [word, documents] of new Map(told.map((one) => [one.word, one.documents]))) {
            const { nodes = 0, documents: known = 0 } = votes[at]?.get(word) ?? {}
            votes[at]?.set(word, { nodes: nodes + 1, documents: Math.max(known, documents) })
          }
        }
      } catch {
        // The others tell.
      }
    }),
  )
  const corrections = new Map<string, string>()
  for (const [at, word] of words.entries()) {
    const [best] = [...(votes[at] ?? [])].sort(([, a], [, b]) => b.nodes - a.nodes || b.documents - a.documents)
    if (best !== undefined) corrections.set(word, best[0])
  }
  return correctedQuery(query, corrections)
}
