import assert from 'node:assert/strict'
import type { Event, Lamport, Millis, NodeId } from '../../../src/events/index.ts'
import { type KeywordIndexState, search } from '../../../src/projections/index.ts'
import { EnvelopeMaker, hash, node } from '../envelopes.ts'
import { fold, mergeFrom, newTable, openOver, writeSegment } from './index-states.ts'

// Attacks on what a search shows, each by keys that a network has let in. Index nodes and their answers: test/roles/index-node.

const NOW = Date.parse('2026-11-28')

class Index {
  readonly state: KeywordIndexState = openOver(newTable())
  readonly #maker = new EnvelopeMaker()

  says(author: NodeId, event: Event, { lamport, at }: { lamport?: number; at?: string } = {}): this {
    const envelope = this.#maker.make(author, event, 'index', lamport)
    fold.apply(
      this.state,
      at === undefined ? envelope : { ...envelope, at: Date.parse(at) as Millis, lamport: (lamport ?? 1) as Lamport },
    )
    return this
  }

  titles = (query: string): string[] => this.hits(query).map(({ title }) => title)
  hits = (query: string) => search(this.state, query, { now: NOW }).hits
}

const publish = (title: string, more: { infoHash?: string; sizeBytes?: number } = {}): Event => ({
  ...{ kind: 'torrent.published', infoHash: hash(more.infoHash ?? title), title },
  ...{ sizeBytes: more.sizeBytes ?? 700_000_000, fileCount: 1, tags: [] },
})
const verify = (infoHash: string, title: string): Event => ({ kind: 'torrent.verified', infoHash: hash(infoHash), title })
const others = (count: number): NodeId[] => Array.from({ length: count }, (_, at) => node(`other ${at}`))
const [A, Y, Z] = [node('A'), node('Y'), node('Z')]

/** The same in memory and in segments, merged. */
function both(what: string, check: (settle: (index: Index) => void) => void): void {
  it(what, () => check(() => {}))
  it(`${what}, in segments`, () =>
    check(({ state }) => {
      writeSegment(state)
      mergeFrom(state)
    }))
}

describe('a search among strangers', () => {
  both('puts a stamp far ahead last among equals, and shows no date that is yet to come', (settle) => {
    const index = new Index()
    for (const [at, author] of others(30).entries()) index.says(author, publish(`Winter Bird ${at}`))
    index.says(Z, publish('Winter Bird 99'), { lamport: 1_000_000, at: '2099-12-03' })
    settle(index)
    const hits = search(index.state, 'winter bird', { now: NOW, limit: 40 }).hits
    assert.deepEqual([hits.length, hits.at(-1)?.title, hits.at(-1)?.publishedAt], [31, 'Winter Bird 99', 0])
    assert.ok(hits.every(({ publishedAt }) => publishedAt <= NOW))
    // Ten minutes are what clocks may differ by.
    const near = new Index().says(A, publish('Near'), { at: new Date(NOW + 600_000).toISOString() })
    near.says(A, publish('Nearer far'), { at: new Date(NOW + 600_001).toISOString() })
    settle(near)
    assert.deepEqual([near.hits('near')[0]?.publishedAt, near.hits('nearer')[0]?.publishedAt], [NOW + 600_000, 0])
  })

  both('shows two torrents of one title, however it is written, before those of other titles, and drops none', (settle) => {
    const index = new Index()
    const forms = ['Winter Bird 720p', 'winter.bird.720p', 'WINTER_BIRD_720P', 'Winter  Bird [720p]']
    for (const [at, author] of others(24).entries()) {
      const copy = `copy ${at}`
      index.says(author, publish(forms[at % 4] as string, { infoHash: copy }))
      // Each has more seeders than what follows.
      index.says(node(`friend ${at}`), verify(copy, forms[at % 4] as string))
    }
    for (let at = 0; at < 20; at++) index.says(node(`honest ${at}`), publish(`Winter Bird of the north, part ${at}`))
    settle(index)
    const first = index.titles('winter bird')
    assert.equal(first.length, 20)
    assert.equal(first.filter((title) => /720p/i.test(title)).length, 2)
    const all = search(index.state, 'winter bird', { now: NOW, limit: 50 }).hits.map(({ title }) => title)
    assert.equal(all.length, 44)
    assert.equal(all.slice(22).filter((title) => /720p/i.test(title)).length, 22)
  })

  both('gives title and size of a popular torrent to nobody who says it was first', (settle) => {
    const index = new Index().says(A, publish('Alpine Linux 3.20 standard x86_64', { infoHash: 'X' }), { lamport: 500_000 })
    for (const other of others(400)) index.says(other, verify('X', 'Alpine Linux 3.20 standard x86_64'))
    index.says(Z, publish('FREE CASINO avatar 2026', { infoHash: 'X', sizeBytes: 1 }), { lamport: 1 })
    settle(index)
    assert.deepEqual(
      index.hits('alpine linux').map(({ title, sizeBytes }) => [title, sizeBytes]),
      [['Alpine Linux 3.20 standard x86_64', 700_000_000]],
    )
    for (const query of ['avatar 2026', 'casino', 'free']) assert.deepEqual(index.titles(query), [], query)
  })

  both('gives them to no two keys that call it by one name', (settle) => {
    const index = new Index().says(A, publish('Alpine Linux 3.20', { infoHash: 'X' }))
    for (const other of others(400)) index.says(other, verify('X', 'Alpine Linux 3.20'))
    index.says(Y, publish('CASINO spam', { infoHash: 'X' })).says(Z, publish('CASINO spam', { infoHash: 'X' }))
    settle(index)
    assert.deepEqual([index.titles('alpine'), index.titles('casino')], [['Alpine Linux 3.20'], []])
  })

  both('finds a torrent by a second name when others have checked it under that, as many as a quarter', (settle) => {
    const index = new Index()
      .says(A, publish('Alpine Linux', { infoHash: 'X' }))
      .says(Y, publish('Edelweiss', { infoHash: 'X' }))
    const all = others(11)
    for (const other of all.slice(0, 8)) index.says(other, verify('X', 'Alpine Linux'))
    index.says(all[8] as NodeId, verify('X', 'Edelweiss'))
    assert.deepEqual(index.titles('edelweiss'), [], 'one of eight')
    index.says(all[9] as NodeId, verify('X', 'Edelweiss'))
    settle(index)
    assert.deepEqual([index.titles('edelweiss'), index.titles('alpine')], [['Alpine Linux'], ['Alpine Linux']])
  })
})
