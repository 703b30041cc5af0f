import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { connectNode } from '../../src/control/index.ts'
import type { PublishResult, SearchHit } from '../../src/roles/index.ts'
import type { ClusterNode } from '../cluster/cluster.ts'
import type { HonestNetwork } from './network.ts'

/** In every title, and longer than all else in it: a query that holds it is asked of the owners of its partition. */
export const COMMON_WORD = 'constellations'

const ANSWER_MS_MAX = 30_000
const PAUSE_MS = 500
const HITS_ON_A_PAGE = 20
const TAGS = ['survey']

export type Tally = { asked: number; right: number; wrong: string[] }

const newTally = (): Tally => ({ asked: 0, right: 0, wrong: [] })

/** Info hashes that honest nodes have published in a network, also before an attack began: those are right answers too. */
const PUBLISHED = new WeakMap<HonestNetwork, Set<string>>()

/** What people do with a network: a client publishes, another finds it. Counts what came out as it should. */
export class Work {
  readonly publications = newTally()
  /** For one torrent by its own word: it is found, as its publisher described it. */
  readonly searches = newTally()
  /** For the common word: at least half of what honest nodes offer, or of a page, stands on the first page. */
  readonly browses = newTally()
  /** Hits that no honest node has published. */
  foreignHits = 0
  readonly #network: HonestNetwork
  readonly #directory = mkdtempSync(join(tmpdir(), 'p2pt-work-'))
  readonly #published: { infoHash: string; title: string; word: string; sizeBytes: number }[] = []
  readonly #known: Set<string>

  constructor(network: HonestNetwork) {
    this.#network = network
    this.#known = PUBLISHED.get(network) ?? new Set()
    PUBLISHED.set(network, this.#known)
  }

  /** Publishes and searches until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    const [publisher, searcher] = [this.#network.client(0), this.#network.client(1)]
    for (let round = 0; !signal.aborted; round++) {
      await this.publish(publisher)
      const newest = this.#published.at(-1)
      const earlier = this.#published[Math.floor(Math.random() * this.#published.length)]
      if (newest !== undefined) await this.search(searcher, newest)
      if (earlier !== undefined && earlier !== newest) await this.search(searcher, earlier)
      if (round % 2 === 1) await this.browse(searcher)
      await wait(PAUSE_MS, undefined, { signal }).catch(() => {})
    }
  }

  async publish(node: ClusterNode): Promise<void> {
    this.publications.asked++
    const word = `w${Math.random().toString(36).slice(2, 9)}`
    const title = `${COMMON_WORD} ${word}`
    const path = join(this.#directory, word)
    writeFileSync(path, word.repeat(100))
    try {
      const { client } = await connectNode(node.directory, { answerMsMax: ANSWER_MS_MAX })
      const published = await resultOf(client.publish({ path, title, tags: TAGS }))
      this.#known.add(published.infoHash)
      this.#published.push({ infoHash: published.infoHash, title, word, sizeBytes: published.sizeBytes })
      const honest = new Set<string>(this.#network.indexNodes.map(({ id }) => id))
      if (published.acknowledgedBy.some((id) => honest.has(id))) this.publications.right++
      else this.publications.wrong.push(`no honest node holds ${word}`)
    } catch (error) {
      this.publications.wrong.push(String(error))
    }
  }

  async search(node: ClusterNode, wanted: { infoHash: string; title: string; word: string; sizeBytes: number }): Promise<void> {
    this.searches.asked++
    const { infoHash, title, word, sizeBytes } = wanted
    const hits = await this.#hitsOf(node, `${COMMON_WORD} ${word}`, this.searches)
    if (hits === undefined) return
    const hit = hits.find((one) => one.infoHash === infoHash)
    if (hit === undefined) this.searches.wrong.push(`${word} is not among ${hits.length} hits`)
    else if (hit.title !== title) this.searches.wrong.push(`${word} is called "${hit.title}"`)
    else if (hit.sizeBytes !== sizeBytes || hit.tags.join() !== TAGS.join())
      this.searches.wrong.push(`${word} has ${hit.sizeBytes} bytes and the tags ${hit.tags.join()}`)
    else this.searches.right++
  }

  async browse(node: ClusterNode): Promise<void> {
    this.browses.asked++
    const hits = await this.#hitsOf(node, COMMON_WORD, this.browses)
    if (hits === undefined) return
    const honest = hits.filter(({ infoHash }) => this.#known.has(infoHash)).length
    if (2 * honest >= Math.min(HITS_ON_A_PAGE, this.#published.length)) this.browses.right++
    else this.browses.wrong.push(`${honest} of ${this.#published.length} on the first page of ${hits.length}`)
  }

  end(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #hitsOf(node: ClusterNode, text: string, tally: Tally): Promise<readonly SearchHit[] | undefined> {
    try {
      const { client } = await connectNode(node.directory, { answerMsMax: ANSWER_MS_MAX })
      const { hits } = await client.search({ text })
      this.foreignHits += hits.filter(({ infoHash }) => !this.#known.has(infoHash)).length
      return hits
    } catch (error) {
      tally.wrong.push(String(error))
      return undefined
    }
  }
}

async function resultOf(publishing: AsyncGenerator<unknown, PublishResult, void>): Promise<PublishResult> {
  for (;;) {
    const step = await publishing.next()
    if (step.done === true) return step.value
  }
}
