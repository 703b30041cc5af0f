import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Envelope, type Event, type NodeId, OPEN_PARTY } from '../../../src/events/index.ts'
import {
  cursorAfter,
  DOCUMENTS_PER_KEYWORD_MAX,
  documentFrequency,
  eventsOfPartition,
  HITS_MAX,
  type KeywordIndexState,
  keywordsOf,
  partitionDigest,
  partitionOf,
  partitionStats,
  type SearchOptions,
  search,
  totalsOf,
  weigh,
} from '../../../src/projections/index.ts'
import { SEEDERS_PROVEN_MAX } from '../../../src/projections/keyword-index/evidence.ts'
import { documentAt } from '../../../src/projections/keyword-index/index-state.ts'
import { parseQuery, titleFit, titlesMatch } from '../../../src/projections/keyword-index/text/index.ts'
import { EnvelopeMaker, hash, node, rearranged } from '../envelopes.ts'
import { fold, folded, mergeFrom, newTable, openOver, recounted, reopened, said, writeSegment } from './index-states.ts'

const [ada, bob, eve] = [node('ada'), node('bob'), node('eve')]

const published = (title: string, more: { name?: string; sizeBytes?: number; tags?: string[] } = {}): Event => ({
  ...{ kind: 'torrent.published', infoHash: hash(more.name ?? title), title },
  ...{ sizeBytes: more.sizeBytes ?? 1000, fileCount: 1, tags: more.tags ?? [] },
})
const verified = (title: string, name = title): Event => ({ kind: 'torrent.verified', infoHash: hash(name), title })
const withdrawn = (title: string, name = title): Event => ({ kind: 'torrent.withdrawn', infoHash: hash(name), title })

/** So many events are in memory alone before a segment is written of them. */
let segmentEvery = Number.POSITIVE_INFINITY

