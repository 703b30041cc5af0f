import assert from 'node:assert/strict'
import type { SignedEvent } from '../../../src/events/index.ts'
import { NEAR_WORDS_MAX } from '../../../src/projections/keyword-index/index.ts'
import {
  decodeCompare,
  decodeCompareReply,
  decodeFetch,
  decodeInstead,
  decodeNearWords,
  decodeNearWordsReply,
  decodePublish,
  decodeSearch,
  decodeSearchReply,
  EVENT_NAMES_MAX,
  EVENTS_BYTES_MAX,
  encodeCompare,
  encodeCompareReply,
  encodeFetch,
  encodeNearWords,
  encodeNearWordsReply,
  encodePublish,
  encodePublishReply,
  encodeSearch,
  encodeSearchReply,
  FREQUENCIES_MAX,
  fitting,
  fittingHits,
  INSTEAD_MAX,
  IndexMessageError,
  messageBytes,
  NEAR_ASKED_MAX,
  NEAR_WORD_BYTES_MAX,
  PROOF_MAX,
  QUERY_BYTES_MAX,
  SECTIONS_MAX,
  type WireHit,
} from '../../../src/roles/index-node/index-messages.ts'
import { LEVEL_BYTES } from '../../../src/roles/index-node/partition-levels.ts'
import { HITS_MAX } from '../../../src/roles/services.ts'
import { hash, node } from '../../projections/envelopes.ts'

const author = node('author')
const repeated = <T>(item: T, count: number): T[] => Array.from({ length: count }, () => item)
const event: SignedEvent = { body: new Uint8Array(100).fill(1), signature: new Uint8Array(64) }
const hit = (proof: readonly SignedEvent[] = [event]): WireHit => ({ infoHash: hash('orbit'), seeders: 1, proof })

