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
/** A budget has room for 12,000 events of an invitation in its first hour; each author has its own. */
const TITLES_AN_AUTHOR = 4_000
const AUTHORS_MIN = 20
/** So many at most say of a torrent that they hold it, besides who published it. */
const SEEDERS_MAX = 12

type Author = { signer: ReturnType<typeof signerFromSeed>; next: number; admitted: SignedEvent }

export type Published = { readonly admissions: readonly SignedEvent[]; readonly titles: readonly PublishedTitle[] }
type PublishedTitle = { readonly keywords: readonly string[]; readonly events: readonly SignedEvent[] }

const infoHashOf = (number: number): InfoHash => (number + 1).toString(16).padStart(40, '0') as InfoHash

export function publish(titles: readonly Title[], owner: OwnerFolder): Published {
  const authors = Array.from({ length: Math.max(AUTHORS_MIN, Math.ceil(titles.length / TITLES_AN_AUTHOR)) }, (_, number) =>
    authorOf(owner, `author ${number}`),
  )
  const from = systemClock.now() - AGE_MS - titles.length
  const says = (author: Author, at: number, event: Event): SignedEvent => {
    const authorSeq = author.next++
    const stamp = { lamport: authorSeq as Lamport, authorSeq, at: (from + at) as Millis }
    return signEvent({ stream: 'index', event } as UnsignedEvent, stamp, author.signer)
  }
  return {
    admissions: authors.map(({ admitted }) => admitted),
    titles: titles.map(({ title, sizeBytes, seeders }, at) => {
      const infoHash = infoHashOf(at)
      const of = (other: number): Author => authors[(at + other) % authors.length] as Author
      const others = Math.min(SEEDERS_MAX, seeders > 0 ? Math.ceil(Math.log2(seeders + 1)) : 0)
      return {
        keywords: [...keywordsOf(title), hashKeyword(infoHash)],
        events: [
          says(of(0), at, { kind: 'torrent.published', infoHash, title, sizeBytes, fileCount: 1, tags: [] }),
          ...Array.from({ length: others }, (_, other) =>
            says(of(other + 1), at, { kind: 'torrent.verified', infoHash, title }),
          ),
        ],
      }
    }),
  }
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
  using data = await openDataDirectory(directory, { role: 'index' })
  const options = { directory, signer: data.signer, clock: systemClock, upcast: (_k: number, _v: number, p: Uint8Array) => p }
  await using log = await openLevelLog(options)
  await log.ingest([...published.admissions])
  const events = published.titles.flatMap((title) => (title.keywords.some(isOwned) ? title.events : []))
  for (let from = 0; from < events.length; from += COMMIT_EVENTS) await log.ingest(events.slice(from, from + COMMIT_EVENTS))
  return events.length
}