/** Now and then its segments are merged. */
class Shelf {
  readonly maker = new EnvelopeMaker()
  readonly state: KeywordIndexState = openOver(newTable())
  #events = 0
  says(author: NodeId, ...events: Event[]): this {
    for (const event of events) this.hears(this.maker.make(author, event, 'index'))
    return this
  }
  hears(envelope: Envelope): void {
    fold.apply(this.state, envelope)
    this.#events += 1
    // Fewer of them in a long history, which would be merged over and over.
    const every = this.#events < 200 ? segmentEvery : 400 * segmentEvery
    if (this.#events % every === 0) writeSegment(this.state)
    if (this.#events % (5 * every) === 0) mergeFrom(this.state, this.#events % 3 === 0 ? 1 : 0)
  }
  /** Seeded by so many others. */
  seeded(title: string, count: number): this {
    for (let index = 0; index < count; index++) this.says(node(`seeder ${index}`), verified(title))
    return this
  }
  titles(query: string, options?: SearchOptions): string[] {
    return search(this.state, query, options).hits.map(({ title }) => title)
  }
}

describe('keyword index, in memory', () => keywordIndex(Number.POSITIVE_INFINITY))
describe('keyword index, in segments', () => keywordIndex(3))

function keywordIndex(every: number): void {
  before(() => {
    segmentEvery = every
  })

  it('finds a published torrent by any of its words, with what was published', () => {
    const shelf = new Shelf().says(ada, published('Big Buck Bunny', { sizeBytes: 700, tags: ['film'] }))
    const [hit] = search(shelf.state, 'bunny').hits
    assert.deepEqual(hit, {
      ...{ infoHash: hash('Big Buck Bunny'), title: 'Big Buck Bunny', sizeBytes: 700, fileCount: 1, tags: ['film'] },
      ...{ seeders: 1, verified: false, publisher: ada, publishedAt: 1_700_000_001_000, evidence: [1] },
      lastSeenAt: 1_700_000_001_000,
    })
    assert.deepEqual([shelf.titles('big bunny').length, shelf.titles('big fish').length], [1, 0])
  })

  it('counts as seeders the distinct authors whose last word is that they hold it', () => {
    const shelf = new Shelf().says(ada, published('Film'), published('Film')).says(bob, verified('Film'), verified('Film'))
    assert.deepEqual(
      search(shelf.state, 'film').hits.map(({ seeders, verified }) => [seeders, verified]),
      [[2, true]],
    )
    shelf.says(bob, withdrawn('Film'))
    assert.deepEqual(
      search(shelf.state, 'film').hits.map(({ seeders, verified }) => [seeders, verified]),
      [[1, false]],
    )
  })

  it('shows a torrent as long as somebody holds it, and not longer', () => {
    const shelf = new Shelf().says(ada, published('Film')).says(bob, verified('Film')).says(ada, withdrawn('Film'))
    assert.deepEqual(shelf.titles('film'), ['Film'])
    shelf.says(bob, withdrawn('Film'))
    assert.deepEqual(shelf.titles('film'), [])
    assert.deepEqual([totalsOf(shelf.state).documents, totalsOf(shelf.state).postings], [0, 0])
    shelf.says(ada, published('Film'))
    assert.deepEqual([shelf.titles('film'), totalsOf(shelf.state).documents], [['Film'], 1])
  })

  it('folds several publishers of one info hash into one torrent, as the one described it that came first', () => {
    const shelf = new Shelf().says(ada, published('Real Film', { name: 'x' }))
    shelf.says(bob, published('Other Film', { name: 'x' })).says(eve, published('Other Film', { name: 'x' }))
    assert.deepEqual(shelf.titles('film'), ['Real Film'])
    assert.equal(search(shelf.state, 'film').hits[0]?.publisher, ada)
    assert.equal(shelf.state.documents.count, 1)
  })

  describe('among rival descriptions', () => {
    const real = (more: { sizeBytes?: number } = {}) => published('Real Film', { name: 'x', ...more })
    const pills = published('Cheap Film', { name: 'x', sizeBytes: 1, tags: ['free'] })
    const shown = ({ state }: Shelf) => search(state, 'film').hits.map(({ title, sizeBytes }) => `${title} ${sizeBytes}`)
    /** Invitations of those who have one. */
    const invited = (shelf: Shelf, of: (author: NodeId) => string | undefined) => weigh(shelf.state, of)
    const seeders = Array.from({ length: 400 }, (_, at) => node(`seeder ${at}`))

    it('takes nothing from a stamp that says it was first', () => {
      const shelf = new Shelf().says(ada, published('Something Else')).says(ada, real({ sizeBytes: 7 }))
      shelf.hears(shelf.maker.make(eve, pills, 'index', 1))
      assert.deepEqual(shown(shelf), ['Real Film 7'])
      // Nor does a publisher lose its place by saying it anew.
      shelf.says(ada, published('Real Film Again', { name: 'x' }))
      assert.deepEqual(shown(shelf), ['Real Film Again 1000'])
    })

    it('takes another title only from more invitations than hold the present one, whatever the number of keys', () => {
      const shelf = new Shelf().says(ada, real())
      for (const seeder of seeders.slice(0, 50)) shelf.says(seeder, pills, verified('Cheap Film', 'x'))
      invited(shelf, (author) => (author === ada || author === bob ? author.slice(0, 8) : 'one invitation'))
      assert.deepEqual(shown(shelf), ['Real Film 1000'])
      invited(shelf, (author) => (author === ada ? 'ada' : author === seeders[0] ? 'second' : 'first'))
      assert.deepEqual(shown(shelf), ['Cheap Film 1'])
      shelf.says(bob, verified('Real Film', 'x'))
      invited(shelf, (author) => (author === ada ? 'ada' : author === bob ? 'bob' : author === seeders[0] ? 'second' : 'first'))
      assert.deepEqual(shown(shelf), ['Real Film 1000'])
    })

    it('counts those who have checked it, and not those who say they published it', () => {
      const shelf = new Shelf().says(eve, pills).says(ada, real())
      for (const seeder of seeders) shelf.says(seeder, verified('Real Film', 'x'))
      shelf.says(bob, pills).says(node('mallory'), pills)
      assert.deepEqual(shown(shelf), ['Real Film 1000'])
      assert.equal(search(shelf.state, 'film').hits[0]?.publisher, ada)
    })

    it('counts invited parties before keys that nobody invited', () => {
      const shelf = new Shelf().says(ada, real()).says(bob, pills)
      for (const seeder of seeders) shelf.says(seeder, verified('Cheap Film', 'x'))
      invited(shelf, (author) => (author === ada ? 'invitation' : OPEN_PARTY))
      assert.deepEqual(shown(shelf), ['Real Film 1000'])
    })
  })

  describe('of those whose admission was taken back', () => {
    it('counts neither publications nor seeders, at once and after a restart', async () => {
      const shelf = new Shelf().says(ada, published('Film A')).says(eve, published('Film E'), verified('Film A'))
      shelf.says(bob, verified('Film E'))
      const revoked = (author: NodeId) => (author === eve ? undefined : author)
      const hits = (state: KeywordIndexState) => search(state, 'film').hits.map(({ title, seeders }) => `${title} ${seeders}`)
      assert.deepEqual(hits(shelf.state).sort(), ['Film A 2', 'Film E 2'])
      const before = said(shelf.state)
      await recounted(shelf.state, revoked)
      assert.deepEqual(hits(shelf.state), ['Film A 1'])
      assert.deepEqual(shelf.titles('e'), [])
      assert.equal(totalsOf(shelf.state).documents, 1)
      assert.equal(said(shelf.state), before, 'the rows tell what was said, whoever said it')
      const loaded = await reopened(shelf.state)
      weigh(loaded, revoked)
      assert.deepEqual(hits(loaded), ['Film A 1'])
      // What comes of it later counts no more.
      shelf.says(eve, published('Film F'))
      assert.deepEqual(hits(shelf.state), ['Film A 1'])
      weigh(shelf.state, (author) => author)
      assert.deepEqual(hits(shelf.state).sort(), ['Film A 2', 'Film E 2', 'Film F 1'])
    })
  })

  describe('under one word', () => {
    const flooded = (count: number, keys: number) => {
      const shelf = new Shelf()
      for (let at = 0; at < 10; at++) shelf.says(ada, published(`constellations ${at} honest`))
      for (let at = 0; at < count; at++) shelf.says(node(`spammer ${at % keys}`), published(`constellations ${at}`))
      weigh(shelf.state, (author) => (author === ada ? 'ada' : 'spammers'))
      return shelf
    }

    it('leaves others their places, with more titles of one invitation than are ever looked at', () => {
      const shelf = flooded(DOCUMENTS_PER_KEYWORD_MAX + 100, 3)
      for (const query of ['constellations', 'constellations | nothing', 'const*', 'constellations size:>1']) {
        const titles = shelf.titles(query)
        assert.equal(titles.filter((title) => title.endsWith('honest')).length, 10, query)
        assert.equal(titles.slice(0, 10).filter((title) => title.endsWith('honest')).length, 5, query)
      }
    })

    it('leaves them to those of the same invitation too, and to strangers', () => {
      for (const party of ['guests', OPEN_PARTY]) {
        const shelf = flooded(100, 1)
        weigh(shelf.state, () => party)
        const isHonest = shelf.titles('constellations', { limit: 20 }).map((title) => title.endsWith('honest'))
        assert.deepEqual(
          [isHonest.slice(0, 10), isHonest].map((all) => all.filter((is) => is).length),
          [5, 10],
          party,
        )
      }
    })

    it('shows nothing of those whose admission is not known here, until it is', () => {
      const shelf = flooded(5, 5)
      weigh(shelf.state, (author) => (author === ada ? 'ada' : undefined))
      assert.equal(shelf.titles('constellations').length, 10)
      weigh(shelf.state, () => 'guests')
      assert.equal(shelf.titles('constellations').length, 15)
    })

    it('gives the same places at every owner, and every torrent once over all pages', async () => {
      const [one, two] = [flooded(300, 50), flooded(300, 50)]
      const loaded = await reopened(two.state)
      weigh(loaded, (author) => (author === ada ? 'ada' : 'spammers'))
      const seen: string[] = []
      for (let cursor = '', page = 0; page < 100; page++) {
        const reply = search(one.state, 'constellations', { cursor })
        assert.deepEqual(search(loaded, 'constellations', { cursor }), reply)
        seen.push(...reply.hits.map(({ infoHash }) => infoHash))
        cursor = reply.cursor
        if (cursor === '') break
      }
      assert.deepEqual([seen.length, new Set(seen).size], [310, 310])
    })

    it('puts what many invitations hold before what many keys of one hold', () => {
      const shelf = new Shelf().says(eve, published('Film E')).says(ada, published('Film A'))
      for (let at = 0; at < 50; at++) shelf.says(node(`eve ${at}`), verified('Film E'))
      for (const other of [bob, node('carol')]) shelf.says(other, verified('Film A'))
      weigh(shelf.state, (author) => ([ada, bob, node('carol')].includes(author) ? `i ${author}` : 'eve'))
      assert.deepEqual(
        [documentAt(shelf.state, 0), documentAt(shelf.state, 1)].map((one) => [one?.seeders, one?.backers]),
        [
          [51, 1],
          [3, 3],
        ],
      )
      assert.deepEqual(shelf.titles('film', { limit: 1 }), ['Film A'])
    })
  })

  it('takes a new title in place of the old one', () => {
    const shelf = new Shelf().says(ada, published('Old Name', { name: 'x' }), published('New Name', { name: 'x' }))
    assert.deepEqual([shelf.titles('old'), shelf.titles('new')], [[], ['New Name']])
  })

  it('reads nothing that is not in the index stream', () => {
    const shelf = new Shelf()
    shelf.hears(shelf.maker.make(eve, published('Film'), 'gossip'))
    assert.equal(shelf.state.documents.count, 0)
  })

  describe('search', () => {
    const shelf = new Shelf()
    shelf.says(
      ada,
      published('Big Buck Bunny 1080p', { sizeBytes: 2e9, tags: ['Film'] }),
      published('Buck Rogers S01E05', { sizeBytes: 3e8, tags: ['series'] }),
      published('Bunny Hop', { sizeBytes: 5e6, tags: ['music'] }),
      published('进击的巨人'),
      published("Don't Look Up"),
    )
    shelf.seeded('Bunny Hop', 6)
    const TABLE: readonly [query: string, titles: string[]][] = [
      ['buck bunny', ['Big Buck Bunny 1080p']],
      ['buck', ['Buck Rogers S01E05', 'Big Buck Bunny 1080p']],
      ['"big buck"', ['Big Buck Bunny 1080p']],
      ['"buck big"', []],
      ['bunny -hop', ['Big Buck Bunny 1080p']],
      ['bunny !big', ['Bunny Hop']],
      ['rogers | hop', ['Buck Rogers S01E05', 'Bunny Hop']],
      ['bun*', ['Bunny Hop', 'Big Buck Bunny 1080p']],
      ['1x05', ['Buck Rogers S01E05']],
      ['bunny size:>1GB', ['Big Buck Bunny 1080p']],
      ['bunny seeders:>5', ['Bunny Hop']],
      ['bunny category:film', ['Big Buck Bunny 1080p']],
      ['tag:series', ['Buck Rogers S01E05']],
      ['巨人', ['进击的巨人']],
      ['巨', ['进击的巨人']],
      ['人', ['进击的巨人']],
      ['dont look', ["Don't Look Up"]],
      ["don't", ["Don't Look Up"]],
      ['-bunny', []],
      ['', []],
      ['nothing', []],
    ]
    for (const [query, titles] of TABLE) {
      it(`of ${JSON.stringify(query)} finds ${titles.length === 0 ? 'nothing' : titles.join(', ')}`, () => {
        assert.deepEqual(shelf.titles(query).sort(), [...titles].sort())
      })
    }

    it('puts the title that fits best first, then the better seeded', () => {
      const shelf = new Shelf().says(ada, published('The Sintel Collection'), published('Sintel'), published('Sintel Extras'))
      shelf.says(ada, published('Sintel Again')).seeded('Sintel Again', 30)
      assert.deepEqual(shelf.titles('sintel'), ['Sintel', 'Sintel Again', 'Sintel Extras', 'The Sintel Collection'])
    })

    it('puts checked torrents a little earlier', () => {
      const shelf = new Shelf()
      shelf.says(ada, published('Film A')).says(bob, published('Film B')).says(eve, published('Film C'), verified('Film C'))
      assert.equal(shelf.titles('film')[0], 'Film C')
    })

    it('gives 20 unless told otherwise, a cursor for the next, and says when there is more', () => {
      const shelf = new Shelf()
      for (let index = 0; index < 250; index++) shelf.says(ada, published(`Common Film ${index}`))
      const seen: string[] = []
      let cursor = ''
      let pages = 0
      do {
        const reply = search(shelf.state, 'common', { cursor })
        assert.ok(reply.hits.length <= 20)
        assert.equal(reply.truncated, reply.cursor !== '')
        seen.push(...reply.hits.map(({ title }) => title))
        cursor = reply.cursor
        pages += 1
      } while (cursor !== '')
      assert.deepEqual([pages, seen.length, new Set(seen).size], [13, 250, 250])
      assert.equal(search(shelf.state, 'common', { cursor: 'garbage', limit: -3 }).hits.length, 1)
      const rest = search(shelf.state, 'common', { cursor: cursorAfter('100', 7), limit: 200 })
      assert.deepEqual(
        rest.hits.map(({ title }) => title),
        seen.slice(107),
      )
    })

    it('gives 1,000 at most, and the cursor ends where nothing is looked at any more', () => {
      const shelf = new Shelf()
      const count = DOCUMENTS_PER_KEYWORD_MAX + 50
      for (let index = 0; index < count; index++) shelf.says(ada, published(`Common Film ${index}`))
      const first = search(shelf.state, 'common', { limit: HITS_MAX + 1 })
      assert.deepEqual([first.hits.length, first.truncated, first.cursor], [HITS_MAX, true, '1000'])
      const last = search(shelf.state, 'common', { limit: HITS_MAX, cursor: '9000' })
      assert.deepEqual([last.hits.length, last.truncated, last.cursor], [HITS_MAX, true, ''])
    })

    it('stands for the commonest words behind a prefix, and says that there are more', () => {
      const shelf = new Shelf()
      for (let index = 0; index < 300; index++) shelf.says(ada, published(`word${index}`))
      shelf.says(ada, published('Common Wordy'), published('Other Wordy'))
      const reply = search(shelf.state, 'word*')
      assert.equal(reply.truncated, true)
      const all: string[] = []
      for (let cursor = ''; ; ) {
        const page = search(shelf.state, 'word*', { cursor })
        all.push(...page.hits.map(({ title }) => title))
        cursor = page.cursor
        if (cursor === '') break
      }
      assert.ok(all.includes('Common Wordy') && all.includes('Other Wordy'))
      assert.deepEqual(shelf.titles('common word*'), ['Common Wordy'])
    })

    it('finds what a scan over all titles finds, after any history', () => {
      const words = ['red', 'green', 'blue', 'grey']
      const title = fc
        .array(fc.constantFrom(...words), { minLength: 1, maxLength: 3, size: 'max' })
        .map((list) => list.join(' '))
      const step = fc.tuple(fc.constantFrom(ada, bob), fc.constantFrom('1', '2', '3'), title, fc.nat(3))
      fc.assert(
        fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
          const shelf = new Shelf()
          for (const [author, name, title, action] of steps) {
            shelf.says(
              author,
              action === 0 ? withdrawn(title, name) : action === 1 ? verified(title, name) : published(title, { name }),
            )
            // Asked in between, so that lists are put in order and then change again.
            shelf.titles('red')
          }
          let postings = 0
          const documents = [...shelf.state.documents.all()].flatMap(({ ordinal }) => documentAt(shelf.state, ordinal) ?? [])
          for (const word of words) {
            const scanned = documents.filter(({ seeders, keywords }) => seeders > 0 && keywords.includes(word))
            assert.deepEqual(
              search(shelf.state, word)
                .hits.map(({ infoHash }) => infoHash)
                .sort(),
              scanned.map(({ infoHash }) => infoHash).sort(),
            )
            // Listings that no longer hold are counted until their segment is merged.
            assert.ok(documentFrequency(shelf.state, word) >= scanned.length)
            postings += scanned.length
          }
          const totals = totalsOf(shelf.state)
          assert.deepEqual(
            [totals.postings, totals.documents],
            [postings, documents.filter(({ seeders, description }) => seeders > 0 && description !== undefined).length],
          )
        }),
        { numRuns: 100 },
      )
    })

    it('never throws, whatever is asked', () => {
      const unit = fc.constantFrom(...'bucny "|-!*:><=.’人', 'size:', 'tag:', 'bunny')
      fc.assert(
        fc.property(fc.string({ unit, maxLength: 60, size: 'max' }), fc.string(), (query, cursor) => {
          assert.ok(search(shelf.state, query, { cursor }).hits.length <= 20)
        }),
        { numRuns: 300 },
      )
    })
  })

