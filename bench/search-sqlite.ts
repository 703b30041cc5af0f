import { DatabaseSync } from 'node:sqlite'
import type { Title } from './search-corpus.ts'

// SQLite FTS5, twice over. As it is deployed: a table of torrents, an external-content index over the title, hits by seeders.
// Tuned: row numbers are ranks, so that the first hits are the best and nothing is sorted; it cannot be written to in between.

export type SqliteIndex = {
  fill(titles: readonly Title[]): void
  /** @returns how many hits, at most 20 */
  query(text: string): number
  /** Another title, to be found at once. */
  add(title: Title): void
  close(): void
}

const SCHEMA = `
  create table if not exists torrents (id integer primary key, title text, size integer, seeders integer);
  create virtual table if not exists titles using fts5(title, content='torrents', content_rowid='id');
`
const HITS = 'select torrents.id, torrents.title, size, seeders from titles join torrents on torrents.id = titles.rowid'
const ORDERS = { deployed: 'order by seeders desc limit 20', tuned: 'limit 20' } as const

export function openSqlite(path: string, how: keyof typeof ORDERS = 'deployed'): SqliteIndex {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = NORMAL')
  database.exec(SCHEMA)
  const hits = database.prepare(`${HITS} where titles match ? ${ORDERS[how]}`)
  const torrent = database.prepare('insert into torrents (id, title, size, seeders) values (?, ?, ?, ?)')
  const words = database.prepare('insert into titles (rowid, title) values (?, ?)')
  let next = 1
  const add = ({ title, sizeBytes, seeders }: Title): void => {
    const id = next++
    torrent.run(id, title, sizeBytes, seeders)
    words.run(id, title)
  }
  return {
    fill(titles) {
      database.exec('begin')
      for (const title of how === 'tuned' ? [...titles].sort((a, b) => b.seeders - a.seeders) : titles) add(title)
      database.exec('commit')
    },
    query: (text) => hits.all(text).length,
    add,
    close: () => database.close(),
  }
}
