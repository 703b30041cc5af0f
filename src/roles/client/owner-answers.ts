import type { NodeId, OwnerCharged, Timers } from '../../events/index.ts'
import type { Overlay } from '../../network/index.ts'
import { type Query, titlesMatch } from '../../projections/keyword-index/index.ts'
import { wordsOf } from '../index-node/covering-words.ts'
import type { IndexMap, QueryPart } from '../index-node/index-map.ts'
import { decodeSearchReply, encodeSearch, INDEX_METHODS } from '../index-node/index-messages.ts'
import type { SearchPart, SearchResult } from '../services.ts'
import { AskedOwners } from './asked-owners.ts'
import { askHedged, type HedgedResult } from './hedged-request.ts'
import type { HeldOffOwners } from './held-off-owners.ts'
import type { KeywordFrequencies } from './keyword-frequencies.ts'
import { type ProofRules, type ProvenHit, provenHits } from './proven-hits.ts'
import { examine, isByTitle, isOneWord } from './silent-owners.ts'

/** The next owner is asked when those before have not answered for so long: far above a healthy answer, ms. */
export const HEDGE_AFTER_MS = 400
const DEADLINE_MS = 5_000
/** Owners that are asked for the first page: one may keep silent about what it has. */
const ASKED_AT_ONCE = 2
/** Where nobody who owns a word is level, so many by rank are asked for what they have. */
const FORMER_RANKS = 6
/**
 * Once an owner has found something, the other has so long to confirm it: no search waits for an owner that is slow. Where
 * one finds nothing, the other is waited for as long as for any, since that is what a liar would say; but not where all others were
 * silent just now, ms.
 */
export const CONFIRMED_WITHIN_MS = 150
/** Where one that is not level has found something, an owner that is level has so long to say what it has. */
const LEVEL_WITHIN_MS = 1_000
/** So long for the admission of authors whose hits come before it, ms. */
const ADMITTED_WITHIN_MS = 2_000
/** An owner that is asked once more whether it has nothing answers in this time, ms. */
const AGAIN_WITHIN_MS = 2_000
/** No further page is asked for after this: what there is by then is the answer, with the cursor, ms. */
const PAGES_MS_MAX = 15_000
/** Pages in a row that bring nothing: of authors who are not admitted, say. One more would be the first of many. */
const BARREN_PAGES_MAX = 3
/** What was published so long ago has come to every owner, or its publisher has tried; before that nobody is to blame, ms. */
const KNOWN_EVERYWHERE_MS = 5 * 60_000

export type OwnerOptions = {
  overlay: Pick<Overlay, 'request'>
  timers: Timers
  proofs: ProofRules
  /** Kept from one search to the next. */
  heldOff: HeldOffOwners
  /** Those that were silent while others answered, for `SLOW_MS`. Kept from one search to the next. */
  slow: HeldOffOwners
  map: Pick<IndexMap, 'ownersOf' | 'rankedOwners'>
  /** Kept from one search to the next. */
  frequencies: KeywordFrequencies
  /** ms since 1970, as publications are dated. */
  now(): number
  /** Keeps what an owner was charged with. */
  onCharged(evidence: Evidence): void
}

/** What an owner is charged with, see the event `owner.charged`. */
export type Evidence = Omit<OwnerCharged, 'kind'>

export type Asked = {
  text: string
  query: Query
  limit: number
  /** True for what an earlier page has shown. */
  isShown(hit: ProvenHit): boolean
  /** Aborted when what other parts said is enough. */
  enough?: AbortSignal
}

/** `after`: where the owner's list goes on behind this hit. */
export type PlacedHit = { hit: ProvenHit; after: number }
/** What an owner proved. `next`: where its list goes on, or `end`. `isEmpty`: it said that it has nothing. */
type Answer = { hits: PlacedHit[]; next: number | 'end'; truncated: boolean; answeredBy: NodeId; isEmpty: boolean }