  describe('partitions', () => {
    const partition = (word: string): number => partitionOf(word)
    const names = (state: KeywordIndexState, word: string): string[] =>
      [...eventsOfPartition(state, partition(word))]
        .flat()
        .map(({ author, authorSeq }) => `${author}/${authorSeq}`)
        .sort()

    it('hold, of each author and torrent, the last description and the last word', () => {
      const shelf = new Shelf().says(ada, published('Film'), published('Film'), verified('Film')).says(bob, verified('Film'))
      assert.deepEqual(names(shelf.state, 'film'), [`${ada}/2`, `${ada}/3`, `${bob}/1`].sort())
      assert.deepEqual(partitionStats(shelf.state, partition('film')), { partition: partition('film'), torrents: 1, events: 3 })
    })

    it('keep a withdrawal, so that no repair brings the torrent back', () => {
      const shelf = new Shelf().says(ada, published('Film'), withdrawn('Film'))
      assert.deepEqual(names(shelf.state, 'film'), [`${ada}/1`, `${ada}/2`])
    })

    it('have equal digests for equal sets, and other ones after a change', () => {
      const [one, two] = [new Shelf(), new Shelf()]
      const digest = ({ state }: Shelf) => partitionDigest(state, partition('film'))
      const empty = digest(one)
      one.says(ada, published('Film')).says(bob, published('Film Two'))
      two.says(bob, published('Film Two'))
      assert.notEqual(digest(one), digest(two))
      two.says(ada, published('Film'))
      assert.equal(digest(one), digest(two))
      assert.notEqual(digest(one), empty)
      one.says(ada, withdrawn('Film'))
      assert.notEqual(digest(one), digest(two))
    })

    it('bring two owners level by exchanging what the other lacks, however their pasts differ', () => {
      const maker = new EnvelopeMaker()
      const titles = ['red one', 'red two', 'blue', 'red blue'] as const
      const history = fc.array(
        fc.tuple(
          fc.constantFrom(ada, bob),
          fc.constantFrom('1', '2'),
          fc.constantFrom(...titles),
          fc.nat(2),
          fc.boolean(),
          fc.boolean(),
        ),
        { maxLength: 20, size: 'max' },
      )
      fc.assert(
        fc.property(history, (list) => {
          const said = list.map(([author, name, title, action, here, there]) => ({
            envelope: maker.make(
              author,
              action === 0 ? withdrawn(title, name) : action === 1 ? verified(title, name) : published(title, { name }),
              'index',
            ),
            here,
            there,
          }))
          const logs = [said.filter(({ here }) => here), said.filter(({ there }) => there)].map((part) =>
            part.map(({ envelope }) => envelope),
          )
          const name = ({ author, authorSeq }: { author: NodeId; authorSeq: number }) => `${author}/${authorSeq}`
          for (let round = 0; round < 3; round++) {
            const states = logs.map((log) => folded(log))
            logs.forEach((log, index) => {
              const other = 1 - index
              const held = new Set(log.map(name))
              const offered = new Set(names(states[other] as KeywordIndexState, 'red'))
              for (const envelope of logs[other] ?? []) {
                if (offered.has(name(envelope)) && !held.has(name(envelope))) log.push(envelope)
              }
            })
          }
          const [one, two] = logs.map((log) => partitionDigest(folded(log), partition('red')))
          assert.equal(one, two)
        }),
        { numRuns: 150 },
      )
    })

    it('list beside the last word the last event with a title of theirs', () => {
      const shelf = new Shelf().says(ada, published('Old Name', { name: 'x' }), published('New', { name: 'x' }))
      for (const word of keywordsOf('Old Name')) assert.deepEqual(names(shelf.state, word), [`${ada}/1`, `${ada}/2`])
      assert.deepEqual(names(shelf.state, 'new'), [`${ada}/2`])
    })
  })

