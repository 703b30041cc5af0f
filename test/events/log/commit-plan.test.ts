import assert from 'node:assert/strict'
import { TRAVELLING_BODY_BYTES_MAX } from '../../../src/events/codec/body.ts'
import type {
  ContentRules,
  Draft,
  InfoHash,
  Ruling,
  SignedEvent,
  Signer,
  Stream,
  UnsignedEvent,
} from '../../../src/events/index.ts'
import { signsInTurn } from '../../../src/events/keys/signer.ts'
import { CommitPlan } from '../../../src/events/log/commit-plan.ts'
import { GAPS_MAX, LogState } from '../../../src/events/log/log-state.ts'
import { foreign, noUpcast, numbered, signerOf, tickingClock } from '../samples.ts'
import { verifySignature } from '../test-network.ts'

const [ME, BOB, EVE] = [signerOf(1), signerOf(2), signerOf(3)] as const
const local: Draft = { event: { kind: 'node.stopped', reason: 'x' } }
const published: UnsignedEvent = {
  stream: 'index',
  event: {
    ...{ kind: 'torrent.published', infoHash: 'ab'.repeat(20) as InfoHash, title: 'orbit' },
    ...{ sizeBytes: 1, fileCount: 1, tags: [] },
  },
}
const renewed: UnsignedEvent = { stream: 'index', event: { kind: 'offers.renewed' } }
const tooLong: Draft = { event: { kind: 'node.stopped', reason: 'x'.repeat(1_000_000) } }
const RULES: ContentRules = {
  ...{ isRevoked: () => false, isShut: () => false, judge: () => 'take' },
  ...{ lamportMax: () => 1_000, ownLamportMax: () => 500 },
}

function plan(state = new LogState(), rules?: Partial<ContentRules>) {
  const begun: number[] = []
  const inTurn = signsInTurn(ME)
  const signer = {
    ...inTurn,
    begin: (count: number) => {
      begun.push(count)
      inTurn.begin(count)
    },
  }
  const tools = { signer: ME, clock: tickingClock(5_000), upcast: noUpcast, ...(rules && { rules: { ...RULES, ...rules } }) }
  const made = new CommitPlan(state, tools, signer, 7)
  assert.deepEqual(begun, [7])
  return made
}
/** A state that holds these. */
function stateOf(
  head: number,
  lamport: number,
  ...runs: readonly { author: Signer; stream: Stream; authorSeq: number; count: number }[]
): LogState {
  const state = new LogState()
  state.advance(
    head,
    lamport,
    runs.map(({ author, ...run }, index) => ({ ...run, author: author.id, seq: index + 1 })),
  )
  return state
}
const numbersOf = (envelopes: readonly { seq: number; stream: Stream; authorSeq: number; lamport: number; at: number }[]) =>
  envelopes.map(({ seq, stream, authorSeq, lamport, at }) => [seq, stream, authorSeq, lamport, at])
const by = (signer: Signer, authorSeq: number, lamport = authorSeq, draft: UnsignedEvent = published) =>
  foreign(signer, authorSeq, lamport, draft)
const outcomes = (made: CommitPlan, ...events: readonly SignedEvent[]) =>
  events.map((event) => {
    const ingested = made.ingest(event)
    return ingested.outcome === 'rejected' ? ingested.reason : ingested.outcome
  })