export type PartAnswer = Omit<SearchPart, 'asked' | 'cut'> & {
  asked: AskedOwners
  /** Where the lists of all that answered were asked from; the one that is paged is the first, and goes on at `next`. */
  from: number
  lists: PlacedHit[][]
  next: number | 'end'
  truncated: boolean
  answeredBy: NodeId | undefined
  charged: SearchResult['charged']
}

/**
 * What two of a part's owners say: one can keep silent about what it has, and the other will not have it so. One that sends
 * what nobody signed is not listened to, asked last from then on, and another asked in its place; so is one that is not level,
 * whose hits count where there is nobody else. Further pages come from the same owner; where it fails in between, another goes
 * on from the same place of its own list, which is nearly the same one. Never rejects.
 */
export async function askPart(part: QueryPart, from: number, asked: Asked, options: OwnerOptions): Promise<PartAnswer> {
  const { keyword, partition } = part
  const owners = options.heldOff.last(options.slow.last(part.owners))
  const rows = new AskedOwners(options.now)
  const charged: PartAnswer['charged'] = []
  const partial: { answer: Answer; by: NodeId }[] = []
  const charge = (reason: string, evidence: Omit<Evidence, 'keyword'>) => {
    const { owner } = evidence
    // One that is asked all the same, since there is nobody else, is not recorded each time.
    if (!options.heldOff.isHeldOff(owner)) options.onCharged({ ...evidence, keyword: keyword ?? '' })
    options.heldOff.holdOff(owner)
    charged.push({ node: owner, reason })
  }
  const page = (candidates: readonly NodeId[], position: number, limit: number, wanted: number, hops = 0) =>
    askPage(candidates, { keyword, position, limit, wanted, hops }, asked, options, { rows, partial, charge })

  let isLate = false
  const cancel = options.timers.after(PAGES_MS_MAX, () => {
    isLate = true
  })
  const { answers } = await page(owners, from, asked.limit, Math.min(ASKED_AT_ONCE, owners.length))
  if (answers.length === 0 && partition !== null) {
    // All owners have just come: those who were owners before may have what they are still fetching.
    const former = options.map.rankedOwners(partition, FORMER_RANKS).filter((id) => !owners.includes(id))
    await page(former, from, asked.limit, former.length, 1)
  }
  const examined =
    from === 0 && owners.length > 1
      ? contradictions([...answers, ...partial], keyword, asked, options, { rows, partial, charge })
      : undefined
  // If no level owner has a hit, the hits of owners that are still levelling are used.
  const all = answers.some(({ answer }) => !answer.isEmpty) ? answers : [...answers, ...partial]
  // An owner that found nothing has no further pages.
  const paged = all.find(({ answer }) => !answer.isEmpty) ?? all[0]
  const result: PartAnswer = {
    ...{ keyword, partition, asked: rows, complete: answers.length > 0, charged, from },
    ...{ lists: [], next: from, truncated: all.length === 0, answeredBy: paged?.answer.answeredBy },
  }
  if (paged === undefined) {
    cancel()
    return result
  }
  const others = all.filter((one) => one !== paged)
  const { hits, ...rest } = await furtherPages(paged, owners, asked, page, () => isLate)
  cancel()
  await examined
  return { ...result, ...rest, lists: [hits, ...others.map(({ answer }) => answer.hits)] }
}

type AskPage = (candidates: readonly NodeId[], position: number, limit: number, wanted: number) => Promise<HedgedResult<Answer>>

