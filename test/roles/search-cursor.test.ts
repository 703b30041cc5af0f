import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import fc from 'fast-check'
import type { InfoHash, NodeId } from '../../src/events/index.ts'
import {
  CURSOR_PARTS_MAX,
  CURSOR_SHOWN_MAX,
  type CursorPart,
  decodeCursor,
  encodeCursor,
  isSamePart,
  type SearchPlace,
  shownMark,
} from '../../src/roles/search-cursor.ts'
import { hash, node } from '../projections/envelopes.ts'

const place = (more: Partial<SearchPlace> = {}): SearchPlace => ({ parts: [], salt: 7, shown: new Set(), ...more })
const parts = (count: number): CursorPart[] =>
  Array.from({ length: count }, (_, at) => ({ part: { partition: at }, position: at }))
const marks = (count: number) => new Set(Array.from({ length: count }, (_, at) => at))

describe('the cursor of a search', () => {
  const position = fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.constant('end' as const))
  const partition = fc.integer({ min: 0, max: 1023 }).map((number) => ({ partition: number }))
  const one = fc.oneof(partition, fc.constantFrom({ node: node('ada') }, { node: node('bob') }))

  it('says what it was made of, for its own query, in letters that a command line takes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.array(fc.record({ part: one, position }), { maxLength: CURSOR_PARTS_MAX, size: 'max' }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 24 - 1 }), { maxLength: 40, size: 'max' }),
        (query, all, salt, shown) => {
          const text = encodeCursor(query, { parts: all, salt, shown: new Set(shown) }) ?? ''
          const decoded = decodeCursor(query, text)
          ok(/^[\w-]+$/.test(text))
          deepEqual([decoded.salt, decoded.shown], [salt, new Set(shown)])
          equal(decoded.parts.length, all.length)
          for (const [at, { part, position: own }] of decoded.parts.entries()) {
            equal(own, all[at]?.position)
            ok(isSamePart(part, (all[at] as CursorPart).part))
          }
        },
      ),
      { numRuns: 50 },
    )
  })

  it('never takes what is none: a text of strangers is a sentence', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url')),
        ),
        (text) => throws(() => decodeCursor('orbit', text), { name: 'ServiceError', code: 'usage' }),
      ),
      { numRuns: 100 },
    )
  })

  it('belongs to one query, to the letter', () => {
    const text = encodeCursor('orbit', place({ parts: parts(1) })) ?? ''
    ok(decodeCursor('orbit', text))
    for (const other of ['orbits', 'Orbit', ' orbit', ''])
      throws(() => decodeCursor(other, text), { code: 'usage', message: /belongs to another query/ })
  })

  it('holds 32 parts and 1,000 torrents that were shown, and not one more', () => {
    const full = encodeCursor('orbit', place({ parts: parts(CURSOR_PARTS_MAX), shown: marks(CURSOR_SHOWN_MAX) }))
    ok(full !== undefined && full.length < 5_000)
    equal(decodeCursor('orbit', full).shown.size, 1_000)
    equal(encodeCursor('orbit', place({ parts: parts(CURSOR_PARTS_MAX + 1) })), undefined)
    equal(encodeCursor('orbit', place({ shown: marks(CURSOR_SHOWN_MAX + 1) })), undefined)
    throws(() => decodeCursor('orbit', `${full}${'A'.repeat(1_000)}`), /is no cursor/)
    // One more part than it says that it has, and a position that nobody looks at.
    const bytes = Buffer.from(encodeCursor('orbit', place({ parts: parts(1) })) ?? '', 'base64url')
    for (const [at, value] of [
      [12, CURSOR_PARTS_MAX + 1],
      [12, 2],
      [16, 0x27],
    ] as const) {
      const changed = Buffer.from(bytes)
      changed[at] = value
      if (at === 16) changed[17] = 0x11
      throws(() => decodeCursor('orbit', changed.toString('base64url')), /is no cursor/, `${at}: ${value}`)
    }
  })

  it('marks torrents otherwise in each search', () => {
    const infoHash = hash('orbit') as InfoHash
    equal(shownMark(1, infoHash), shownMark(1, infoHash))
    ok(shownMark(1, infoHash) !== shownMark(2, infoHash))
    ok(shownMark(1, infoHash) < 2 ** 24)
  })

  it('tells nodes apart by the first half of their names, and from partitions', () => {
    const [ada, bob] = [node('ada'), node('bob')]
    ok(isSamePart({ node: ada }, { node: ada.slice(0, 16) as NodeId }))
    ok(!isSamePart({ node: ada }, { node: bob }))
    ok(!isSamePart({ node: ada }, { partition: 1 }))
    ok(!isSamePart({ partition: 2 }, { partition: 1 }))
    ok(!isSamePart({ partition: 2 }, { node: ada }))
  })
})