describe('the plan of a commit', () => {
  it('numbers and stamps own events behind all that is known, by stream', () => {
    const state = stateOf(
      9,
      40,
      { author: ME, stream: 'local', authorSeq: 1, count: 3 },
      { author: ME, stream: 'gossip', authorSeq: 8, count: 2 },
    )
    const made = plan(state)
    assert.deepEqual(numbersOf(made.append([local, numbered(1), local])), [
      [10, 'local', 4, 41, 5_000],
      [11, 'gossip', 10, 42, 5_001],
      [12, 'local', 5, 43, 5_002],
    ])
    assert.deepEqual(numbersOf(made.append([published, numbered(2)])), [
      [13, 'index', 1, 44, 5_003],
      [14, 'gossip', 11, 45, 5_004],
    ])
    assert.equal(made.lamport, 45)
    assert.deepEqual([state.head, state.clock.now], [9, 40], 'the state is as it was')
    assert.deepEqual(
      made.runs.map(({ stream, authorSeq, seq, count }) => [stream, authorSeq, seq, count]),
      [
        ['local', 4, 10, 1],
        ['gossip', 10, 11, 1],
        ['local', 5, 12, 1],
        ['index', 1, 13, 1],
        ['gossip', 11, 14, 1],
      ],
    )
  })

  it('gives out no number below those that may be known to others', () => {
    const state = new LogState()
    state.floors = { gossip: 70, index: 1 }
    const made = plan(state)
    assert.deepEqual(
      made.append([numbered(1), numbered(2), published]).map(({ authorSeq }) => authorSeq),
      [70, 71, 1],
    )
  })

  it('stamps no own event beyond what others take', () => {
    const made = plan(stateOf(1, 499), { ownLamportMax: () => 500 })
    assert.deepEqual(
      made.append([local, local, local]).map(({ lamport }) => lamport),
      [500, 500, 500],
    )
  })

  it('signs own events at the end, each with its own signature, and leaves those of others as they came', () => {
    const made = plan()
    made.append([numbered(1)])
    const theirs = by(BOB, 1)
    made.ingest(theirs)
    made.append([numbered(2)])
    assert.deepEqual(
      made.events.map(({ signature }) => signature.length),
      [0, 64, 0],
    )
    made.sign()
    const [first, second, third] = made.events
    for (const own of [first, third])
      assert.equal(verifySignature('event', own?.body ?? new Uint8Array(), own?.signature ?? new Uint8Array(), ME.id), true)
    assert.deepEqual([second?.body, second?.signature], [theirs.body, theirs.signature])
    assert.deepEqual(
      made.events.map(({ envelope }) => envelope.seq),
      [1, 2, 3],
    )
  })

  it('is as it was where one of the drafts is refused', () => {
    const made = plan()
    made.append([local])
    assert.throws(() => made.append([local, numbered(1), tooLong]))
    assert.deepEqual([made.events.length, made.lamport], [1, 1])
    assert.deepEqual(
      numbersOf(made.append([numbered(1), local])).map(([seq, stream, authorSeq, lamport]) => [
        seq,
        stream,
        authorSeq,
        lamport,
      ]),
      [
        [2, 'gossip', 1, 2],
        [3, 'local', 2, 3],
      ],
    )
  })

  it('takes an event of another once, of the log or of this commit', () => {
    const made = plan(stateOf(4, 9, { author: BOB, stream: 'index', authorSeq: 1, count: 2 }))
    assert.deepEqual(outcomes(made, by(BOB, 2), by(BOB, 4), by(BOB, 3), by(BOB, 3), by(BOB, 4), by(EVE, 3)), [
      'duplicate',
      'appended',
      'appended',
      'duplicate',
      'duplicate',
      'appended',
    ])
    assert.deepEqual(outcomes(made, by(BOB, 3, 3, numbered(3))), ['appended'], 'the same number of another stream')
    assert.deepEqual(
      made.events.map(({ envelope }) => [envelope.seq, envelope.authorSeq]),
      [
        [5, 4],
        [6, 3],
        [7, 3],
        [8, 3],
      ],
    )
  })

  it('moves its clock to the stamps of others, and takes none beyond the bound', () => {
    const made = plan(new LogState(), { lamportMax: () => 100 })
    assert.deepEqual(outcomes(made, by(BOB, 1, 101)), ['clock-jump'])
    assert.equal(made.lamport, 0)
    assert.deepEqual(outcomes(made, by(BOB, 1, 100), by(BOB, 2, 3)), ['appended', 'appended'])
    assert.equal(made.lamport, 100)
    assert.equal(made.append([local])[0]?.lamport, 101)
    const free = plan()
    assert.deepEqual(outcomes(free, by(BOB, 1, Number.MAX_SAFE_INTEGER)), ['appended'], 'tools take what they are given')
  })

  it('takes no private event of another, and its own back from a copy, with the numbers behind them', () => {
    const made = plan()
    const mine = (authorSeq: number): SignedEvent =>
      by(ME, authorSeq, authorSeq, { stream: 'local', event: { kind: 'node.stopped', reason: 'x' } })
    assert.deepEqual(outcomes(made, by(BOB, 1, 1, { stream: 'local', event: { kind: 'node.stopped', reason: 'x' } })), [
      'malformed',
    ])
    assert.deepEqual(outcomes(made, mine(5), mine(3)), ['appended', 'appended'])
    assert.deepEqual(
      made.append([local]).map(({ authorSeq }) => authorSeq),
      [6],
    )
    assert.deepEqual(outcomes(made, mine(6)), ['duplicate'])
  })

  it('takes nothing that is malformed', () => {
    const made = plan()
    const event = by(BOB, 1)
    assert.deepEqual(outcomes(made, { ...event, signature: new Uint8Array(63) }, { ...event, signature: new Uint8Array(65) }), [
      'malformed',
      'malformed',
    ])
    assert.deepEqual(outcomes(made, { ...event, body: event.body.slice(0, -1) }, { ...event, body: new Uint8Array() }), [
      'malformed',
      'malformed',
    ])
    // A kind of one stream in another.
    assert.deepEqual(outcomes(made, by(BOB, 1, 1, { ...published, stream: 'gossip' } as UnsignedEvent)), ['malformed'])
    assert.equal(made.events.length, 0)
    assert.deepEqual(outcomes(made, event), ['appended'])
  })

  it('takes a body of 48 KiB and none that is longer', () => {
    const made = plan()
    // Of a kind that nobody knows, so that its payload may be anything.
    const bodyOf = (bytes: number): Uint8Array => {
      const begin = [8, 1, 16, 231, 7, 24, 1, 34, 32, ...Buffer.from(BOB.id, 'hex'), 40, 2, 48, 1, 56, 0, 66]
      const length = bytes - begin.length - 3
      const body = new Uint8Array(bytes)
      body.set([...begin, (length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14])
      return body
    }
    const signed = (bytes: number): SignedEvent => ({ body: bodyOf(bytes), signature: new Uint8Array(64) })
    const max = TRAVELLING_BODY_BYTES_MAX
    assert.equal(max, 48 * 1024)
    assert.deepEqual(outcomes(made, signed(max + 1), signed(max)), ['malformed', 'appended'])
  })

  it('passes on what is no fault of the event', () => {
    const bug = new TypeError('a bug')
    const made = plan(new LogState(), {
      lamportMax: () => {
        throw bug
      },
    })
    assert.throws(() => made.ingest(by(BOB, 1)), bug)
  })

  it('asks the rules of the network about others alone, with the credential that is shown', () => {
    const asked: unknown[] = []
    let ruling: Ruling = 'take'
    const made = plan(new LogState(), {
      judge: ({ author, stream }, credential) => {
        asked.push([author, stream, credential])
        return ruling
      },
    })
    const admitted = by(BOB, 1, 1, { stream: 'gossip', event: { kind: 'node.admitted', credential: new Uint8Array([5, 6]) } })
    assert.deepEqual(outcomes(made, admitted, by(BOB, 1), by(ME, 1)), ['appended', 'appended', 'appended'])
    assert.deepEqual(asked, [
      [BOB.id, 'gossip', new Uint8Array([5, 6])],
      [BOB.id, 'index', undefined],
    ])
    const rulings: readonly (readonly [Ruling, string])[] = [
      ['defer', 'deferred'],
      ['refuse', 'not-admitted'],
      ['over-budget', 'over-budget'],
    ]
    for (const [next, outcome] of rulings) {
      ruling = next
      assert.deepEqual(outcomes(made, by(BOB, 2)), [outcome])
    }
    assert.equal(made.events.length, 3)
    // What was in a log before is counted by nobody.
    ruling = 'over-budget'
    assert.equal(made.ingest(by(BOB, 2), 'stored').outcome, 'appended')
    ruling = 'refuse'
    assert.equal(made.ingest(by(BOB, 3), 'stored').outcome, 'rejected')
  })

  it('takes room for what arrives from others, of one budget a commit, and for nothing else', () => {
    const taken: unknown[] = []
    let budgets = 0
    let room = 2
    const rules: Partial<ContentRules> = {
      budget: () => {
        budgets++
        return {
          take: (author, stream, bytes, isRenewal) => {
            taken.push([author, stream, bytes > 0, isRenewal])
            return room-- > 0
          },
        }
      },
    }
    const made = plan(new LogState(), rules)
    made.append([published])
    assert.deepEqual(outcomes(made, by(ME, 5)), ['appended'])
    assert.equal(made.ingest(by(BOB, 9), 'stored').outcome, 'appended')
    assert.deepEqual([budgets, taken], [0, []])
    assert.deepEqual(outcomes(made, by(BOB, 1), by(BOB, 2, 2, renewed), by(BOB, 3), by(BOB, 1)), [
      'appended',
      'appended',
      'over-budget',
      'duplicate',
    ])
    assert.equal(budgets, 1)
    assert.deepEqual(taken, [
      [BOB.id, 'index', true, false],
      [BOB.id, 'index', false, true],
      [BOB.id, 'index', true, false],
    ])
    assert.equal(made.events.length, 5)
    assert.equal(plan(new LogState(), {}).ingest(by(BOB, 1)).outcome, 'appended', 'without a budget there is room')
  })

  it('defers an event that would leave one hole too many, and takes what follows or fills one', () => {
    const state = new LogState()
    const gaps = GAPS_MAX.gossip
    // Each a hole: 2, 4, 6 and so on.
    state.advance(
      gaps,
      1,
      Array.from({ length: gaps }, (_, index) => ({
        ...{ author: BOB.id, stream: 'gossip' as const },
        authorSeq: 2 * index + 2,
        seq: index + 1,
        count: 1,
      })),
    )
    const made = plan(state)
    const say = (authorSeq: number): SignedEvent => by(BOB, authorSeq, 1, numbered(authorSeq))
    assert.deepEqual(outcomes(made, say(2 * gaps + 2), say(2 * gaps + 1), say(1)), ['deferred', 'appended', 'appended'])
    assert.deepEqual(outcomes(made, by(EVE, 2, 1, numbered(2))), ['appended'], 'of another author')
  })
})