async function furtherPages(
  first: { answer: Answer; by: NodeId },
  all: readonly NodeId[],
  { limit, isShown }: Asked,
  page: AskPage,
  isLate: () => boolean,
): Promise<Pick<PartAnswer, 'next' | 'truncated' | 'answeredBy'> & { hits: PlacedHit[] }> {
  const hits = new Map<string, PlacedHit>()
  let fresh = 0
  let barren = 0
  const take = ({ answer }: { answer: Answer }) => {
    const before = hits.size
    for (const placed of answer.hits) {
      if (hits.has(placed.hit.infoHash)) continue
      hits.set(placed.hit.infoHash, placed)
      if (!isShown(placed.hit)) fresh += 1
    }
    barren = hits.size === before ? barren + 1 : 0
  }
  let last = first
  let isCut = false
  take(first)
  while (last.answer.next !== 'end' && fresh < limit && barren < BARREN_PAGES_MAX && !isLate()) {
    const { by } = last
    const candidates = [by, ...all.filter((owner) => owner !== by)]
    const [more] = (await page(candidates, last.answer.next, limit - fresh, 1)).answers
    isCut = more === undefined
    if (more === undefined) break
    last = more
    take(more)
  }
  const { next, truncated, answeredBy } = last.answer
  return { hits: [...hits.values()], next, truncated: truncated || isCut, answeredBy }
}

/** `hops`: 1 where the answerer is not to pass the question on. */
type PageRequest = { keyword: string | null; position: number; limit: number; wanted: number; hops: number }

type Told = {
  rows: AskedOwners
  /** Answers of those that are not level. */
  partial: { answer: Answer; by: NodeId }[]
  charge(reason: string, evidence: Omit<Evidence, 'keyword'>): void
}

/** One message of each of so many owners, of which everything is proven; never rejects. */
function askPage(
  candidates: readonly NodeId[],
  { wanted, ...request }: PageRequest,
  asked: Asked,
  options: OwnerOptions,
  told: Told,
): Promise<HedgedResult<Answer>> {
  const { rows, partial } = told
  // What one that is not level has found is better than waiting to the end for one that is silent.
  const makesDo = new AbortController()
  const cancel: (() => void)[] = []
  const pages = askHedged(
    candidates,
    async (node, signal) => {
      rows.begin(node)
      const startedAt = options.now()
      try {
        const { answer, notLevel } = await askOwner(node, request, asked, options, told, { signal, timeoutMs: DEADLINE_MS })
        rows.answered(node, answer.hits.length, notLevel ? 'not-level' : 'answered')
        if (!notLevel) return answer
        partial.push({ answer, by: node })
        if (!answer.isEmpty) cancel.push(options.timers.after(LEVEL_WITHIN_MS, () => makesDo.abort()))
      } catch (error) {
        if (!signal.aborted) rows.failed(node, error)
        // Dead perhaps, and nobody knows it yet: the next search need not wait for it.
        if (options.now() - startedAt >= CONFIRMED_WITHIN_MS) options.slow.holdOff(node)
        throw error
      }
      throw new Error('it is not level with the other owners yet')
    },
    {
      ...{ wanted, hedgeAfterMs: HEDGE_AFTER_MS, deadlineMs: DEADLINE_MS, timers: options.timers },
      enough: asked.enough === undefined ? makesDo.signal : AbortSignal.any([asked.enough, makesDo.signal]),
      lingerMs: ({ isEmpty }, by) => {
        const areOthersSlow = () => candidates.every((node) => node === by || options.slow.isHeldOff(node))
        return isEmpty && !areOthersSlow() ? undefined : CONFIRMED_WITHIN_MS
      },
    },
  )
  return pages.finally(() => {
    for (const stop of cancel) stop()
  })
}

