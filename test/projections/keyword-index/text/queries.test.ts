import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Event, InfoHash } from '../../../../src/events/index.ts'
import {
  hashKeyword,
  type KeywordIndexState,
  keywordsOf,
  parseQuery,
  search,
  titlesMatch,
} from '../../../../src/projections/keyword-index/index.ts'
import { coveringWords } from '../../../../src/roles/index-node/covering-words.ts'
import { EnvelopeMaker, hash, node } from '../../envelopes.ts'
import { fold, newTable, openOver, writeSegment } from '../index-states.ts'

type Title = { title: string; seeders?: number; sizeBytes?: number; tags?: string[] }
type Case = { name: string; group: string; titles: Title[]; query: string; mustFind: string[]; mustNotFind: string[] }

const casesOf = (file: string): Case[] =>
  readFileSync(join(import.meta.dirname, '../../../fixtures', file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Case)

const HEX = /^[0-9a-f]{40}$/

/** The index of an owner that has these titles; the first has the info hash that is asked for, where one is. */
function indexOf({ titles, query }: Case, inSegments: boolean): KeywordIndexState {
  const maker = new EnvelopeMaker()
  const state = openOver(newTable())
  for (const [at, { title, sizeBytes = 1000, seeders = 1, tags = [] }] of titles.entries()) {
    const infoHash = at === 0 && HEX.test(query) ? (query as InfoHash) : hash(`${at} ${title}`)
    const published: Event = { kind: 'torrent.published', infoHash, title, sizeBytes, fileCount: 1, tags }
    fold.apply(state, maker.make(node(`publisher ${at}`), published, 'index'))
    for (let seeder = 1; seeder < seeders; seeder++)
      fold.apply(state, maker.make(node(`seeder ${at} ${seeder}`), { kind: 'torrent.verified', infoHash, title }, 'index'))
    if (inSegments && at % 2 === 0) writeSegment(state)
  }
  return state
}

for (const file of ['search-queries.jsonl', 'search-queries-more.jsonl']) {
  describe(`the queries of ${file}`, () => {
    for (const one of casesOf(file)) {
      it(`${one.group}, ${one.name}: ${JSON.stringify(one.query.slice(0, 60))}`, () => {
        for (const inSegments of [false, true]) {
          const state = indexOf(one, inSegments)
          const query = parseQuery(one.query)
          const found = search(state, one.query).hits
          const titles = found.map(({ title }) => title)
          const [lacking, wrong] = [
            one.mustFind.filter((title) => !titles.includes(title)),
            one.mustNotFind.filter((title) => titles.includes(title)),
          ]
          assert.deepEqual({ lacking, wrong }, { lacking: [], wrong: [] }, JSON.stringify(query))
          // The client takes them for what was asked for, and they are known where the query is sent.
          const cover = coveringWords(query, () => undefined)
          for (const { title, infoHash } of found) {
            assert.equal(titlesMatch(query, [title], infoHash), true)
            const keywords = [...keywordsOf(title), hashKeyword(infoHash)]
            assert.ok(cover.length === 0 || cover.some((word) => keywords.includes(word)), cover.join())
          }
        }
      })
    }
  })
}
