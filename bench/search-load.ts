import { setTimeout as wait } from 'node:timers/promises'
import { connectNode } from '../src/control/index.ts'
import type { ClientService, SearchResult } from '../src/roles/index.ts'
import type { ClusterNode } from '../test/cluster/cluster.ts'
import { makeQueries, randomFrom, type Title } from './search-corpus.ts'

// Clients that each search ten times a second, over their control sockets, and what came of it. A search that takes longer puts off
// the next: what is measured is how long each took, not how long it would have waited. All share the machine with the index nodes, and a
// load without pauses would measure its processors.

/** `hits`: exactly so many are there, undefined: of a query whose hits nobody counted. */
type Wanted = { readonly text: string; readonly isThere: boolean; readonly hits: number | undefined }

export type Phase = {
  readonly ms: number[]
  /** Of them of the client itself, without the control socket. */
  readonly insideMs: number[]
  errors: number
  /** Answers without a hit, of queries that have one. */
  empty: number
  /** With fewer hits than there are. */
  short: number
  /** That say they may lack something. */
  incomplete: number
  charged: number
  /** Answers of owners that said they have nothing, where another proved something. */
  contradicted: number
  readonly examples: string[]
}

const EXAMPLES_MAX = 12
const LIMIT = 20
const SEARCH_EVERY_MS = 100
/** A search that takes so long is worth a look at what it waited for. */
const SLOW_MS = 1_000

export class SearchLoad {
  readonly #clients: readonly ClusterNode[]
  readonly #queries: readonly Wanted[]
  readonly #phases = new Map<string, Phase>()
  #phase = newPhase()
  #ends = false
  #running: Promise<unknown> = Promise.resolve()

  constructor(clients: readonly ClusterNode[], titles: readonly Title[], seed: number) {
    this.#clients = clients
    this.#queries = wantedOf(titles, seed)
  }

  start(): void {
    this.#running = Promise.all(this.#clients.map((client, place) => this.#searchOn(client, place)))
  }

  /** What comes from now on counts here. */
  begin(name: string): Phase {
    this.#phase = this.#phases.get(name) ?? newPhase()
    this.#phases.set(name, this.#phase)
    return this.#phase
  }

  get phases(): ReadonlyMap<string, Phase> {
    return this.#phases
  }

  async end(): Promise<void> {
    this.#ends = true
    await this.#running
  }

  async #searchOn(node: ClusterNode, place: number): Promise<void> {
    const random = randomFrom(1_000 + place)
    const client = (await connectNode(node.directory, { answerMsMax: 60_000 })).client as ClientService
    while (!this.#ends) {
      const query = this.#queries[Math.floor(random() * this.#queries.length)] as Wanted
      const phase = this.#phase
      const from = performance.now()
      try {
        note(phase, query, await client.search({ text: query.text, limit: LIMIT }))
      } catch (error) {
        phase.errors += 1
        tell(phase, `"${query.text}": ${error instanceof Error ? error.message : String(error)}`)
      }
      const ms = performance.now() - from
      phase.ms.push(ms)
      if (ms > SLOW_MS) tell(phase, `"${query.text}" took ${Math.round(ms)} ms`)
      await wait(Math.max(0, SEARCH_EVERY_MS - ms))
    }
  }
}

const newPhase = (): Phase => ({
  ...{ ms: [], insideMs: [], errors: 0, empty: 0, short: 0, incomplete: 0, charged: 0, contradicted: 0, examples: [] },
})

function note(phase: Phase, { text, isThere, hits: wanted }: Wanted, found: SearchResult): void {
  const { hits, complete, charged, elapsedMs, parts } = found
  phase.insideMs.push(elapsedMs)
  if (!complete) phase.incomplete += 1
  phase.charged += charged.length
  for (const { node, reason } of charged) tell(phase, `"${text}": ${node.slice(0, 8)} is charged: ${reason}`)
  const asked = parts.flatMap((part) => part.asked)
  for (const { node, reason } of asked.filter((one) => one.outcome === 'answered' && one.hits === 0 && one.lacks > 0)) {
    phase.contradicted += 1
    tell(phase, `"${text}": ${node.slice(0, 8)} said that it has nothing: ${reason}`)
  }
  const isShort = wanted !== undefined && hits.length < wanted
  if (isThere && hits.length === 0) phase.empty += 1
  else if (isShort) phase.short += 1
  if ((isThere && hits.length === 0) || isShort) {
    const who = asked.map((one) => `${one.node.slice(0, 8)} ${one.outcome} ${one.hits}`).join(', ')
    tell(phase, `"${text}" has ${hits.length} hits of ${wanted ?? 'some'} (${who}), complete: ${complete}`)
  }
}

function tell({ examples }: Phase, text: string): void {
  if (examples.length < EXAMPLES_MAX) examples.push(text)
}

/** The query mix of the corpus: few common words and prefixes, more rare words, and mostly one to four words of a title. */
function wantedOf(titles: readonly Title[], seed: number): Wanted[] {
  const { common, prefix, threeWords, rare, mixed } = makeQueries(titles, seed)
  const said = titles.map(({ title }) => new Set(title.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []))
  const counted = (word: string): number => said.filter((words) => words.has(word)).length
  return [
    ...common.map((text) => ({ text, isThere: true, hits: LIMIT })),
    ...prefix.map((text) => ({ text, isThere: true, hits: undefined })),
    // Two words of one title, and a third that may not be in it.
    ...threeWords.map((text) => ({ text, isThere: false, hits: undefined })),
    ...rare.map((text) => ({ text, isThere: true, hits: Math.max(1, counted(text)) })),
    ...mixed.map((text) => ({ text, isThere: !text.startsWith('zzqx'), hits: undefined })),
  ]
}
