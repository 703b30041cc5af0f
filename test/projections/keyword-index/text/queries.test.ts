import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Event, InfoHash } from '../../../../src/events/index.ts'
import { keywordIndexProjection, parseQuery, search } from '../../../../src/projections/index.ts'
import { coveringWords } from '../../../../src/roles/index-node/live-index-map.ts'
import { EnvelopeMaker, hash, node } from '../../envelopes.ts'

type Title = { title: string; seeders?: number; sizeBytes?: number; tags?: string[] }
type Case = { name: string; group: string; titles: Title[]; query: string; mustFind: string[]; mustNotFind: string[] }

const casesOf = (file: string): Case[] =>
  readFileSync(join(import.meta.dirname, '../../../fixtures', file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Case)

const HEX = /^[0-9a-f]{40}$/

/** The index of an owner that has these titles; the first has the info hash that is asked for, where one is. */
function indexOf({ titles, query }: Case) {
  const maker = new EnvelopeMaker()
  const fold = keywordIndexProjection()
  const state = fold.initial()
  for (const [at, { title, sizeBytes = 1000, seeders = 1, tags = [] }] of titles.entries()) {
    const infoHash = at === 0 && HEX.test(query) ? (query as InfoHash) : hash(`${at} ${title}`)
    const published: Event = { kind: 'torrent.published', infoHash, title, sizeBytes, fileCount: 1, tags }
    fold.apply(state, maker.make(node(`publisher ${at}`), published, 'index'))
    for (let seeder = 1; seeder < seeders; seeder++)
      fold.apply(state, maker.make(node(`seeder ${at} ${seeder}`), { kind: 'torrent.verified', infoHash, title }, 'index'))
  }
  return state
}

for (const file of ['search-queries.jsonl', 'search-queries-more.jsonl']) {
  describe(`the queries of ${file}`, () => {
    for (const one of casesOf(file)) {
      it(`${one.group}, ${one.name}: ${JSON.stringify(one.query.slice(0, 60))}`, () => {
        const state = indexOf(one)
        const found = search(state, one.query).hits
        const titles = found.map(({ title }) => title)
        assert.deepEqual(
          one.mustFind.filter((title) => !titles.includes(title)),
          [],
          `not found; ${JSON.stringify(parseQuery(one.query))}`,
        )
        assert.deepEqual(
          one.mustNotFind.filter((title) => titles.includes(title)),
          [],
          `found; ${JSON.stringify(parseQuery(one.query))}`,
        )
        // Where the query is sent, everything that must be found is known.
        const cover = coveringWords(parseQuery(one.query))
        for (const { infoHash } of cover.length === 0 ? [] : found) {
          const words = state.documents.get(infoHash)?.words.map(({ word }) => word) ?? []
          assert.ok(
            cover.some((word) => word === `btih:${infoHash}` || words.includes(word)),
            cover.join(),
          )
        }
      })
    }
  })
}
