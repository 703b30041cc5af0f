import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Envelope, Event, EventLog } from '../../../src/events/index.ts'
import {
  createProjectionRunner,
  type KeywordIndexState,
  keywordIndexProjection,
  type ProjectionStore,
  partitionDigest,
  partitionOf,
  search,
  totalsOf,
} from '../../../src/projections/index.ts'
import { openLevelProjectionStore } from '../../../src/projections/projection-store.level.ts'
import { openMemoryProjectionStore } from '../../../src/projections/projection-store.memory.ts'
import { newSha256, sha256Of } from '../../../src/projections/sha256.system.ts'
import { TEST_NETWORK } from '../../events/test-network.ts'
import { EnvelopeMaker, hash, node } from '../envelopes.ts'

const STILL = { after: () => () => {} }
const WORDS = ['red', 'green', 'blue', 'grey', 'black', 'white']

type States = { 'keyword-index': KeywordIndexState }

/** A log that holds these, and to which more can be added. */
function logOf(envelopes: readonly Envelope[]) {
  const held = [...envelopes]
  let tell = (_: readonly Envelope[]): void => {}
  const log: Pick<EventLog, 'head' | 'readBatches' | 'onAppended' | 'snapshot'> = {
    get head() {
      return held.length
    },
    async *readBatches({ from = 1, to = held.length } = {}) {
      for (let at = from - 1; at < to; at += 10) yield held.slice(at, Math.min(to, at + 10))
    },
    onAppended(listener) {
      tell = listener
      return () => {}
    },
    snapshot: async () => [],
  }
  return {
    log,
    add(envelope: Envelope) {
      held.push(envelope)
      tell([envelope])
    },
  }
}

const runnerOver = (log: ReturnType<typeof logOf>['log'], store: ProjectionStore, checkpointEvents: number) =>
  createProjectionRunner<States>({
    ...{ log, store, timers: STILL, newSha256, checkpointEvents },
    projections: { 'keyword-index': keywordIndexProjection(sha256Of, { memtableMax: 7 }) },
  })

const answers = (state: KeywordIndexState) => ({
  hits: [...WORDS, 'red green', 'gr*', 'size:>1'].map((query) =>
    search(state, query, { limit: 100 }).hits.map(({ infoHash, seeders }) => `${infoHash} ${seeders}`),
  ),
  digests: WORDS.map((word) => partitionDigest(state, partitionOf(word))),
  totals: [totalsOf(state).documents, totalsOf(state).postings],
})

const histories: fc.Arbitrary<readonly Envelope[]> = fc
  .array(
    fc.tuple(
      fc.constantFrom('ada', 'bob', 'eve'),
      fc.nat(30),
      fc.uniqueArray(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3, size: 'max' }),
      fc.nat(4),
    ),
    { minLength: 20, maxLength: 120, size: 'max' },
  )
  .map((steps) => {
    const maker = new EnvelopeMaker()
    return steps.map(([author, name, words, action]) => {
      const [infoHash, title] = [hash(`${name}`), words.join(' ')]
      const event: Event =
        action === 0
          ? { kind: 'torrent.withdrawn', infoHash, title }
          : action === 1
            ? { kind: 'torrent.verified', infoHash, title }
            : { kind: 'torrent.published', infoHash, title, sizeBytes: 1 + name, fileCount: 1, tags: [] }
      return maker.make(node(author), event, 'index')
    })
  })

describe('the keyword index, killed', () => {
  it('at any moment, with segments half written and merged, comes to the same state', async () => {
    await fc.assert(
      fc.asyncProperty(
        histories,
        fc.array(fc.nat(), { maxLength: 4, size: 'max' }),
        fc.integer({ min: 3, max: 20 }),
        async (all, cuts, every) => {
          const store = openMemoryProjectionStore()
          const places = [...cuts.map((cut) => cut % all.length), all.length].sort((a, b) => a - b)
          let from = 0
          let last: KeywordIndexState | undefined
          for (const to of places) {
            const { log, add } = logOf(all.slice(0, from))
            const runner = runnerOver(log, store, every)
            await runner.open()
            for (const [at, envelope] of all.slice(from, to).entries()) {
              add(envelope)
              // What goes on in the background is cut off in its midst by the end of this life.
              if (at % 3 === 0) await Promise.resolve()
            }
            last = runner.state('keyword-index')
            from = to
          }
          const replayed = runnerOver(logOf(all).log, openMemoryProjectionStore(), 1000)
          await replayed.open()
          assert.ok(last)
          assert.deepEqual(answers(last), answers(replayed.state('keyword-index')))
          assert.equal(keywordIndexProjection(sha256Of).digest(last), replayed.digest('keyword-index'))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('finds its segments and what was in memory after a start on disk', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'p2pt-index-'))
    try {
      const owner = { author: node('me'), network: TEST_NETWORK }
      const maker = new EnvelopeMaker()
      const all = Array.from({ length: 300 }, (_, at) =>
        maker.make(
          node(`author ${at % 5}`),
          {
            kind: 'torrent.published',
            infoHash: hash(`${at}`),
            title: `common ${WORDS[at % 6]} ${at}`,
            sizeBytes: 1,
            fileCount: 1,
            tags: [],
          },
          'index',
        ),
      )
      let before: ReturnType<typeof answers>
      let digest: string
      {
        await using store = await openLevelProjectionStore({ directory, owner })
        const { log, add } = logOf(all.slice(0, 200))
        const runner = runnerOver(log, store, 20)
        await runner.open()
        for (const envelope of all.slice(200)) add(envelope)
        await runner.close()
        const state = runner.state('keyword-index')
        assert.ok(state.listings.segments.length > 0)
        before = answers(state)
        digest = runner.digest('keyword-index')
      }
      await using store = await openLevelProjectionStore({ directory, owner })
      const runner = runnerOver(logOf(all).log, store, 20)
      await runner.open()
      assert.deepEqual(answers(runner.state('keyword-index')), before)
      const again = await runner.rebuild('keyword-index')
      assert.deepEqual([again.digestBefore, again.digestAfter], [digest, digest])
      assert.deepEqual(answers(runner.state('keyword-index')), before)
      await runner.close()
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})
