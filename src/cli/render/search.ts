import type { AskedOwner, IndexStatus, RebuildResult, SearchHit, SearchPart, SearchResult } from '../../roles/index.ts'
import { printable } from './printable.ts'
import { fields, table } from './table.ts'
import { bytes, count, counted, duration, shortPeer, time } from './units.ts'

/** Hits with the number that `--get` takes, then what a person has to know of the answer. */
export function searchText(result: SearchResult): string {
  const blocks: string[] = []
  const typed = JSON.stringify(printable(result.query))
  if (result.hits.length === 0) blocks.push(`nothing found for ${typed}`)
  if (result.corrected !== null)
    blocks.push(`nothing found for ${typed}; these are hits for ${JSON.stringify(printable(result.corrected))}`)
  for (const [index, hit] of result.hits.entries()) {
    const tags = hit.tags.length === 0 ? '' : `  [${hit.tags.map(printable).join(', ')}]`
    const when = hit.publishedAt === 0 ? '' : ` at ${time(hit.publishedAt)}`
    const publisher = `published by ${shortPeer(hit.publisher)}${when}`
    blocks.push(
      [
        `${String(index + 1).padStart(3)}  ${printable(hit.title)}${tags}`,
        `     ${bytes(hit.sizeBytes)} in ${counted(hit.fileCount, 'file')}, ${seedersText(hit)}, ${publisher}`,
        `     ${printable(hit.magnet)}`,
      ].join('\n'),
    )
  }
  const notes = [`${counted(result.hits.length, 'hit')} in ${duration(result.elapsedMs)}`]
  if (result.truncated)
    notes.push(
      `there are more: say more words, or a higher --limit${result.cursor === null ? '' : ', or go on with the "cursor" of --json'}`,
    )
  if (result.failed.length > 0) notes.push(`${counted(result.failed.length, 'index node')} gave no answer that could be used`)
  if (result.parts.length > 0 && !result.complete) notes.push(incompleteText(result))
  if (result.charged.length > 0)
    notes.push(`${counted(result.charged.length, 'index node')} said what others have disproved (--explain)`)
  blocks.push(notes.join('; '))
  return blocks.join('\n')
}

/** A network that has just begun has no other index nodes than such as may lack something yet; that is no fault of anybody. */
function incompleteText({ parts }: SearchResult): string {
  const outcomes = parts.filter(({ complete }) => !complete).flatMap(({ asked }) => asked.map(({ outcome }) => outcome))
  const haveJustCome = outcomes.length > 0 && outcomes.every((outcome) => outcome === 'not-level' || outcome === 'answered')
  return haveJustCome
    ? 'there may be others, as index nodes that have just come may lack something yet (--explain)'
    : 'there may be others, as not everybody answered who had to (--explain)'
}

/** Who was asked for each word of a query, what came of it, and whom the client asks last from now on. */
export function explainedText(result: SearchResult): string {
  const parts = result.parts.map(({ keyword, partition, complete, asked, cut }) => {
    const what = keyword === null ? 'what one node holds' : `"${printable(keyword)}" (partition ${partition})`
    const head = `${what}: ${complete ? 'complete' : 'not complete'}${cutText(cut)}`
    const rows = table(asked, [
      { title: 'INDEX NODE', value: (row) => shortPeer(row.node) },
      { title: 'ANSWER', value: (row) => OUTCOMES[row.outcome] },
      { title: 'HITS', value: (row) => count(row.hits), align: 'right' },
      { title: 'LACKS', value: (row) => count(row.lacks), align: 'right' },
      { title: 'AFTER', value: (row) => duration(row.elapsedMs), align: 'right' },
      { title: 'WHY', value: (row) => printable(row.reason ?? '') },
    ])
    return `${head}\n${rows}`
  })
  const charged = result.charged.map(({ node, reason }) => `${shortPeer(node)} is asked last from now on: ${printable(reason)}`)
  return [...parts, ...charged, `the answer is ${result.complete ? 'complete' : 'not complete'}`].join('\n\n')
}

/** Owners of a word that very many titles have keep the best of them. */
const cutText = (cut: SearchPart['cut']): string =>
  cut === null ? '' : `; its owners keep the best ${count(cut.kept)} of about ${count(cut.known)} known`

const OUTCOMES: { readonly [O in AskedOwner['outcome']]: string } = {
  answered: 'answered',
  'not-level': 'not level yet',
  silent: 'silent',
  failed: 'failed',
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
    ['level', levelText(owned)],
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
    { title: 'LEVEL', value: (row) => (row.isLevel ? 'yes' : 'not yet') },
    { title: 'TORRENTS', value: (row) => count(row.torrents), align: 'right' },
    { title: 'OWNERS', value: (row) => row.owners.map(shortPeer).join(' ') },
  ])
  return `${head}\n\n${partitions}`
}

function levelText({ rank1, rank2, rank3, level }: IndexStatus['owned']): string {
  const all = rank1 + rank2 + rank3
  if (level === all) return 'with the other owners'
  return `in ${count(level)} of ${count(all)} partitions; in the others it says with its answers that it may lack something`
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
