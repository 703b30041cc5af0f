import type { SourcesRow } from '../../roles/index.ts'
import { printable } from './printable.ts'
import { table } from './table.ts'
import { time } from './units.ts'

export function sourcesText({ sources, why }: SourcesRow): string {
  const rows =
    sources.length === 0
      ? 'it names no tracker and no web seed'
      : table(sources, [
          { title: 'KIND', value: (row) => row.kind },
          { title: 'STATE', value: (row) => row.state },
          { title: 'SEEDERS', value: (row) => (row.seeders === null ? '' : String(row.seeders)), align: 'right' },
          { title: 'LEECHERS', value: (row) => (row.leechers === null ? '' : String(row.leechers)), align: 'right' },
          { title: 'PEERS', value: (row) => String(row.peers), align: 'right' },
          { title: 'NODES', value: (row) => (row.nodes === null ? '' : String(row.nodes)), align: 'right' },
          { title: 'ANNOUNCED', value: (row) => (row.announcedAt === null ? '' : time(row.announcedAt)) },
          { title: 'ADDRESS', value: (row) => row.url, widthMax: 60 },
          { title: 'PROBLEM', value: (row) => row.problem ?? '' },
        ])
  return why === null ? rows : `${rows}\n${printable(why)}`
}
