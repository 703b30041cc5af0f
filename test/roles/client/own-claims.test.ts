import { deepEqual, equal } from 'node:assert/strict'
import type { Event, InfoHash } from '../../../src/events/index.ts'
import { OwnClaims } from '../../../src/roles/client/own-claims.ts'
import { liveIndexMap } from '../../../src/roles/index-node/live-index-map.ts'
import { hash } from '../../projections/envelopes.ts'
import { hears, openSmallLog, type SmallLog } from '../small-log.ts'

const published = (infoHash: InfoHash, title: string, tags: string[] = []): Event => ({
  ...{ kind: 'torrent.published', infoHash, title, tags },
  ...{ sizeBytes: 1, fileCount: 1 },
})
const verified = (infoHash: InfoHash, title: string): Event => ({ kind: 'torrent.verified', infoHash, title })
const withdrawn = (infoHash: InfoHash, title: string): Event => ({ kind: 'torrent.withdrawn', infoHash, title })

describe('own claims', () => {
  const [one, two] = [hash('one'), hash('two')]
  let own: SmallLog
  let eve: SmallLog
  let claims: OwnClaims
  beforeEach(async () => {
    own = await openSmallLog(1)
    eve = await openSmallLog(2)
    claims = newClaims()
    own.log.onAppended((envelopes) => claims.apply(envelopes))
  })
  afterEach(async () => {
    await own[Symbol.asyncDispose]()
    await eve[Symbol.asyncDispose]()
  })
  const newClaims = () => new OwnClaims(own.id, liveIndexMap(own.states))
  const says = (...events: Event[]) => own.log.append(events.map((event) => ({ event })))

  it('are the last word about each torrent, with its title, its tags and its place in our index stream', async () => {
    await says(published(one, 'quiet orbit', ['film']), published(two, 'loud comet'), published(one, 'low orbit', ['hd']))
    deepEqual(claims.get(one), {
      ...{ infoHash: one, title: 'low orbit', tags: ['hd'], withdrawn: false, isPublished: true },
      publication: { author: own.id, authorSeq: 3, keywords: ['quiet', 'orbit', `btih:${one}`, 'low'] },
    })
    deepEqual(claims.get(two)?.tags, [])
    deepEqual(
      claims.publications().map(({ authorSeq }) => authorSeq),
      [3, 2],
    )
  })

  it('are our own: what others say of the same torrent changes nothing', async () => {
    await says(published(one, 'quiet orbit'))
    await hears(own, eve, withdrawn(one, 'quiet orbit'), published(two, 'loud comet'))
    equal(claims.get(one)?.publication.author, own.id)
    equal(claims.publicationOf(two), undefined)
    equal(claims.publications().length, 1)
  })

  it('that were taken back are no claims, and are told on where the torrent was known', async () => {
    await says(published(one, 'quiet orbit', ['film']), withdrawn(one, 'quiet orbit'))
    equal(claims.get(one), undefined)
    const publication = { author: own.id, authorSeq: 2, keywords: ['quiet', 'orbit', `btih:${one}`] }
    deepEqual([claims.publicationOf(one), claims.publications()], [publication, [publication]])
    await says(published(one, 'loud comet'))
    deepEqual(claims.get(one)?.publication.keywords, ['quiet', 'orbit', `btih:${one}`, 'loud', 'comet'])
  })

  it('of a torrent that we only hold have no tags, and give way to what we publish', async () => {
    await says(verified(one, 'quiet orbit'))
    deepEqual([claims.get(one)?.title, claims.get(one)?.tags, claims.get(one)?.withdrawn], ['quiet orbit', [], false])
    await says(published(one, 'low orbit', ['film']))
    deepEqual([claims.get(one)?.title, claims.get(one)?.tags], ['low orbit', ['film']])
  })

  it('stay as they are when a torrent that we published is verified, and come back by that after a withdrawal', async () => {
    await says(published(one, 'quiet orbit', ['film']), verified(one, 'another title'))
    deepEqual([claims.get(one)?.title, claims.get(one)?.publication.authorSeq], ['quiet orbit', 1])
    await says(withdrawn(one, 'quiet orbit'), verified(one, 'quiet orbit'))
    deepEqual([claims.get(one)?.title, claims.get(one)?.publication.authorSeq], ['quiet orbit', 4])
  })

  it('have each word once of all titles that a torrent had', async () => {
    deepEqual(claims.keywordsFor(one, 'quiet orbit'), ['quiet', 'orbit', `btih:${one}`])
    await says(published(one, 'quiet orbit'))
    deepEqual(claims.keywordsFor(one, 'orbit of mars'), ['quiet', 'orbit', `btih:${one}`, 'of', 'mars'])
    equal(claims.publicationOf(one)?.keywords.length, 3, 'asking changes nothing')
  })

  it('are the same when they are read from the log at a start', async () => {
    await says(published(one, 'quiet orbit'), { kind: 'download.completed', infoHash: two }, verified(two, 'loud comet'))
    await hears(own, eve, published(one, 'pills'))
    await says(withdrawn(one, 'quiet orbit'))
    const again = newClaims()
    await again.read(own.log)
    deepEqual(again.publications(), claims.publications())
    deepEqual([again.get(one), again.get(two)?.title], [undefined, 'loud comet'])
    equal(again.publications().length, 2)
  })
})
