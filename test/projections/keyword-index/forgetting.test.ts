import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Envelope, Event, NodeId } from '../../../src/events/index.ts'
import {
  type KeywordIndexState,
  partitionDigest,
  partitionOf,
  partitionStats,
  search,
  speakers,
  totalsOf,
} from '../../../src/projections/index.ts'
import { EnvelopeMaker, hash, node } from '../envelopes.ts'
import { fold, folded, mergeFrom, newTable, openOver, recounted, reopened, said, writeSegment } from './index-states.ts'

const [ada, bob, eve] = [node('ada'), node('bob'), node('eve')]
const WORDS = ['big', 'bunny', 'buck', '巨人']

const published = (title: string, name = title): Event => ({
  ...{ kind: 'torrent.published', infoHash: hash(name), title, sizeBytes: 1000, fileCount: 1, tags: [] },
})

/** All of it at once, or with something between the steps. */
function forget(state: KeywordIndexState, authors: readonly NodeId[], between = () => {}): void {
  for (const _ of fold.forget?.(state, new Set(authors)) ?? []) between()
}

const answers = (state: KeywordIndexState) => ({
  hits: ['big', 'bunny', 'b*', '巨'].map((query) =>
    search(state, query)
      .hits.map(({ evidence: _, ...hit }) => JSON.stringify(hit))
      .sort(),
  ),
  digests: WORDS.map((word) => partitionDigest(state, partitionOf(word))),
  events: WORDS.map((word) => partitionStats(state, partitionOf(word)).events),
  counts: [totalsOf(state).documents, totalsOf(state).postings],
  said: said(state),
})

describe('authors that the keyword index forgets', () => {
  const events: fc.Arbitrary<Event> = fc
    .tuple(fc.constantFrom('1', '2', '3'), fc.constantFrom('Big Bunny', 'Big Buck', 'Bunny', '巨人', ''), fc.nat(3))
    .map(([name, title, action]) =>
      action === 0
        ? { kind: 'torrent.withdrawn', infoHash: hash(name), title }
        : action === 1
          ? { kind: 'torrent.verified', infoHash: hash(name), title }
          : published(title, name),
    )
  const histories: fc.Arbitrary<readonly Envelope[]> = fc
    .array(fc.tuple(fc.constantFrom(ada, bob, eve), events, fc.integer({ min: 1, max: 6 })), { maxLength: 25, size: 'max' })
    .map((said) => {
      const maker = new EnvelopeMaker()
      return said.map(([by, event, lamport]) => maker.make(by, event, 'index', lamport))
    })

  it('leave it as a replay without their events, whatever was asked of it before and comes after', async () => {
    await fc.assert(
      fc.asyncProperty(
        histories,
        fc.subarray([ada, bob, eve]),
        fc.nat(),
        fc.boolean(),
        fc.constantFrom('written', 'opened', 'neither'),
        async (envelopes, gone, cut, weighed, between) => {
          const at = cut % (envelopes.length + 1)
          const [before, after] = [envelopes.slice(0, at), envelopes.slice(at).filter(({ author }) => !gone.includes(author))]
          let state = folded(before)
          if (between === 'written') {
            writeSegment(state)
            mergeFrom(state)
          }
          if (between === 'opened') state = await reopened(state)
          if (weighed) await recounted(state, (author) => (gone.includes(author) ? undefined : author))
          answers(state)
          forget(state, gone)
          const left = before.filter(({ author }) => !gone.includes(author))
          const replayed = folded(left)
          assert.deepEqual(answers(state), answers(replayed))
          assert.ok([...speakers(state)].every((author) => !gone.includes(author)))
          assert.deepEqual(answers(await reopened(state)), answers(replayed))
          folded(after, state)
          assert.deepEqual(answers(state), answers(folded([...left, ...after])))
        },
      ),
      { numRuns: 200 },
    )
  })

  it('are gone from the rows, and others keep their place and can come meanwhile', async () => {
    const maker = new EnvelopeMaker()
    const state = openOver(newTable())
    const say = (by: NodeId, event: Event) => fold.apply(state, maker.make(by, event, 'index'))
    for (let at = 0; at < 500; at++) say(eve, published(`cheap pills ${at}`))
    say(ada, published('Big Bunny'))
    say(eve, published('Bigger Bunny', 'Big Bunny'))
    assert.deepEqual(new Set(speakers(state)), new Set([ada, eve]))
    let steps = 0
    forget(state, [eve], () => {
      if (++steps === 100) say(bob, published('Big Pills'))
      if (steps === 300) say(bob, published('cheap pills 7'))
    })
    assert.ok(steps > 500, `${steps} steps`)
    for (const left of [state, await reopened(state)]) {
      const offers = [...left.documents.all()].filter((document) => document.offers.length > 0)
      assert.deepEqual(
        offers.map((document) => document.offers.map(({ author }) => author)),
        [[bob], [ada], [bob]],
      )
      assert.deepEqual(
        search(left, 'pills')
          .hits.map(({ title }) => title)
          .sort(),
        ['Big Pills', 'cheap pills 7'],
      )
    }
    assert.equal(state.parties.has(eve), false)
  })

  it('are in no digest of a partition from when they are revoked, so that owners are level whoever forgets first', async () => {
    const maker = new EnvelopeMaker()
    const events = [ada, eve].map((by) => maker.make(by, published('Big Bunny'), 'index'))
    const [early, late, never] = [folded(events), folded(events), folded(events.slice(0, 1))]
    const digest = (state: KeywordIndexState) => partitionDigest(state, partitionOf('bunny'))
    const [all, others] = [digest(late), digest(never)]
    assert.notEqual(all, others)
    for (const state of [early, late, never]) await recounted(state, (author) => (author === eve ? undefined : author))
    forget(early, [eve])
    assert.deepEqual([digest(early), digest(late), digest(never)], [others, others, others])
    // Let in anew before its time was over.
    await recounted(late, (author) => author)
    assert.equal(digest(late), all)
  })
})
