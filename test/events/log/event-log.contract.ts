import assert from 'node:assert/strict'
import fc from 'fast-check'
import { TRAVELLING_BODY_BYTES_MAX } from '../../../src/events/codec/body.ts'
import {
  ALL_KINDS,
  BODY_BYTES_MAX,
  type ContentRules,
  type Envelope,
  type EventLog,
  LogError,
  type Origin,
  type Ruling,
  type SignedEvent,
  type Signer,
} from '../../../src/events/index.ts'
import { GAPS_MAX } from '../../../src/events/log/log-state.ts'
import { EVERY_KIND, foreign, numbered, randomSigner, signerOf } from '../samples.ts'
import { verifySignature } from '../test-network.ts'

/** Opens an empty log for this signer; the caller disposes of it, the suite's `after` hook of its files. */
export type OpenEmptyLog = (signer: Signer, rules?: ContentRules) => Promise<EventLog>

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const seqs = (envelopes: readonly Envelope[]): number[] => envelopes.map((envelope) => envelope.seq)
/** The numbers of `numbered` events. */
const numbersOf = (envelopes: readonly Envelope[]): (number | string)[] =>
  envelopes.map(({ event }) => ('incarnation' in event ? event.incarnation : event.kind))

/** What every implementation of EventLog promises. */
export function describeEventLog(name: string, open: OpenEmptyLog): void {
  describe(`${name}, as an event log`, () => {
    const signer = randomSigner()
    const author = randomSigner()

    it('is empty at first', async () => {
      await using log = await open(signer)
      assert.deepEqual([log.author, log.head, log.lamport], [signer.id, 0, 0])
      assert.deepEqual(await all(log.read()), [])
      assert.equal(log.versionVector().size, 0)
      assert.deepEqual(log.held(), { events: 0, authors: 0 })
      assert.deepEqual(await log.append([]), [])
      assert.deepEqual(await log.ingest([]), [])
    })

    it('gives back every kind of event as it was appended', async () => {
      await using log = await open(signer)
      const appended = await log.append(EVERY_KIND)
      assert.deepEqual(new Set(EVERY_KIND.map(({ event }) => event.kind)), new Set(ALL_KINDS))
      assert.deepEqual(
        appended.map(({ stream, event }) => ({ stream, event })),
        EVERY_KIND,
      )
      assert.deepEqual(await all(log.read()), appended)
    })

    it('numbers own events by stream, stamps them with a clock that only rises, and signs them', async () => {
      await using log = await open(signer)
      const local = { stream: 'local', event: { kind: 'node.stopped', reason: 'test' } } as const
      await log.append([numbered(1), local])
      await log.append([numbered(2), local])
      const read = await all(log.read())
      assert.deepEqual(
        read.map(({ seq, stream, authorSeq, lamport }) => [seq, stream, authorSeq, lamport]),
        [
          [1, 'gossip', 1, 1],
          [2, 'local', 1, 2],
          [3, 'gossip', 2, 3],
          [4, 'local', 2, 4],
        ],
      )
      const signed = await log.readSignedAt([3, 1])
      assert.deepEqual(await all(log.readSigned(signer.id, 'gossip', 1, 9)), [signed[1], signed[0]])
      for (const { body, signature } of signed) assert.equal(verifySignature('event', body, signature, signer.id), true)
    })

    it('reads a range, both ends inclusive, and only the kinds asked for', async () => {
      await using log = await open(signer)
      for (const draft of EVERY_KIND) await log.append([draft])
      const whole = await all(log.read())
      assert.deepEqual(await all(log.read({ from: 3, to: 5 })), whole.slice(2, 5))
      assert.deepEqual(await all(log.read({ from: 20, to: 900 })), whole.slice(19))
      assert.deepEqual(await all(log.read({ from: 900 })), [])
      assert.deepEqual(await all(log.read({ from: 5, to: 4 })), [])
      const kinds = ['member.dead', 'download.added'] as const
      assert.deepEqual(
        (await all(log.read({ kinds }))).map(({ event }) => event.kind),
        kinds,
      )
      assert.deepEqual(await all(log.read({ kinds: [] })), [])
      assert.deepEqual((await all(log.readBatches({ from: 2, kinds: ['piece.judged', 'node.started'] }))).flat().length, 1)
    })

    it('reads on a snapshot: what is appended meanwhile is not seen', async () => {
      await using log = await open(signer)
      await log.append([numbered(1), numbered(2)])
      const reading = log.read()
      await log.append([numbered(3)])
      assert.deepEqual(numbersOf(await all(reading)), [1, 2])
      const seen: number[] = []
      for await (const { seq } of log.read()) {
        seen.push(seq)
        if (seq === 1) await log.append(Array.from({ length: 300 }, (_, index) => numbered(index)))
      }
      assert.deepEqual(seen, [1, 2, 3])
    })

    it('keeps the order in which appends were called, each call whole', async () => {
      await using log = await open(signer)
      const calls = Array.from({ length: 60 }, (_, call) => [numbered(call * 2), numbered(call * 2 + 1)])
      const answers = await Promise.all(calls.map((drafts, call) => log.append(drafts, { durable: call % 20 === 0 })))
      assert.deepEqual(
        numbersOf(answers.flat()),
        Array.from({ length: 120 }, (_, index) => index),
      )
      assert.deepEqual(await all(log.read()), answers.flat())
    })

    it('refuses a draft that could not be read back, all of its call, and nothing else', async () => {
      await using log = await open(signer)
      const endless = { stream: 'local', event: { kind: 'node.stopped', reason: 'x'.repeat(BODY_BYTES_MAX) } } as const
      const unreadable = { stream: 'local', event: { kind: 'node.stopped', reason: 'x'.repeat(4000) } } as const
      const first = log.append([numbered(1)])
      const second = assert.rejects(log.append([numbered(2), endless]), { name: 'BodyError' })
      const third = assert.rejects(log.append([numbered(3), unreadable]), { name: 'PayloadError' })
      const fourth = log.append([numbered(4)])
      await Promise.all([first, second, third, fourth])
      const read = await all(log.read())
      assert.deepEqual(numbersOf(read), [1, 4])
      assert.deepEqual(
        read.map(({ authorSeq, lamport }) => [authorSeq, lamport]),
        [
          [1, 1],
          [2, 2],
        ],
      )
    })

    it('takes events of others with their stamps, and moves its clock past them', async () => {
      await using log = await open(signer)
      const outcomes = await log.ingest([foreign(author, 1, 40), foreign(author, 2, 41)])
      assert.deepEqual(
        outcomes.map((ingested) => (ingested.outcome === 'appended' ? ingested.envelope.lamport : ingested.outcome)),
        [40, 41],
      )
      const [own] = await log.append([numbered(0)])
      assert.equal(own?.lamport, 42)
      assert.equal(own?.seq, 3)
      assert.deepEqual(log.held(), { events: 3, authors: 2 })
      assert.deepEqual(
        [...log.versionVector()],
        [
          [author.id, 2],
          [signer.id, 1],
        ],
      )
    })

    it('stores an event once, however often and together it comes', async () => {
      await using log = await open(signer)
      const event = foreign(author, 1, 1)
      const [twice, again] = await Promise.all([log.ingest([event, event]), log.ingest([event])])
      assert.deepEqual(
        [...twice, ...again].map(({ outcome }) => outcome),
        ['appended', 'duplicate', 'duplicate'],
      )
      assert.deepEqual(
        (await log.ingest([event])).map(({ outcome }) => outcome),
        ['duplicate'],
      )
      assert.equal(log.has({ author: author.id, stream: 'gossip', authorSeq: 1 }), true)
      assert.equal(log.has({ author: author.id, stream: 'gossip', authorSeq: 2 }), false)
      assert.equal(log.has({ author: author.id, stream: 'index', authorSeq: 1 }), false)
      assert.deepEqual(
        (['gossip', 'index'] as const).map((stream) => log.seqOf({ author: author.id, stream, authorSeq: 1 })),
        [1, undefined],
      )
      assert.equal(log.seqOf({ author: author.id, stream: 'gossip', authorSeq: 2 }), undefined)
      assert.equal(log.head, 1)
    })

    it('refuses a stamp that would drag the clock along, and goes on where it stood', async () => {
      await using log = await open(signer, {
        isRevoked: () => false,
        isShut: () => false,
        lamportMax: () => 1_000,
        ownLamportMax: () => 500,
        judge: () => 'take',
      })
      await log.ingest([foreign(author, 1, 10)])
      const outcomes = await log.ingest([
        foreign(author, 2, 1_001),
        foreign(author, 3, Number.MAX_SAFE_INTEGER),
        foreign(author, 4, 1_000),
      ])
      assert.deepEqual(outcomes.slice(0, 2), [
        { outcome: 'rejected', reason: 'clock-jump' },
        { outcome: 'rejected', reason: 'clock-jump' },
      ])
      assert.equal(outcomes[2]?.outcome, 'appended')
      assert.equal(log.lamport, 1_000)
      // Others may be behind our clock: what we say ourselves is theirs to take too.
      assert.deepEqual(
        (await log.append([numbered(1), numbered(2)])).map(({ lamport }) => lamport),
        [500, 500],
      )
    })

    it('stores nothing of an author that the network has not admitted, and asks again for one that it may yet', async () => {
      const rulings = new Map<string, Ruling>([
        [author.id, 'take'],
        [signerOf(8).id, 'defer'],
        [signerOf(9).id, 'refuse'],
      ])
      const rules: ContentRules = {
        isRevoked: () => false,
        isShut: () => false,
        lamportMax: () => 1_000,
        ownLamportMax: () => 500,
        judge: (header) => rulings.get(header.author) ?? 'refuse',
      }
      await using log = await open(signer, rules)
      const outcomes = await log.ingest([foreign(author, 1, 1), foreign(signerOf(8), 1, 2), foreign(signerOf(9), 1, 3)])
      assert.equal(outcomes[0]?.outcome, 'appended')
      assert.deepEqual(outcomes.slice(1), [{ outcome: 'deferred' }, { outcome: 'rejected', reason: 'not-admitted' }])
      assert.deepEqual([log.head, log.lamport], [1, 1])
    })

    it('asks the budget for what is arriving, one commit at a time, and for nothing that is imported', async () => {
      const asked: [stream: string, payloadBytes: number][] = []
      let ruling: Ruling = 'take'
      const rules: ContentRules = {
        isRevoked: () => false,
        isShut: () => false,
        lamportMax: () => 1_000,
        ownLamportMax: () => 500,
        judge: () => ruling,
        budget: () => {
          let left = 1
          return { take: (_author, stream, payloadBytes) => asked.push([stream, payloadBytes]) > 0 && left-- > 0 }
        },
      }
      await using log = await open(signer, rules)
      const outcomesOf = async (events: readonly SignedEvent[], origin: Origin = 'arriving') =>
        (await log.ingest(events, { origin })).map(({ outcome }) => outcome)
      assert.deepEqual(await outcomesOf([foreign(author, 1, 1), foreign(author, 2, 2)]), ['appended', 'over-budget'])
      const [first] = await all(log.read())
      assert.deepEqual(asked, Array(2).fill(['gossip', first?.payloadBytes]))
      assert.ok(first !== undefined && first.payloadBytes > 0)
      // Nothing was stored of it, and the same copy is welcome once there is room.
      assert.equal(log.has({ author: author.id, stream: 'gossip', authorSeq: 2 }), false)
      assert.deepEqual(await outcomesOf([foreign(author, 1, 1), foreign(author, 2, 2)]), ['duplicate', 'appended'])
      ruling = 'over-budget'
      assert.deepEqual(await outcomesOf([foreign(author, 3, 3)]), ['over-budget'])
      assert.deepEqual(await outcomesOf([foreign(author, 3, 3), foreign(author, 4, 4)], 'stored'), ['appended', 'appended'])
      assert.equal(asked.length, 3)
      assert.deepEqual(await outcomesOf([foreign(signer, 1, 5)]), ['appended'], 'its own come back')
    })

    it('takes each kind in its own stream alone', async () => {
      await using log = await open(signer)
      const strays = EVERY_KIND.flatMap(({ stream, event }) =>
        (['gossip', 'index'] as const).filter((other) => other !== stream).map((other) => ({ stream: other, event })),
      )
      const outcomes = await log.ingest(strays.map((draft, index) => foreign(author, index + 1, index + 1, draft)))
      assert.deepEqual(
        outcomes.filter(({ outcome }) => outcome === 'appended'),
        [],
      )
      assert.equal(log.head, 0)
    })

    it('refuses what is no event, private events of others and signatures of a wrong length', async () => {
      await using log = await open(signer)
      const good = foreign(author, 1, 1)
      const bad: SignedEvent[] = [
        { body: new Uint8Array(), signature: good.signature },
        { body: good.body.slice(0, -1), signature: good.signature },
        { body: new Uint8Array([...good.body, 8, 1]), signature: good.signature },
        { body: good.body, signature: good.signature.slice(1) },
        foreign(author, 1, 1, { stream: 'local', event: { kind: 'node.stopped', reason: 'not ours' } }),
        foreign(author, 1, 0),
      ]
      assert.deepEqual(
        (await log.ingest(bad)).map((ingested) => (ingested.outcome === 'rejected' ? ingested.reason : ingested.outcome)),
        ['malformed', 'malformed', 'malformed', 'malformed', 'malformed', 'clock-jump'],
      )
      assert.equal(log.head, 0)
    })

    it('refuses an event that names no address, and reads one that it holds already as of nobody known', async () => {
      await using log = await open(signer)
      const said = { kind: 'member.alive', subject: author.id, incarnation: 1, role: 'index' } as const
      const named = foreign(author, 1, 1, {
        stream: 'gossip',
        event: { ...said, host: 'victim.example', port: 53, dhtPort: 54 },
      })
      assert.deepEqual(await log.ingest([named]), [{ outcome: 'rejected', reason: 'malformed' }])
      assert.equal(log.head, 0)
      const [kept] = await log.ingest([named], { origin: 'stored' })
      assert.equal(kept?.outcome, 'appended')
      const read = (await all(log.read())).map(({ event }) => event)
      assert.deepEqual(read, [{ ...said, host: '', port: 0, dhtPort: 0 }])
      assert.deepEqual(read, kept?.outcome === 'appended' ? [kept.envelope.event] : [])
      assert.deepEqual([...((await log.readSignedAt([1]))[0]?.body ?? [])], [...named.body])
    })

    it('appends no event of its own that names no address', async () => {
      await using log = await open(signer)
      const said = { kind: 'member.alive', subject: signer.id, incarnation: 1, role: 'index' } as const
      const event = { ...said, host: '0.0.0.0', port: 53, dhtPort: 0 }
      await assert.rejects(log.append([{ event }]), { name: 'PayloadError' })
    })

    it('keeps kinds it does not know, byte for byte', async () => {
      await using log = await open(signer)
      const event = { kind: 'unknown', number: 4000, payload: new Uint8Array([1, 2, 3]) } as const
      const signed = foreign(author, 1, 1, { stream: 'gossip', event })
      await log.ingest([signed])
      assert.deepEqual(
        (await all(log.read())).map((envelope) => envelope.event),
        [event],
      )
      const [kept] = await log.readSignedAt([1])
      assert.deepEqual([...(kept?.body ?? [])], [...signed.body])
      assert.deepEqual(await all(log.read({ kinds: ALL_KINDS })), [])
    })

    it('keeps an event that a newer version wrote, unread', async () => {
      await using log = await open(signer)
      const { body, signature } = foreign(author, 1, 1)
      // The version is the second byte of a body.
      const newer = body.with(1, 9)
      const [ingested] = await log.ingest([{ body: newer, signature }])
      assert.equal(ingested?.outcome, 'appended')
      const [envelope] = await all(log.read())
      assert.deepEqual([envelope?.version, envelope?.event.kind], [9, 'unknown'])
      assert.deepEqual([...((await log.readSignedAt([1]))[0]?.body ?? [])], [...newer])
    })

    it('counts contiguous heads over any order of arrival, and finds each event by its author', async () => {
      await using log = await open(signer)
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(Array.from({ length: 24 }, (_, index) => index + 1)), async (order) => {
          const someone = randomSigner()
          for (const authorSeq of order) await log.ingest([foreign(someone, authorSeq, authorSeq)])
          let contiguous = 0
          while (order.includes(contiguous + 1)) contiguous++
          assert.equal(log.versionVector().get(someone.id) ?? 0, contiguous)
          const signed = await all(log.readSigned(someone.id, 'gossip', 5, 20))
          const expected = order.filter((authorSeq) => authorSeq >= 5 && authorSeq <= 20).sort((a, b) => a - b)
          assert.deepEqual(
            signed.map(({ body }) => [...body]),
            expected.map((authorSeq) => [...foreign(someone, authorSeq, authorSeq).body]),
          )
        }),
        { numRuns: 25 },
      )
    })

    it('defers an event when its author has left too many holes', async () => {
      await using log = await open(signer)
      const holes = Array.from({ length: 4200 }, (_, index) => foreign(author, index * 2 + 2, index + 1))
      const outcomes = await log.ingest(holes)
      assert.ok(outcomes.some(({ outcome }) => outcome === 'deferred'))
      assert.equal((await log.ingest([foreign(author, 1, 1)]))[0]?.outcome, 'appended')
      assert.equal(log.versionVector().get(author.id), 2)
    })

    it('defers an event that would leave one hole too many, and takes one that leaves none', async () => {
      await using log = await open(signer)
      const most = GAPS_MAX.gossip
      const holes = Array.from({ length: most }, (_, index) => foreign(author, index * 2 + 2, index + 1))
      for (let from = 0; from < most; from += 64) await log.ingest(holes.slice(from, from + 64))
      assert.equal(log.held().events, most)
      const next = most * 2
      assert.deepEqual(await log.ingest([foreign(author, next + 2, 1)]), [{ outcome: 'deferred' }])
      assert.equal((await log.ingest([foreign(author, next + 1, 1)]))[0]?.outcome, 'appended')
    })

    it('refuses a body that is longer than what travels', async () => {
      await using log = await open(signer)
      const bodyOf = (bytes: number): Uint8Array => {
        const begin = [8, 1, 16, 231, 7, 24, 1, 34, 32, ...Buffer.from(author.id, 'hex'), 40, 2, 48, 1, 56, 0, 66]
        const length = bytes - begin.length - 3
        const body = new Uint8Array(bytes)
        body.set([...begin, (length & 127) | 128, ((length >> 7) & 127) | 128, length >> 14])
        return body
      }
      const ingest = async (bytes: number) => (await log.ingest([{ body: bodyOf(bytes), signature: new Uint8Array(64) }]))[0]
      assert.deepEqual(await ingest(TRAVELLING_BODY_BYTES_MAX + 1), { outcome: 'rejected', reason: 'malformed' })
      assert.equal((await ingest(TRAVELLING_BODY_BYTES_MAX))?.outcome, 'appended')
    })

    it('gives out no number that comes back in the same commit', async () => {
      await using log = await open(signer)
      const [, [next]] = await Promise.all([log.ingest([foreign(signer, 5, 30)]), log.append([numbered(6)])])
      assert.deepEqual([next?.authorSeq, next?.lamport], [6, 31])
      assert.equal((await log.ingest([foreign(signer, 6, 31)]))[0]?.outcome, 'duplicate')
    })

    it('reads the signed events of an author once each, however many', async () => {
      await using log = await open(signer)
      await log.append(Array.from({ length: 600 }, (_, index) => numbered(index)))
      const signed = await all(log.readSigned(signer.id, 'gossip', 1, 1_000))
      assert.equal(signed.length, 600)
      assert.equal(new Set(signed.map(({ body }) => Buffer.from(body).toString('hex'))).size, 600)
      await assert.rejects(log.readSignedAt([600, 601]), RangeError)
      await assert.rejects(log.readSignedAt([0]), RangeError)
    })

    it('reads up to the end of its range, in the middle of a commit too', async () => {
      await using log = await open(signer)
      await log.append(Array.from({ length: 100 }, (_, index) => numbered(index)))
      for (const [from, to] of [
        [1, 1],
        [40, 60],
        [100, 100],
      ] as const) {
        const read = await all(log.read({ from, to }))
        assert.deepEqual([read[0]?.seq, read.at(-1)?.seq, read.length], [from, to, to - from + 1])
      }
    })

    it('gives out no number of its own that somebody has already', async () => {
      await using log = await open(signer)
      await log.append([numbered(1)])
      // As after a restore from an old copy: a peer brings back what was written since.
      await log.ingest([foreign(signer, 5, 30)])
      const [next] = await log.append([numbered(6)])
      assert.deepEqual([next?.authorSeq, next?.lamport], [6, 31])
      assert.equal(log.versionVector().get(signer.id), 1)
    })

    it('tells listeners of each commit, in log order, before the appender', async () => {
      await using log = await open(signer)
      const told: number[] = []
      const stop = log.onAppended((envelopes) => {
        told.push(...seqs(envelopes))
        assert.equal(log.head, told.at(-1))
      })
      await Promise.all([
        log.append([numbered(1), numbered(2)]),
        log.ingest([foreign(author, 1, 1)]),
        log.append([numbered(3)]),
      ])
      assert.deepEqual(told, [1, 2, 3, 4])
      stop()
      await log.append([numbered(4)])
      assert.deepEqual(told, [1, 2, 3, 4])
    })

    it('finds places, in the order asked, and refuses places outside', async () => {
      await using log = await open(signer)
      await log.append(Array.from({ length: 10 }, (_, index) => numbered(index)))
      const signed = await log.readSignedAt([7, 2, 7])
      assert.equal(signed.length, 3)
      assert.deepEqual(signed[0], signed[2])
      for (const outside of [0, 11, 1.5, -1]) await assert.rejects(log.readSignedAt([outside]), RangeError)
    })

    it('has no rows and no pruned runs where nothing was pruned', async () => {
      await using log = await open(signer)
      await log.append([numbered(1)])
      assert.deepEqual(await log.snapshot('liveness'), [])
      assert.deepEqual([...log.pruned(signer.id, 'gossip', 1)], [])
      assert.ok(log.arrivals.every(({ seq }) => seq === 1))
      assert.ok((await log.bytesOnDisk()) >= 0)
    })

    it('commits what waits when it is closed, and then says that it is closed', async () => {
      const log = await open(signer)
      const last = log.append([numbered(1)], { durable: true })
      await log[Symbol.asyncDispose]()
      assert.deepEqual(seqs(await last), [1])
      const closed = (error: unknown): boolean => error instanceof LogError && error.code === 'LOG_CLOSED'
      await assert.rejects(log.append([numbered(2)]), closed)
      await assert.rejects(log.ingest([foreign(author, 1, 1)]), closed)
      await assert.rejects(log.readSignedAt([1]), closed)
      await assert.rejects(log.snapshot('liveness'), closed)
      await assert.rejects(log.bytesOnDisk(), closed)
      assert.throws(() => log.readBatches(), closed)
      await log[Symbol.asyncDispose]()
    })
  })
}