  describe('laws', () => {
    const authors = [ada, bob, eve] as const
    const title = fc.constantFrom('Big Bunny', 'Big Buck', 'Bunny', '巨人', '')
    const events: fc.Arbitrary<Event> = fc
      .tuple(fc.constantFrom('1', '2'), title, fc.nat(3))
      .map(([name, title, action]) =>
        action === 0 ? withdrawn(title, name) : action === 1 ? verified(title, name) : published(title, { name }),
      )
    const histories: fc.Arbitrary<readonly Envelope[]> = fc
      .array(fc.tuple(fc.constantFrom(...authors), events, fc.integer({ min: 1, max: 6 })), { maxLength: 25, size: 'max' })
      .map((said) => {
        const maker = new EnvelopeMaker()
        return said.map(([by, event, lamport]) => maker.make(by, event, 'index', lamport))
      })
    it('answers and lists partitions the same for every order of arrival, and after it was opened again', async () => {
      // Of rivals each owner shows the one that came to it first.
      const withoutRivals = histories.map((envelopes) =>
        envelopes.filter(
          ({ author, event }) => event.kind !== 'torrent.published' || author === (event.infoHash === hash('1') ? ada : bob),
        ),
      )
      const shuffled = withoutRivals.chain((envelopes) =>
        fc.tuple(
          fc.constant(envelopes),
          fc.shuffledSubarray(
            envelopes.map((_, index) => index),
            { minLength: envelopes.length, maxLength: envelopes.length },
          ),
        ),
      )
      const answers = (state: KeywordIndexState) => ({
        hits: ['big', 'bunny', 'b*', '巨'].map((query) => search(state, query).hits.map(({ evidence: _, ...hit }) => hit)),
        digests: ['big', 'bunny', 'buck', '巨人'].map((word) => partitionDigest(state, partitionOf(word))),
        counts: [totalsOf(state).documents, totalsOf(state).postings],
        said: said(state),
      })
      await fc.assert(
        fc.asyncProperty(shuffled, async ([envelopes, order]) => {
          const sent = folded(envelopes)
          const arrived = folded(rearranged(envelopes, order))
          assert.deepEqual(answers(arrived), answers(sent))
          assert.deepEqual(answers(await reopened(arrived)), answers(sent))
        }),
        { numRuns: 150 },
      )
    })
  })

