import { type NodeId, type SignedEvent, scanBody, type Timers } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import { type Query, titlesMatch } from '../../projections/keyword-index/index.ts'
import {
  decodeInstead,
  decodePublishReply,
  encodePublish,
  INDEX_METHODS,
  type PublishOutcome,
} from '../index-node/index-messages.ts'
import { type ProofRules, type ProvenHit, told } from './proven-hits.ts'

// An owner said that it has nothing, where another proved what was published long ago. When that was is its author's word: who
// publishes with an old date to one owner alone would have the others charged. So an owner is handed what it lacks before.

/** It waits up to 2 s for the admission of the author. */
const HANDED_WITHIN_MS = 3_000
/** A revocation that another has heard of comes here in this time. */
const REVOKED_WITHIN_MS = 2_000

/** What came of it: `charged`: it is silent about what it has; `silent`: it did not answer; `named`: it may be right. */
export type Finding = { verdict: 'charged' | 'silent' | 'named'; said: string }

export type SilentOwnerOptions = {
  overlay: Pick<Overlay, 'request'>
  timers: Timers
  proofs: ProofRules
  /** Asks the owner once more. @returns true if it still says that it has nothing, as one who knows all there is */
  isSilentStill(owner: NodeId): Promise<boolean>
}

/** True for queries whose answer follows from titles alone: what else is asked for, owners may know differently. */
export const isByTitle = ({ filters, without }: Query): boolean => filters.length === 0 && without.length === 0

/** True where an owner looks at all that it has: of several words, or beginnings, it may stop before it comes to what is there. */
export const isOneWord = ({ clauses }: Query): boolean =>
  clauses.length === 1 && clauses[0]?.length === 1 && ['word', 'infohash'].includes(clauses[0][0]?.kind ?? '')

/** Hands an owner the publication that it lacks (read repair: DeCandia et al., Dynamo, 2007, section 5) and asks it again. Never rejects. */
export async function examine(
  owner: NodeId,
  hit: ProvenHit,
  query: Query,
  { overlay, timers, proofs, isSilentStill }: SilentOwnerOptions,
): Promise<Finding> {
  const named = (said: string): Finding => ({ verdict: 'named', said })
  try {
    const body = encodePublish([hit.description])
    const reply = await overlay.request(owner, INDEX_METHODS.publish, body, { timeoutMs: HANDED_WITHIN_MS })
    const [outcome] = decodePublishReply(reply)
    if (outcome === 'stored' || outcome === 'duplicate') {
      const instead = decodeInstead(reply)
      if (instead !== undefined && countsInstead(instead, hit, query, proofs))
        return named('what it lacked does not count any more: it proved what was said since, or by others')
      if (!(await isSilentStill(owner))) return named('it was handed what it lacked, and has it now')
      const took = outcome === 'stored' ? 'took' : 'has'
      return { verdict: 'charged', said: `and says so still, though it ${took} what it was handed` }
    }
    if (outcome === undefined) return { verdict: 'charged', said: 'and does not say whether it takes what it was handed' }
    if (await isExcuse(outcome, hit, { timers, proofs })) return named(`it does not take what it lacks: ${outcome}`)
    return { verdict: 'charged', said: `and refuses what it was handed as ${outcome}, which it is not` }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { verdict: 'silent', said: `it was handed what it lacks, and gave no answer: ${reason}` }
  }
}

/** What nobody else can see is taken for true; what was checked here is not. */
async function isExcuse(
  outcome: PublishOutcome,
  { description }: ProvenHit,
  { timers, proofs }: Pick<SilentOwnerOptions, 'timers' | 'proofs'>,
): Promise<boolean> {
  if (outcome === 'forged' || outcome === 'malformed') return false
  if (outcome !== 'not-admitted') return true
  await new Promise<void>((resolve) => void timers.after(REVOKED_WITHIN_MS, resolve))
  return proofs.rules.judge(scanBody(description.body), undefined) !== 'take'
}

/** In the order of one author's events, as the index has it. */
function isBefore(one: SignedEvent, two: SignedEvent): boolean {
  const [a, b] = [scanBody(one.body), scanBody(two.body)]
  return a.lamport < b.lamport || (a.lamport === b.lamport && a.authorSeq < b.authorSeq)
}

/** True if a later word of the author, or another description, is why this query does not find the hit. */
function countsInstead(event: SignedEvent, hit: ProvenHit, query: Query, proofs: ProofRules): boolean {
  const said = told(event, hit.infoHash, proofs)
  if (typeof said === 'string') return false
  const isLater = said.author === hit.publisher && isBefore(hit.description, event)
  if (said.event.kind === 'torrent.withdrawn') return isLater
  const isOther = said.event.kind === 'torrent.published' && (said.author !== hit.publisher || isLater)
  return isOther && !titlesMatch(query, [said.event.title], hit.infoHash)
}
