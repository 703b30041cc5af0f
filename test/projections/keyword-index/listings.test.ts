import assert from 'node:assert/strict'
import type { Event } from '../../../src/events/index.ts'
import { documentFrequency, type KeywordIndexState, search } from '../../../src/projections/index.ts'
import { SegmentWriter } from '../../../src/projections/keyword-index/segments/segment-writer.ts'
import { writeMemtable } from '../../../src/projections/keyword-index/segments/write-memtable.ts'
import { EnvelopeMaker, hash, node } from '../envelopes.ts'
import { fold, mergeFrom, newTable, openOver, reopened, writeSegment } from './index-states.ts'

const published = (title: string, name = title): Event => ({
  ...{ kind: 'torrent.published', infoHash: hash(name), title, sizeBytes: 1, fileCount: 1, tags: [] },
})

function opened() {
  const maker = new EnvelopeMaker()
  const state = openOver(newTable())
  return {
    state,
    says: (title: string, name?: string) => fold.apply(state, maker.make(node('ada'), published(title, name), 'index')),
  }
}

const titles = (state: KeywordIndexState, query: string): string[] =>
  search(state, query)
    .hits.map(({ title }) => title)
    .sort()

describe('what documents are listed under', () => {
  it('is found after a crash in any state: in memory, being written as a segment, and come since then', async () => {
    const { state, says } = opened()
    says('moon one')
    assert.deepEqual(titles(await reopened(state), 'moon'), ['moon one'])
    state.listings.freeze()
    says('moon two')
    assert.deepEqual(titles(state, 'moon'), ['moon one', 'moon two'])
    assert.deepEqual(titles(await reopened(state), 'moon'), ['moon one', 'moon two'])
    const { frozen } = state.listings
    assert.ok(frozen)
    const writer = new SegmentWriter(state.listings.nextSegment++)
    const steps = writeMemtable(frozen.memtable, state.listings.serials.isDead, writer)
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    for (const [key, row] of writer.takeRows()) state.rows.put(key, row)
    state.listings.written(step.value)
    says('moon three')
    for (const one of [state, await reopened(state)])
      assert.deepEqual(titles(one, 'moon'), ['moon one', 'moon three', 'moon two'])
  })

  it('is frozen once, until it was written', () => {
    const { state, says } = opened()
    says('moon')
    state.listings.freeze()
    const { frozen } = state.listings
    says('moon two')
    state.listings.freeze()
    assert.equal(state.listings.frozen, frozen)
  })

  it('has a torrent once when it was listed anew, after a merge', () => {
    const { state, says } = opened()
    for (let at = 0; at < 10; at++) {
      says(`moon ${at}`, 'x')
      if (at % 3 === 0) writeSegment(state)
    }
    writeSegment(state)
    assert.deepEqual(titles(state, 'moon'), ['moon 9'])
    assert.ok(documentFrequency(state, 'moon') > 1)
    mergeFrom(state)
    assert.deepEqual([state.listings.segments.map(({ mark }) => mark.entries), documentFrequency(state, 'moon')], [[1], 1])
    assert.deepEqual([titles(state, 'moon'), titles(state, '0')], [['moon 9'], []])
  })

  it('leaves no row of a segment that was merged, or that a crash left', async () => {
    const { state, says } = opened()
    for (const title of ['moon one', 'moon two']) {
      says(title)
      writeSegment(state)
    }
    const [before] = state.listings.segments
    assert.ok(before)
    mergeFrom(state)
    fold.flush(state)
    const table = state.rows as ReturnType<typeof newTable>
    await table.commit(1)
    assert.equal(before.list('w', 'moon')?.count, 1, 'nobody has cleared it yet')
    await state.listings.clearOthers()
    const again = await reopened(state)
    assert.deepEqual(titles(again, 'moon'), ['moon one', 'moon two'])
    assert.throws(() => again.listings.uncached(before.mark).list('w', 'moon'), { code: 'STORE_DAMAGED' })
  })
})