/** One message of one owner. @throws Error for no answer, and for one with what nobody signed, which is charged */
async function askOwner(
  node: NodeId,
  { keyword, position, limit, hops }: Omit<PageRequest, 'wanted'>,
  { text, query }: Asked,
  { overlay, proofs, heldOff, frequencies, map }: OwnerOptions,
  { charge, rows }: Told,
  patience: { signal?: AbortSignal; timeoutMs: number },
): Promise<{ answer: Answer; notLevel: boolean }> {
  const cursor = position === 0 ? '' : String(position)
  const body = encodeSearch({ text, limit, cursor, hops, ...(keyword === null ? {} : { keyword }) })
  const words = new Set(wordsOf(query))
  const reply = decodeSearchReply(await overlay.request(node, INDEX_METHODS.search, body, patience))
  const { hits, places, forged, forgedOne, unknown } = await provenHits(reply.hits, query, proofs, ADMITTED_WITHIN_MS)
  if (forgedOne !== undefined) {
    const reason = `${forged} of its ${reply.hits.length} hits are signed by nobody`
    charge(reason, { owner: node, fault: 'forged', infoHash: forgedOne, author: null, authorSeq: 0 })
    throw new Error(reason)
  }
  // Perhaps we are new here. But anybody can sign with keys that nobody admitted, and have us wait for them each time.
  if (unknown > 0) heldOff.holdOff(node)
  // Of a word of the query, by one who owns it: all else is none of its business.
  for (const { word, documents, kept } of reply.frequencies ?? [])
    if (words.has(word) && map.ownersOf(word).includes(node)) {
      frequencies.note(word, documents)
      if (word === keyword && kept !== undefined) rows.cutTo({ kept, known: documents })
    }
  const answer: Answer = {
    hits: hits.map((hit, at) => ({ hit, after: position + (places[at] ?? 0) + 1 })),
    next: reply.cursor === '' ? 'end' : Number(reply.cursor),
    truncated: reply.truncated,
    answeredBy: reply.answeredBy,
    isEmpty: reply.hits.length === 0,
  }
  return { answer, notLevel: reply.notLevel === true }
}

/**
 * Holds the answers of one page against one another. Who says that it has nothing, where another proves that there is something
 * that was published long ago, is handed it, and charged if it is silent about it still: it hides it, or is of no use as an owner.
 * Who lacks some of it is only named, since it may have no room for one publisher. Never rejects.
 */
async function contradictions(
  all: readonly { answer: Answer; by: NodeId }[],
  keyword: string | null,
  asked: Asked,
  options: OwnerOptions,
  told: Told,
): Promise<void> {
  const { rows, charge } = told
  const { query } = asked
  const before = options.now() - KNOWN_EVERYWHERE_MS
  const old = new Map(
    all.flatMap(({ answer }) =>
      answer.hits.flatMap(({ hit }) => (hit.publishedAt <= before ? [[hit.infoHash, hit] as const] : [])),
    ),
  )
  const checks = all.map(async ({ answer, by }) => {
    // Of a list that goes on, what is not on this page may come; of one that begins with nothing, it may not.
    const isAll = answer.isEmpty || (answer.next === 'end' && !answer.truncated)
    if (!isAll || rows.outcomeOf(by) !== 'answered') return
    const own = new Set(answer.hits.map(({ hit }) => hit.infoHash))
    const lacked = [...old.values()].filter(({ infoHash }) => !own.has(infoHash))
    rows.lacks(by, lacked.length)
    // One that passed the question on said nothing of its own.
    if (!answer.isEmpty || answer.answeredBy !== by || !isByTitle(query)) return
    if (answer.truncated && !isOneWord(query)) return
    // Another title of it may be one that too few have checked, as that owner knows them.
    const first = lacked.find(({ title, infoHash }) => titlesMatch(query, [title], infoHash))
    if (first === undefined) return
    const request = { keyword, position: 0, limit: asked.limit, hops: 0 }
    const isSilentStill = async (owner: NodeId) => {
      const again = await askOwner(owner, request, asked, options, told, { timeoutMs: AGAIN_WITHIN_MS })
      return again.answer.isEmpty && !again.notLevel && again.answer.answeredBy === owner
    }
    const { verdict, said } = await examine(by, first, query, { ...options, isSilentStill })
    if (verdict === 'silent') options.heldOff.holdOff(by)
    if (verdict !== 'charged') return rows.explain(by, said)
    const { infoHash, publisher: author, authorSeq } = first
    const what = lacked.length === 1 ? 'a hit' : `${lacked.length} hits`
    charge(`it said that it has nothing, where another owner proved ${what}, ${said}`, {
      ...{ owner: by, fault: 'omitted', infoHash, author, authorSeq },
    })
  })
  await Promise.all(checks)
}
