import type { SubtleMutant } from './mutant.ts'

const KEEPING = 'src/projections/keyword-index/keeping.ts'
const PLACES = 'src/roles/index-node/title-places.ts'
const DROP = 'src/roles/index-node/drop-titles.ts'

/** Faults in what an owner keeps of a keyword. */
export const titlePlacesMutants: readonly SubtleMutant[] = [
  {
    file: KEEPING,
    find: 'if (items.length <= places)',
    replace: 'if (items.length < places)',
    breaks: 'a list that is just full is cut',
  },
  {
    file: KEEPING,
    find: 'a.tier - b.tier || b.bucket - a.bucket',
    replace: 'b.bucket - a.bucket || a.tier - b.tier',
    breaks: 'one party has all places of a step of rank',
  },
  { file: KEEPING, find: '|| a.row - b.row ', replace: '', breaks: 'whoever published last has the places of a step' },
  {
    file: KEEPING,
    find: 'if (ownTier > tier) return step > (own?.least ?? -1)',
    replace: 'if (ownTier > tier) return false',
    breaks: 'a party that has its share never has a better title',
  },
  {
    file: PLACES,
    find: 'if (cuts.length < owned.length || owned.length === 0) return true',
    replace: 'if (cuts.length === 0) return true',
    breaks: 'a title that another word has room for is sent away',
  },
  {
    file: PLACES,
    find: 'if (isKnown(state, infoHash)) return true',
    replace: '',
    breaks: 'seeders of a torrent that is kept are sent away',
  },
  {
    file: PLACES,
    find: 'await Promise.allSettled([...this.#underWay])',
    replace: '',
    breaks: 'what was let through comes after its torrent was let go of',
  },
  {
    file: PLACES,
    find: '!this.#leaving.has(infoHash) && ',
    replace: '',
    breaks: 'what is said of a torrent that is let go of is taken',
  },
  {
    file: PLACES,
    find: 'while (state.listings.segments === segments)',
    replace: 'while (true)',
    breaks: 'segments are read that were merged meanwhile',
  },
  {
    file: PLACES,
    find: 'if (map.ownersOf(hashKeyword(infoHash)).includes(own)) return undefined',
    replace: '',
    breaks: 'a title is let go of that its info hash has a place for',
  },
  {
    file: PLACES,
    find: 'if (list.listed < CUT_AT * cutBefore) continue',
    replace: '',
    breaks: 'titles near the boundary come and go',
  },
  {
    file: DROP,
    find: "await states.forget('keyword-index', torrents)",
    replace: '',
    breaks: 'the index lists what the log has let go of',
  },
  {
    file: DROP,
    find: "await states.rebuild('kept')",
    replace: '',
    breaks: 'what was let go of counts against budgets',
  },
  {
    file: 'src/roles/index-node/index-requests.ts',
    find: "log.seqOf(header) === undefined ? 'below-rank' : 'duplicate'",
    replace: "'duplicate'",
    breaks: 'a publisher is told that what was let go of is held',
  },
  {
    file: 'src/roles/index-node/repair.ts',
    find: '&& places?.isDeclined(name) !== true',
    replace: '',
    breaks: 'what was sent away is fetched again and again',
  },
  {
    file: 'src/roles/index-node/repair.ts',
    find: '!this.#isOfBoundary(one)',
    replace: 'true',
    breaks: 'owners that differ at a boundary alone are out of sync',
  },
  {
    file: 'src/roles/client/publisher.ts',
    find: 'partitionsHeld > 0 && done === owners.size',
    replace: 'done === owners.size',
    breaks: 'an entry that nobody keeps is acknowledged',
  },
  {
    file: 'src/roles/client/publications.ts',
    find: 'return below.over < below.rounds',
    replace: 'return false',
    breaks: 'what is below rank is offered each round',
  },
]
