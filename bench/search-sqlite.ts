import { DatabaseSync } from 'node:sqlite'
import type { Title } from './search-corpus.ts'

// SQLite FTS5 as it is deployed: a table of torrents, an external-content index over the title, hits by seeders.

export type SqliteIndex = {
  fill(titles: readonly Title[]): void
  /** @returns how many hits, at most 20 */
  query(text: string): number
  close(): void
}

const SCHEMA = `
  create table if not exists torrents (id integer primary key, title text, size integer, seeders integer);
  create virtual table if not exists titles using fts5(title, content='torrents', content_rowid='id');
`
const HITS = `
  select torrents.id, torrents.title, size, seeders from titles join torrents on torrents.id = titles.rowid
  where titles match ? order by seeders desc limit 20
`

export function openSqlite(path: string): SqliteIndex {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = NORMAL')
  database.exec(SCHEMA)
  const hits = database.prepare(HITS)
  return {
    fill(titles) {
      const torrent = database.prepare('insert into torrents (id, title, size, seeders) values (?, ?, ?, ?)')
      const words = database.prepare('insert into titles (rowid, title) values (?, ?)')
      database.exec('begin')
      titles.forEach(({ title, sizeBytes, seeders }, index) => {
        torrent.run(index + 1, title, sizeBytes, seeders)
        words.run(index + 1, title)
      })
      database.exec('commit')
    },
    query: (text) => hits.all(text).length,
    close: () => database.close(),
  }
}