  it('proves three other seeders and the titles of three others, and no more', () => {
    const shelf = new Shelf().says(ada, published('Film')).seeded('Film', SEEDERS_PROVEN_MAX + 2)
    assert.equal(search(shelf.state, 'film').hits[0]?.evidence.length, 1 + SEEDERS_PROVEN_MAX)
    assert.equal(SEEDERS_PROVEN_MAX, 3)
    const words = Array.from({ length: 8 }, (_, index) => `word${index}`)
    const many = new Shelf().says(ada, published('Film', { name: 'x' }))
    for (const word of words) {
      const title = `Film ${word}`
      many.says(node(word), published(title, { name: 'x' })).says(node(`seeder of ${word}`), verified(title, 'x'))
    }
    assert.equal(search(many.state, words.join(' ')).hits[0]?.evidence.length, 1 + 3 + 3)
  })

  it('proves no hit by titles that have what was excluded', () => {
    assert.equal(titlesMatch(parseQuery('film -trailer'), ['The Film'], hash('x')), true)
    assert.equal(titlesMatch(parseQuery('film -trailer'), ['The Film Trailer'], hash('x')), false)
    assert.equal(titlesMatch(parseQuery('"the film"'), ['Film, the'], hash('x')), false)
  })

  it('gives no more for a word that is asked for twice', () => {
    assert.equal(titleFit('ubuntu desktop', parseQuery('ubuntu ubuntu ubuntu')), 700)
    assert.equal(titleFit('ubuntu desktop', parseQuery('ubuntu desktop')), 1000)
  })

