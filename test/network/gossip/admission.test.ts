import assert from 'node:assert/strict'
import {
  addressId,
  type ContentRules,
  type Event,
  type InfoHash,
  KINDS,
  type NodeId,
  type Ruling,
  type SignedEvent,
} from '../../../src/events/index.ts'
import { Admission } from '../../../src/network/gossip/admission.ts'
import { FIRST_HAND, FirstHand } from '../../../src/network/gossip/first-hand.ts'
import { SeenEvents } from '../../../src/network/gossip/seen-events.ts'
import { AUTHOR_EVENTS_BURST, SpreadRates } from '../../../src/network/gossip/spread-rates.ts'
import { OPEN_RULES } from '../open-rules.ts'
import { authorOf, eventOf, peerOf, SELF } from './gossip-at-the-door.ts'

const [NEAR, AUTHOR] = [peerOf(1), authorOf(1)]
const OTHER: Event = { kind: 'torrent.withdrawn', infoHash: '2'.repeat(40) as InfoHash, title: 'y' }
const ADMITTED: Event = { kind: 'node.admitted', credential: Uint8Array.of(5, 6) }
const LAMPORT_MAX = 1_000

describe('admission of events', () => {
  let checked: NodeId[]
  let asked: { kind: number; credential: Uint8Array | undefined }[]
  let held: Set<string>
  let seen: SeenEvents
  let rules: ContentRules
  let ruling: Ruling
  let admission: Admission
  const begin = (more: Partial<ContentRules> = {}) => {
    checked = []
    asked = []
    held = new Set()
    seen = new SeenEvents(100, 10_000)
    ruling = 'take'
    rules = {
      ...OPEN_RULES,
      lamportMax: () => LAMPORT_MAX,
      judge({ kind }, credential) {
        asked.push({ kind, credential })
        return ruling
      },
      ...more,
    }
    admission = new Admission({
      self: SELF,
      held: {
        lamport: 0,
        has: ({ author, stream, authorSeq }) => held.has(`${author} ${stream} ${authorSeq}`),
        versionVector: () => new Map(),
      },
      seen,
      rates: new SpreadRates(rules),
      verify(purpose, _bytes, signature, author) {
        assert.equal(purpose, 'event')
        checked.push(author)
        return signature[0] === 1
      },
      rules,
      firstHand: new FirstHand(rules),
    })
  }
  beforeEach(() => begin())

  const judge = (event: SignedEvent, { from = NEAR, live = true, now = 0 } = {}) => admission.judge(from, event, live, now)
  /** The verdict in words, and how many signatures were checked for it. */
  const verdictOn = (event: SignedEvent, from = NEAR): string => {
    const before = checked.length
    const judged = judge(event, { from })
    const why = judged.verdict === 'rejected' ? ` as ${judged.reason}, against its ${judged.against}` : ''
    return `${judged.verdict}${why}, ${checked.length - before} checked`
  }

  it('takes what is new, after one check against the key of its author', () => {
    const judged = judge(eventOf(AUTHOR, 3))
    assert.ok(judged.verdict === 'new' && judged.spread)
    assert.deepEqual([judged.header.author, judged.header.authorSeq, checked], [AUTHOR, 3, [AUTHOR]])
  })

  it('holds what nobody can read, or what does not travel, against who sent it, unchecked', () => {
    const malformed = 'rejected as malformed, against its sender, 0 checked'
    assert.equal(verdictOn({ body: Uint8Array.of(1, 2, 3), signature: new Uint8Array(64).fill(1) }), malformed)
    assert.equal(verdictOn({ body: new Uint8Array(), signature: new Uint8Array(64).fill(1) }), malformed)
    assert.equal(verdictOn(eventOf(AUTHOR, 1, { stream: 'local', event: { kind: 'node.stopped', reason: 'x' } })), malformed)
    assert.equal(verdictOn(eventOf(AUTHOR, 1, { stream: 'index' })), malformed)
    const event: Event = { kind: 'piece.judged', subject: addressId('10.0.0.300'), infoHash: OTHER.infoHash, good: [], bad: [] }
    assert.equal(verdictOn(eventOf(AUTHOR, 1, { event })), malformed)
    const judged = judge({ body: Uint8Array.of(1), signature: new Uint8Array(64) })
    assert.ok(judged.verdict === 'rejected' && judged.header === undefined)
  })

  it('holds a forged signature against who sent it', () => {
    assert.equal(verdictOn(eventOf(AUTHOR, 1, { forged: true })), 'rejected as bad-signature, against its sender, 1 checked')
    const judged = judge(eventOf(AUTHOR, 1, { forged: true }))
    assert.equal(judged.header?.authorSeq, 1)
    assert.deepEqual(asked, [], 'the rules are not asked about an author who did not sign')
  })

  it('knows a copy by its number: in the log, or among the events of late', () => {
    held.add(`${AUTHOR} gossip 1`)
    assert.equal(verdictOn(eventOf(AUTHOR, 1)), 'duplicate, 0 checked')
    assert.equal(verdictOn(eventOf(AUTHOR, 1, { event: OTHER, forged: true })), 'duplicate, 0 checked', 'nobody looks into it')
    seen.add(AUTHOR, 2, { event: eventOf(AUTHOR, 2), hops: 1 })
    assert.equal(verdictOn(eventOf(AUTHOR, 2)), 'duplicate, 0 checked')
    assert.equal(verdictOn(eventOf(AUTHOR, 3)), 'new, 1 checked')
  })

  it('holds another event of the same number against its author, if it signed that', () => {
    const fork = 'rejected as equivocation, against its author, 1 checked'
    const sent = eventOf(AUTHOR, 2)
    seen.add(AUTHOR, 2, { event: sent, hops: 1 })
    held.add(`${AUTHOR} gossip 2`)
    assert.equal(verdictOn(eventOf(AUTHOR, 2, { event: OTHER })), fork)
    assert.equal(verdictOn(eventOf(AUTHOR, 2, { at: 1 })), fork, 'a shorter or longer body')
    const last = Uint8Array.from(sent.body)
    last[last.length - 1] = (last.at(-1) ?? 0) ^ 1
    assert.equal(verdictOn({ ...sent, body: last }), fork, 'a byte is another')
    const payload = (bytes: number): Event => ({ kind: 'unknown', number: 999, payload: new Uint8Array(bytes) })
    const [none, some] = [0, 1].map((bytes) => eventOf(AUTHOR, 3, { event: payload(bytes) }))
    assert.ok(none && some)
    seen.add(AUTHOR, 3, { event: none, hops: 1 })
    assert.equal(verdictOn(some), fork)
    assert.equal(
      verdictOn(eventOf(AUTHOR, 2, { event: OTHER, forged: true })),
      'rejected as bad-signature, against its sender, 1 checked',
    )
  })

  it('holds no other event of one number against itself: it went on from an old copy of its log', () => {
    seen.add(SELF, 2, { event: eventOf(SELF, 2), hops: 0 })
    assert.equal(verdictOn(eventOf(SELF, 2, { event: OTHER })), 'duplicate, 0 checked')
  })

  it('looks at nothing of an author who is shut, but at the new admission of a revoked one', () => {
    const isShut: ContentRules['isShut'] = (author, stream) => author === AUTHOR && stream === 'gossip'
    begin({ isShut })
    assert.equal(verdictOn(eventOf(AUTHOR, 1, { forged: true })), 'ignored, 0 checked')
    assert.equal(verdictOn(eventOf(AUTHOR, 1, { event: ADMITTED })), 'ignored, 0 checked', 'shut for another reason')
    assert.equal(verdictOn(eventOf(authorOf(2), 1)), 'new, 1 checked')
    begin({ isShut, isRevoked: (author) => author === AUTHOR })
    assert.equal(verdictOn(eventOf(AUTHOR, 1)), 'ignored, 0 checked')
    assert.equal(verdictOn(eventOf(AUTHOR, 1, { event: ADMITTED })), 'new, 1 checked')
  })

  it('drops what an author says itself above its rate, unchecked', () => {
    begin({ partyOf: (author) => ({ key: author, standing: 'client' }) })
    for (let seq = 1; seq <= FIRST_HAND.client.burst; seq++) judge(eventOf(AUTHOR, seq, { lamport: 1 }), { from: AUTHOR })
    assert.equal(verdictOn(eventOf(AUTHOR, 9_999, { lamport: 1 }), AUTHOR), 'ignored, 0 checked')
    assert.equal(verdictOn(eventOf(AUTHOR, 9_999, { lamport: 1 }), NEAR), 'new, 1 checked')
  })

  it('takes only what the rules of the network take', () => {
    for (const other of ['defer', 'refuse', 'over-budget'] as const) {
      ruling = other
      assert.equal(verdictOn(eventOf(AUTHOR, 1)), 'ignored, 1 checked', other)
    }
  })

  it('shows the rules the credential of an admission, and of nothing else', () => {
    judge(eventOf(AUTHOR, 1, { event: ADMITTED }))
    judge(eventOf(AUTHOR, 2))
    const unreadable: Event = { kind: 'unknown', number: KINDS['node.admitted'].number, payload: Uint8Array.of(0xff) }
    const newer = eventOf(AUTHOR, 3, { event: unreadable })
    // The version stands in the second byte: of one that nobody here knows, the payload may be anything.
    newer.body[1] = 99
    assert.equal(verdictOn(newer), 'new, 1 checked')
    assert.deepEqual(
      asked.map(({ credential }) => credential),
      [Uint8Array.of(5, 6), undefined, new Uint8Array()],
    )
  })

  it('takes a stamp up to the highest that the network admits', () => {
    assert.equal(verdictOn(eventOf(AUTHOR, 1, { lamport: LAMPORT_MAX })), 'new, 1 checked')
    assert.equal(
      verdictOn(eventOf(AUTHOR, 1, { lamport: LAMPORT_MAX + 1 })),
      'rejected as clock-jump, against its author, 1 checked',
    )
  })

  it('has events of the broadcast spread up to the rate of their author, and all that come otherwise', () => {
    const spread = (seq: number, live: boolean, forged = false): boolean | undefined => {
      const judged = judge(eventOf(AUTHOR, seq, { lamport: 1, forged }), { live })
      return judged.verdict === 'new' ? judged.spread : undefined
    }
    assert.equal(spread(1, true, true), undefined, 'a forger uses nothing up')
    for (let seq = 1; seq <= AUTHOR_EVENTS_BURST; seq++) assert.equal(spread(seq, true), true)
    assert.deepEqual([spread(5_000, true), spread(5_000, false)], [false, true])
  })
})
