import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Envelope, Event, NodeId } from '../../../src/events/index.ts'
import {
  documentFrequency,
  type KeywordIndexState,
  keywordIndexProjection,
  partitionDigest,
  partitionOf,
  partitionStats,
  search,
  speakers,
  weigh,
} from '../../../src/projections/index.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { EnvelopeMaker, foldAll, hash, node, rowsOf, stored } from '../envelopes.ts'

const [ada, bob, eve] = [node('ada'), node('bob'), node('eve')]
const WORDS = ['big', 'bunny', 'buck', '巨人']
const fold = keywordIndexProjection()

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
  digests: WORDS.map((word) => partitionDigest(state, partitionOf(word), newSha256)),
  stats: partitionStats(state, WORDS.map(partitionOf)),
  counts: [state.documents.size, state.visibleCount, state.postingCount, state.words.size],
  words: WORDS.map((word) => documentFrequency(state, word)),
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
    .array(fc.tuple(fc.constantFrom(ada, bob, eve), events, fc.integer({ min: 1, max: 6 })), { maxLength: 25 })
    .map((said) => {
      const maker = new EnvelopeMaker()
      return said.map(([by, event, lamport]) => maker.make(by, event, 'index', lamport))
    })

  it('leave it as a replay without their events, whatever was asked of it before and comes after', () => {
    fc.assert(
      fc.property(histories, fc.subarray([ada, bob, eve]), fc.nat(), fc.boolean(), (envelopes, gone, cut, weighed) => {
        const at = cut % (envelopes.length + 1)
        const [before, after] = [envelopes.slice(0, at), envelopes.slice(at).filter(({ author }) => !gone.includes(author))]
        const state = foldAll(fold, before)
        const rows = stored([], fold.changes(state))
        if (weighed) weigh(state, (author) => (gone.includes(author) ? undefined : author))
        answers(state)
        forget(state, gone)
        const left = before.filter(({ author }) => !gone.includes(author))
        const replayed = foldAll(fold, left)
        assert.deepEqual(rowsOf(fold, state), rowsOf(fold, replayed))
        assert.deepEqual(answers(state), answers(replayed))
        assert.deepEqual(stored(rows, fold.changes(state)), rowsOf(fold, replayed))
        assert.ok([...speakers(state)].every((author) => !gone.includes(author)))
        assert.deepEqual(rowsOf(fold, foldAll(fold, after, state)), rowsOf(fold, foldAll(fold, [...left, ...after])))
        assert.deepEqual(answers(state), answers(foldAll(fold, [...left, ...after])))
      }),
      { numRuns: 300 },
    )
  })

  it('are gone from the memory, and others keep their place and can come meanwhile', () => {
    const maker = new EnvelopeMaker()
    const state = fold.initial()
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
    const offers = [...state.documents.values()].map((document) => document.offers.map(({ author }) => author))
    assert.deepEqual(offers, [[ada], [bob], [bob]])
    assert.deepEqual([...state.words.keys()].sort(), ['7', 'big', 'bunny', 'cheap', 'pills'])
    assert.ok([...state.words.values()].every(({ ordinals, documentCount }) => ordinals.length === documentCount))
    assert.deepEqual(
      search(state, 'pills')
        .hits.map(({ title }) => title)
        .sort(),
      ['Big Pills', 'cheap pills 7'],
    )
    assert.equal(state.parties.has(eve), false)
  })

  it('are in no digest of a partition from when they are revoked, so that owners are level whoever forgets first', () => {
    const maker = new EnvelopeMaker()
    const events = [ada, eve].map((by) => maker.make(by, published('Big Bunny'), 'index'))
    const [early, late, never] = [foldAll(fold, events), foldAll(fold, events), foldAll(fold, events.slice(0, 1))]
    const digest = (state: KeywordIndexState) => partitionDigest(state, partitionOf('bunny'), newSha256)
    const [all, others] = [digest(late), digest(never)]
    assert.notEqual(all, others)
    for (const state of [early, late, never]) weigh(state, (author) => (author === eve ? undefined : author))
    forget(early, [eve])
    assert.deepEqual([digest(early), digest(late), digest(never)], [others, others, others])
    // Let in anew before its time was over.
    weigh(late, (author) => author)
    assert.equal(digest(late), all)
  })

  it('leave nothing where their document was, nor where it was listed, and touch no other', () => {
    const maker = new EnvelopeMaker()
    const said: readonly [NodeId, Event][] = [
      [ada, published('Big Bunny')],
      [ada, published('Buck')],
      [eve, published('Buck')],
      [eve, published('巨人')],
      [bob, { kind: 'torrent.verified', infoHash: hash('Buck'), title: 'only bob' }],
    ]
    const state = foldAll(
      fold,
      said.map(([by, event]) => maker.make(by, event, 'index')),
    )
    fold.changes(state)
    for (const word of [...WORDS, 'only']) partitionDigest(state, partitionOf(word), newSha256)
    assert.equal(state.lamportMax, 4)
    forget(state, [eve])
    assert.deepEqual(state.byOrdinal[2], {
      ...{ ordinal: -1, infoHash: '', offers: [], description: undefined },
      ...{ seeders: 0, backers: 0, party: '', verified: false, words: [] },
    })
    assert.deepEqual([state.partitions[partitionOf('巨人')], state.partitions[partitionOf('buck')]], [undefined, [1]])
    assert.equal(state.lamportMax, 2, 'the stamp of the last description that is left')
    assert.deepEqual(
      fold.changes(state).filter(([key]) => key.includes(hash('Big Bunny'))),
      [],
    )
    // Only what they were in is counted anew.
    const known = ['big', 'only', 'buck'].map((word) => state.partitionDigests[partitionOf(word)] !== undefined)
    assert.deepEqual(known, [true, true, false])
  })
})