  it('says that more follows where it does: not on a page that holds the last hit', () => {
    const shelf = new Shelf()
    for (const name of ['one', 'two', 'three']) shelf.says(node(name), published(`Film ${name}`))
    const whole = search(shelf.state, 'film', { limit: 3 })
    assert.deepEqual([whole.hits.length, whole.truncated, whole.cursor], [3, false, ''])
    const part = search(shelf.state, 'film', { limit: 2 })
    assert.deepEqual([part.hits.length, part.truncated, part.cursor], [2, true, '2'])
  })

  it('takes no cursor past what is ever listed', () => {
    assert.equal(cursorAfter(String(DOCUMENTS_PER_KEYWORD_MAX * 9), 5), String(DOCUMENTS_PER_KEYWORD_MAX + 5))
    for (const cursor of ['-1', '1.5', 'x', '', '1e999']) assert.equal(cursorAfter(cursor, 5), '5', cursor)
  })

  it('goes through 200 words of a prefix and says that there are more', () => {
    const shelf = new Shelf()
    const title = (from: number) => Array.from({ length: 40 }, (_, index) => `pre${1000 + from + index}`).join(' ')
    for (const from of [0, 40, 80, 120, 160]) shelf.says(ada, published(title(from)))
    assert.equal(search(shelf.state, 'pre*').truncated, false)
    shelf.says(ada, published('pre9999'))
    // Each segment has fewer of them.
    assert.equal(search(shelf.state, 'pre*').truncated, !Number.isFinite(every))
  })
}
