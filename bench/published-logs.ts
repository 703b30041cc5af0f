import type { Event, InfoHash, Lamport, Millis, NodeId, SignedEvent, UnsignedEvent } from '../src/events/index.ts'
import { signEvent } from '../src/events/index.ts'
import { randomSeed, signerFromSeed } from '../src/events/keys/signer.sodium.ts'
import { openLevelLog } from '../src/events/log/event-log.level.ts'
import { systemClock } from '../src/events/model/time.system.ts'
import { hashKeyword, keywordsOf, ownersOf, partitionOf } from '../src/projections/keyword-index/index.ts'
import { openDataDirectory } from '../src/roles/directory/data-directory.fs.ts'
import type { OwnerFolder } from '../src/roles/owner/owner-folder.fs.ts'
import type { Title } from './search-corpus.ts'

// Titles in the logs of stopped index nodes, as if their publishers had told each of the owners: signed events of authors whom the
// network's owner has admitted, through the log's own code. What is measured over them is searching, not publishing.

/** As of what was published long enough ago for every owner to have it, ms. */
const AGE_MS = 30 * 60_000
const COMMIT_EVENTS = 500
/** A budget has room for 20,000 events of an invitation in its first hour; each author has its own. */
const TITLES_AN_AUTHOR = 4_000
const AUTHORS_MIN = 20
/** So many at most say of a torrent that they hold it, besides who published it. */
const SEEDERS_MAX = 12

type Author = { signer: ReturnType<typeof signerFromSeed>; next: number; admitted: SignedEvent }

export type Published = { readonly admissions: readonly SignedEvent[]; readonly titles: readonly PublishedTitle[] }
type PublishedTitle = { readonly keywords: readonly string[]; readonly events: readonly SignedEvent[] }

const infoHashOf = (number: number): InfoHash => (number + 1).toString(16).padStart(40, '0') as InfoHash

/** Titles as they are asked for, one after the other, and the admissions of those who say them. */
export function publishing(
  titles: Iterable<Title>,
  count: number,
  owner: OwnerFolder,
): { admissions: readonly SignedEvent[]; titles: Iterable<PublishedTitle> } {
  const authors = Array.from({ length: Math.max(AUTHORS_MIN, Math.ceil(count / TITLES_AN_AUTHOR)) }, (_, number) =>
    authorOf(owner, `author ${number}`),
  )
  return {
    admissions: authors.map(({ admitted }) => admitted),
    titles: eachPublished(titles, authors, systemClock.now() - AGE_MS - count),
  }
}

function* eachPublished(titles: Iterable<Title>, authors: readonly Author[], from: number): Generator<PublishedTitle> {
  const says = (author: Author, at: number, event: Event): SignedEvent => {
    const authorSeq = author.next++
    const stamp = { lamport: authorSeq as Lamport, authorSeq, at: (from + at) as Millis }
    return signEvent({ stream: 'index', event } as UnsignedEvent, stamp, author.signer)
  }
  let at = 0
  for (const { title, sizeBytes, seeders } of titles) {
    const infoHash = infoHashOf(at)
    const place = at++
    const of = (other: number): Author => authors[(place + other) % authors.length] as Author
    const others = Math.min(SEEDERS_MAX, seeders > 0 ? Math.ceil(Math.log2(seeders + 1)) : 0)
    yield {
      keywords: [...keywordsOf(title), hashKeyword(infoHash)],
      events: [
        says(of(0), place, { kind: 'torrent.published', infoHash, title, sizeBytes, fileCount: 1, tags: [] }),
        ...Array.from({ length: others }, (_, other) =>
          says(of(other + 1), place, { kind: 'torrent.verified', infoHash, title }),
        ),
      ],
    }
  }
}

export function publish(titles: readonly Title[], owner: OwnerFolder): Published {
  const published = publishing(titles, titles.length, owner)
  return { ...published, titles: [...published.titles] }
}

function authorOf(owner: OwnerFolder, name: string): Author {
  const signer = signerFromSeed(randomSeed(), owner.network)
  const credential = owner.joining('member', name).credentialOf(signer.id)
  const stamp = { lamport: 1 as Lamport, authorSeq: 1, at: systemClock.now() }
  const admitted = signEvent({ stream: 'gossip', event: { kind: 'node.admitted', credential } }, stamp, signer)
  return { signer, next: 1, admitted }
}

/**
 * Puts into the log of one of these index nodes, which does not run, what it owns a keyword of.
 * @returns how many events of titles
 */
export async function fill(
  directory: string,
  own: NodeId,
  indexNodes: readonly NodeId[],
  published: Published,
): Promise<number> {
  const owned = new Map<number, boolean>()
  const isOwned = (keyword: string): boolean => {
    const partition = partitionOf(keyword)
    const known = owned.get(partition) ?? ownersOf(partition, [...indexNodes]).includes(own)
    owned.set(partition, known)
    return known
  }
  return fillWith(
    directory,
    published.admissions,
    published.titles.flatMap((title) => (title.keywords.some(isOwned) ? title.events : [])),
  )
}

/** Puts events into the log of an index node that does not run. @returns how many of titles */
export async function fillWith(
  directory: string,
  admissions: readonly SignedEvent[],
  events: Iterable<SignedEvent>,
): Promise<number> {
  using data = await openDataDirectory(directory, { role: 'index' })
  const options = { directory, signer: data.signer, clock: systemClock, upcast: (_k: number, _v: number, p: Uint8Array) => p }
  await using log = await openLevelLog(options)
  await log.ingest([...admissions])
  let count = 0
  let batch: SignedEvent[] = []
  for (const event of events) {
    count += 1
    if (batch.push(event) < COMMIT_EVENTS) continue
    await log.ingest(batch)
    batch = []
  }
  await log.ingest(batch)
  return count
}
