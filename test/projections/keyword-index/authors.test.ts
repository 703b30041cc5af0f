import assert from 'node:assert/strict'
import { Authors } from '../../../src/projections/keyword-index/authors.ts'
import { node } from '../envelopes.ts'
import { emptyTable } from './small-rows.ts'

describe('authors of the index', () => {
  it('keep their numbers and torrents over a restart, also where they fill their rows to the last place', async () => {
    // A row holds 128 of them.
    for (const count of [0, 1, 127, 128, 129, 256, 300]) {
      const table = await emptyTable()
      const authors = new Authors(table)
      const names = Array.from({ length: count }, (_, at) => node(`author ${at}`))
      for (const [at, name] of names.entries()) {
        assert.equal(authors.enter(name), at)
        for (let torrent = 0; torrent < at % 4; torrent++) authors.addTorrent(at, at * 10 + torrent)
      }
      authors.flush()
      const again = new Authors(table)
      assert.deepEqual(again.ids, names)
      for (const [at, name] of names.entries()) {
        assert.deepEqual([again.numberOf(name), again.idOf(at), again.countOf(at)], [at, name, at % 4])
        assert.deepEqual(
          [...again.torrentsOf(at)],
          Array.from({ length: at % 4 }, (_, torrent) => at * 10 + torrent),
        )
      }
      assert.equal(again.enter(node('one more')), count)
    }
  })

  it('have one number each, however often they come, and none before', async () => {
    const authors = new Authors(await emptyTable())
    assert.deepEqual(
      [authors.numberOf(node('ada')), authors.idOf(0), authors.countOf(0), [...authors.torrentsOf(0)]],
      [...[undefined, undefined, 0], []],
    )
    assert.deepEqual([authors.enter(node('ada')), authors.enter(node('bob')), authors.enter(node('ada'))], [0, 1, 0])
    assert.deepEqual(authors.ids, [node('ada'), node('bob')])
  })

  it('have said nothing once they are forgotten, with their number still theirs, and may speak again', async () => {
    const table = await emptyTable()
    const authors = new Authors(table)
    const [ada, bob] = [authors.enter(node('ada')), authors.enter(node('bob'))]
    for (let torrent = 0; torrent < 100; torrent++) authors.addTorrent(ada, torrent)
    authors.addTorrent(bob, 5)
    authors.flush()
    authors.forget(ada)
    authors.flush()
    const again = new Authors(table)
    assert.deepEqual([again.enter(node('ada')), again.countOf(ada), [...again.torrentsOf(ada)]], [0, 0, []])
    assert.deepEqual([...again.torrentsOf(bob)], [5])
    again.addTorrent(ada, 7)
    assert.deepEqual([...again.torrentsOf(ada)], [7])
  })

  it('are as they were stored until they are flushed', async () => {
    const table = await emptyTable()
    const authors = new Authors(table)
    authors.enter(node('ada'))
    assert.deepEqual(new Authors(table).ids, [])
    authors.flush()
    authors.enter(node('bob'))
    assert.deepEqual(new Authors(table).ids, [node('ada')])
  })
})