describe('messages of the index service', () => {
  const search = { text: 'orbit', limit: 1, cursor: '', hops: 0 }
  const reply = { hits: [hit()], truncated: false, cursor: '', answeredBy: author }
  const digest = { partition: 0, depth: 0, prefix: 0, digest: 'ab' }

  /** The most that is taken, and one more. */
  const bounds: [what: string, decode: (bytes: Uint8Array) => unknown, most: Uint8Array, more: Uint8Array][] = [
    [
      'hits of a search',
      decodeSearch,
      encodeSearch({ ...search, limit: HITS_MAX }),
      encodeSearch({ ...search, limit: HITS_MAX + 1 }),
    ],
    [
      'words that are asked about',
      decodeNearWords,
      encodeNearWords(repeated('orbit', NEAR_ASKED_MAX)),
      encodeNearWords(repeated('orbit', NEAR_ASKED_MAX + 1)),
    ],
    [
      'the length of a word that is asked about',
      decodeNearWords,
      encodeNearWords(['x'.repeat(NEAR_WORD_BYTES_MAX)]),
      encodeNearWords(['x'.repeat(NEAR_WORD_BYTES_MAX + 1)]),
    ],
    [
      'lists of words near others',
      decodeNearWordsReply,
      encodeNearWordsReply(repeated([], NEAR_ASKED_MAX)),
      encodeNearWordsReply(repeated([], NEAR_ASKED_MAX + 1)),
    ],
    [
      'words near another',
      decodeNearWordsReply,
      encodeNearWordsReply([repeated({ word: 'orbit', documents: 1 }, NEAR_WORDS_MAX)]),
      encodeNearWordsReply([repeated({ word: 'orbit', documents: 1 }, NEAR_WORDS_MAX + 1)]),
    ],
    [
      'the length of a word near another',
      decodeNearWordsReply,
      encodeNearWordsReply([[{ word: 'x'.repeat(NEAR_WORD_BYTES_MAX), documents: 1 }]]),
      encodeNearWordsReply([[{ word: 'x'.repeat(NEAR_WORD_BYTES_MAX + 1), documents: 1 }]]),
    ],
    [
      'what counts instead of a publication',
      decodeInstead,
      encodePublishReply(['stored'], repeated(event, INSTEAD_MAX)),
      encodePublishReply(['stored'], repeated(event, INSTEAD_MAX + 1)),
    ],
    [
      'hits of an answer',
      decodeSearchReply,
      encodeSearchReply({ ...reply, hits: repeated(hit([]), HITS_MAX) }),
      encodeSearchReply({ ...reply, hits: repeated(hit([]), HITS_MAX + 1) }),
    ],
    [
      'events that prove a hit',
      decodeSearchReply,
      encodeSearchReply({ ...reply, hits: [hit(repeated(event, PROOF_MAX))] }),
      encodeSearchReply({ ...reply, hits: [hit(repeated(event, PROOF_MAX + 1))] }),
    ],
    [
      'bytes of a query',
      decodeSearch,
      encodeSearch({ ...search, text: 'x'.repeat(QUERY_BYTES_MAX) }),
      encodeSearch({ ...search, text: 'x'.repeat(QUERY_BYTES_MAX + 1) }),
    ],
    [
      'digits of a cursor',
      decodeSearch,
      encodeSearch({ ...search, cursor: '9'.repeat(9) }),
      encodeSearch({ ...search, cursor: '9'.repeat(10) }),
    ],
    [
      'bytes of a query that is not ASCII',
      decodeSearch,
      encodeSearch({ ...search, text: 'é'.repeat(QUERY_BYTES_MAX / 2) }),
      encodeSearch({ ...search, text: 'é'.repeat(QUERY_BYTES_MAX / 2 + 1) }),
    ],
    [
      'digits of the cursor of a reply',
      decodeSearchReply,
      encodeSearchReply({ ...reply, hits: [], cursor: '9'.repeat(9) }),
      encodeSearchReply({ ...reply, hits: [], cursor: '9'.repeat(10) }),
    ],
    [
      'bytes of a digest',
      decodeCompare,
      encodeCompare([{ partition: 1, depth: 0, prefix: 0, digest: 'ab'.repeat(32) }]),
      encodeCompare([{ partition: 1, depth: 0, prefix: 0, digest: 'ab'.repeat(33) }]),
    ],
    ['hops', decodeSearch, encodeSearch({ ...search, hops: 16 }), encodeSearch({ ...search, hops: 17 })],
    [
      'events of a publication',
      decodePublish,
      encodePublish(repeated(event, EVENT_NAMES_MAX)),
      encodePublish(repeated(event, EVENT_NAMES_MAX + 1)),
    ],
    [
      'names',
      decodeFetch,
      encodeFetch(repeated({ author, authorSeq: 1 }, EVENT_NAMES_MAX)),
      encodeFetch(repeated({ author, authorSeq: 1 }, EVENT_NAMES_MAX + 1)),
    ],
    [
      'sections',
      decodeCompare,
      encodeCompare(repeated(digest, SECTIONS_MAX)),
      encodeCompare(repeated(digest, SECTIONS_MAX + 1)),
    ],
    [
      'partitions',
      decodeCompare,
      encodeCompare([{ ...digest, partition: 1023 }]),
      encodeCompare([{ ...digest, partition: 1024 }]),
    ],
    [
      'sections of a depth',
      decodeCompare,
      encodeCompare([{ ...digest, depth: 1, prefix: 63 }]),
      encodeCompare([{ ...digest, depth: 1, prefix: 64 }]),
    ],
    [
      'bytes of a keyword',
      decodeSearch,
      encodeSearch({ ...search, keyword: 'x'.repeat(QUERY_BYTES_MAX) }),
      encodeSearch({ ...search, keyword: 'x'.repeat(QUERY_BYTES_MAX + 1) }),
    ],
    [
      'frequencies',
      decodeSearchReply,
      encodeSearchReply({ ...reply, frequencies: repeated({ word: 'orbit', documents: 1 }, FREQUENCIES_MAX) }),
      encodeSearchReply({ ...reply, frequencies: repeated({ word: 'orbit', documents: 1 }, FREQUENCIES_MAX + 1) }),
    ],
    [
      'bytes of a word that is counted',
      decodeSearchReply,
      encodeSearchReply({ ...reply, frequencies: [{ word: 'x'.repeat(QUERY_BYTES_MAX), documents: 1 }] }),
      encodeSearchReply({ ...reply, frequencies: [{ word: 'x'.repeat(QUERY_BYTES_MAX + 1), documents: 1 }] }),
    ],
    [
      'bytes of levels',
      decodeCompareReply,
      encodeCompareReply({ differing: [], compared: 0, level: new Uint8Array(LEVEL_BYTES) }),
      encodeCompareReply({ differing: [], compared: 0, level: new Uint8Array(LEVEL_BYTES + 1) }),
    ],
    ['depths', decodeCompare, encodeCompare([{ ...digest, depth: 5 }]), encodeCompare([{ ...digest, depth: 6 }])],
  ]
  for (const [what, decode, most, more] of bounds) {
    it(`take so many ${what}, and not one more`, () => {
      decode(most)
      assert.throws(() => decode(more), IndexMessageError)
    })
  }

  it('name a keyword, a node that is not level, and the partitions in which one is', () => {
    assert.deepEqual(decodeSearch(encodeSearch({ ...search, keyword: 'orbit' })), { ...search, keyword: 'orbit' })
    assert.deepEqual(decodeSearch(encodeSearch(search)), search)
    const halfway = {
      ...reply,
      hits: [],
      notLevel: true,
      frequencies: [
        { word: 'orbit', documents: 7 },
        { word: 'the', documents: 79_362, kept: 10_000 },
      ],
    }
    assert.deepEqual(decodeSearchReply(encodeSearchReply(halfway)), halfway)
    const level = new Uint8Array(LEVEL_BYTES).fill(3)
    assert.deepEqual(decodeCompareReply(encodeCompareReply({ differing: [], compared: 7, level })).level, level)
  })

  it('have no cursor that is no number', () => {
    for (const cursor of ['x', '-1', '1.5', ' 7', '1e3', '٣'])
      assert.throws(() => decodeSearch(encodeSearch({ ...search, cursor })), /a cursor is the number of hits before it/)
  })

  it('hold as many hits, and as many events, as there is room for', () => {
    const hits = repeated(hit(repeated(event, 4)), 200)
    const taken = fittingHits(hits)
    const bytes = (count: number) => encodeSearchReply({ ...reply, hits: hits.slice(0, count) }).length
    assert.ok(taken.length > 50 && taken.length < 200)
    assert.ok(bytes(taken.length) <= EVENTS_BYTES_MAX && bytes(taken.length + 1) > EVENTS_BYTES_MAX * 0.9)
    assert.equal(fittingHits(hits.slice(0, 3)).length, 3)
    // The first goes whatever it takes: its description, and of the rest what fits.
    const long = { body: new Uint8Array(30_000), signature: new Uint8Array(64) }
    assert.deepEqual(fittingHits(repeated(hit([long, long]), 2)), [hit([long])])

    const count = Math.floor(EVENTS_BYTES_MAX / messageBytes(event))
    assert.equal(fitting(repeated(event, count + 1)).length, count)
    assert.equal(fitting(repeated(event, count)).length, count)
  })
})
