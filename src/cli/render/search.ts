import type { IndexStatus, RebuildResult, SearchHit, SearchResult } from '../../roles/index.ts'
import { printable } from './printable.ts'
import { fields, table } from './table.ts'
import { bytes, count, counted, duration, shortPeer, time } from './units.ts'

/** Hits with the number that `--get` takes, then what a person has to know of the answer. */
export function searchText(result: SearchResult): string {
  const blocks: string[] = []
  if (result.hits.length === 0) blocks.push(`nothing found for ${JSON.stringify(printable(result.query))}`)
  for (const [index, hit] of result.hits.entries()) {
    const tags = hit.tags.length === 0 ? '' : `  [${hit.tags.map(printable).join(', ')}]`
    const publisher = `published by ${shortPeer(hit.publisher)} at ${time(hit.publishedAt)}`
    blocks.push(
      [
        `${String(index + 1).padStart(3)}  ${printable(hit.title)}${tags}`,
        `     ${bytes(hit.sizeBytes)} in ${counted(hit.fileCount, 'file')}, ${seedersText(hit)}, ${publisher}`,
        `     ${printable(hit.magnet)}`,
      ].join('\n'),
    )
  }
  const notes = [`${counted(result.hits.length, 'hit')} in ${duration(result.elapsedMs)}`]
  if (result.truncated) notes.push('there are more: say more words, or a higher --limit')
  if (result.failed.length > 0) notes.push(`${counted(result.failed.length, 'index node')} gave no answer that could be used`)
  blocks.push(notes.join('; '))
  return blocks.join('\n')
}

/** A number is the word of whoever answered; how many of them have signed it came along. */
function seedersText({ seeders, seedersProven, lastSeenAt }: SearchHit): string {
  if (seeders === 0) return `no seeder${lastSeenAt === undefined ? '' : `, the last one seen at ${time(lastSeenAt)}`}`
  return seedersProven < seeders ? `${counted(seeders, 'seeder')} (${count(seedersProven)} proven)` : counted(seeders, 'seeder')
}

export function indexStatusText(status: IndexStatus): string {
  const { owned, repair } = status
  const head = fields([
    ['torrents', count(status.documents)],
    ['keywords', `${count(status.keywords)} (${counted(status.postings, 'posting')})`],
    ['partitions', `${owned.rank1} as first owner, ${owned.rank2} as second, ${owned.rank3} as third`],
    ['index nodes', `${status.indexNodesAlive} alive`],
    [
      'repair',
      `${repair.inSync ? 'in sync' : 'catching up'}; ${counted(repair.fetched, 'entry', 'entries')} fetched` +
        (repair.lastAt === null ? '' : `; last at ${time(repair.lastAt)}`),
    ],
  ])
  if (status.partitions.length === 0) return head
  const partitions = table(status.partitions, [
    { title: 'PARTITION', value: (row) => String(row.partition), align: 'right' },
    { title: 'RANK', value: (row) => String(row.rank), align: 'right' },
    { title: 'TORRENTS', value: (row) => count(row.documents), align: 'right' },
    { title: 'OWNERS', value: (row) => row.owners.map(shortPeer).join(' ') },
  ])
  return `${head}\n\n${partitions}`
}

export function rebuildText(result: RebuildResult): string {
  if (result.projections.length === 0) return 'nothing to rebuild'
  return result.projections
    .map((row) =>
      fields([
        ['projection', row.name],
        ['events', `${count(row.events)} in ${duration(row.elapsedMs)}`],
        ['digest before', row.digestBefore],
        ['digest after', `${row.digestAfter}${row.digestAfter === row.digestBefore ? ' (the same)' : ' (DIFFERENT)'}`],
      ]),
    )
    .join('\n\n')
}
