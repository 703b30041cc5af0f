import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type ContentRules, type Millis, type NodeId, upcaster } from '../../../src/events/index.ts'
import { openMemoryLog } from '../../../src/events/log/event-log.memory.ts'
import type { Overlay, RequestHandler } from '../../../src/network/overlay.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import {
  type CompareReply,
  decodeCompareReply,
  decodePublishReply,
  EVENT_NAMES_MAX,
  type EventName,
  encodeCompare,
  encodePublish,
  encodePublishReply,
  INDEX_METHODS,
  type SectionDigest,
} from '../../../src/roles/index-node/index-messages.ts'
import { ingestIndexEvents, serveIndexRequests } from '../../../src/roles/index-node/index-requests.ts'
import { type IndexView, isIndexKind } from '../../../src/roles/index-node/index-view.ts'
import { PartitionSections } from '../../../src/roles/index-node/partition-sections.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'
import { verifySignature } from '../../events/test-network.ts'
import { Author } from '../index-network.ts'
import { openSmallLog } from '../small-log.ts'

describe('a publication at its owner', () => {
  const view = { isIndexKind } as Parameters<typeof ingestIndexEvents>[1]['view']

  const isOverBudget = () => false

  it('is told to be stored when it is on the disk, and not before', async () => {
    await using own = await openSmallLog()
    const { promise, resolve } = Promise.withResolvers<void>()
    own.disk.synced = promise
    const events = await new Author(1).publishes('quiet orbit')
    let said: unknown
    const telling = ingestIndexEvents(events, { log: own.log, verify: verifySignature, view, isOverBudget }).then(
      (outcomes) => {
        said = outcomes
      },
    )
    for (let turn = 0; turn < 10; turn++) await new Promise((next) => setImmediate(next))
    assert.equal(said, undefined)
    resolve()
    await telling
    assert.deepEqual(said, ['stored'])
    assert.equal(own.log.head, 1)
  })

  it('is told to be over the budget where no more is kept of its author, and is stored once there is room', async () => {
    let room = 1
    const rules: ContentRules = {
      isRevoked: () => false,
      isShut: () => false,
      lamportMax: () => 1_000,
      ownLamportMax: () => 1_000,
      judge: () => 'take',
      budget: () => ({ take: () => room-- > 0 }),
    }
    await using log = openMemoryLog({ signer: signerOf(9), clock: { now: () => 1 as Millis }, upcast: upcaster([]), rules })
    const events = await new Author(1).publishes('quiet orbit', 'loud orbit')
    const publish = () => ingestIndexEvents(events, { log, verify: verifySignature, view, isOverBudget })
    assert.deepEqual(await publish(), ['stored', 'over-budget'])
    assert.deepEqual(decodePublishReply(encodePublishReply(['stored', 'over-budget'])), ['stored', 'over-budget'])
    room = 1
    assert.deepEqual(await publish(), ['duplicate', 'stored'])
  })

  it('is not looked at where its author is over the budget, but for one renewal of offers a message', async () => {
    await using own = await openSmallLog()
    const [one, other] = [new Author(1), new Author(2)]
    const events = [...(await one.publishes('quiet orbit')), ...(await one.renews(2)), ...(await other.renews(1))]
    let checked = 0
    const verify: typeof verifySignature = (...of) => {
      checked += 1
      return verifySignature(...of)
    }
    const outcomes = await ingestIndexEvents(events, { log: own.log, verify, view, isOverBudget: () => true })
    assert.deepEqual([outcomes, checked], [['over-budget', 'stored', 'over-budget', 'stored'], 2])
  })

  it('is refused with the reason: nobody admitted its author, its stamp is too far ahead, or nobody signed it', async () => {
    let ruling: 'take' | 'refuse' = 'refuse'
    let lamportMax = 1_000
    const rules: ContentRules = {
      ...{ isRevoked: () => false, isShut: () => false, lamportMax: () => lamportMax, ownLamportMax: () => 1_000 },
      judge: () => ruling,
    }
    await using log = openMemoryLog({ signer: signerOf(9), clock: { now: () => 1 as Millis }, upcast: upcaster([]), rules })
    const events = await new Author(1).publishes('quiet orbit')
    const publish = (some = events) => ingestIndexEvents(some, { log, verify: verifySignature, view, isOverBudget })
    assert.deepEqual(await publish(), ['not-admitted'])
    ruling = 'take'
    lamportMax = 0
    assert.deepEqual(await publish(), ['clock-jump'])
    lamportMax = 1_000
    assert.deepEqual(await publish(events.map(({ body }) => ({ body, signature: new Uint8Array(64) }))), ['forged'])
    assert.deepEqual(await publish([{ body: new Uint8Array([1, 2]), signature: new Uint8Array(64) }]), ['malformed'])
    assert.deepEqual(await publish(), ['stored'])
    const all = ['not-admitted', 'clock-jump', 'forged', 'malformed', 'refused', 'below-rank'] as const
    assert.deepEqual(decodePublishReply(encodePublishReply(all)), all)
    // Of a later version.
    assert.deepEqual(decodePublishReply(new Uint8Array([10, 1, 99])), ['refused'])
  })

  it('waits two seconds for the admission of its author, and is told to be deferred if that does not come', async () => {
    let isAdmitted = false
    const rules: ContentRules = {
      ...{ isRevoked: () => false, isShut: () => false, lamportMax: () => 1_000, ownLamportMax: () => 1_000 },
      judge: () => (isAdmitted ? 'take' : 'defer'),
    }
    await using log = openMemoryLog({ signer: signerOf(9), clock: { now: () => 1 as Millis }, upcast: upcaster([]), rules })
    const handlers = new Map<string, RequestHandler>()
    const waits: number[] = []
    let comes = false
    serveIndexRequests({
      ...{ log, view, verify: verifySignature, isOverBudget, yieldToEventLoop: async () => {}, upcast: noUpcast },
      overlay: { serve: (method: string, handler: RequestHandler) => handlers.set(method, handler) } as unknown as Overlay,
      ...{ sections: undefined as never, levels: undefined as never },
      async untilAdmitted(attempt, waitMs) {
        waits.push(waitMs)
        // The first that is admitted is somebody else.
        assert.equal(await attempt(), false)
        isAdmitted = comes
        assert.equal(await attempt(), comes)
      },
    })
    const body = encodePublish(await new Author(1).publishes('quiet orbit', 'loud orbit'))
    const publish = async () => decodePublishReply((await handlers.get(INDEX_METHODS.publish)?.(signerOf(1).id, body)) ?? body)
    assert.deepEqual([await publish(), log.head], [['deferred', 'deferred'], 0])
    comes = true
    assert.deepEqual([await publish(), log.head], [['stored', 'stored'], 2])
    assert.deepEqual(
      [await publish(), waits],
      [
        ['duplicate', 'duplicate'],
        [2_000, 2_000],
      ],
    )
  })

  it('costs no check of a signature where nothing more is taken of its author', async () => {
    await using own = await openSmallLog()
    let checked = 0
    const verify: typeof verifySignature = (...of) => {
      checked += 1
      return verifySignature(...of)
    }
    const events = await new Author(1).publishes('quiet orbit')
    const publish = (shut: boolean) => ingestIndexEvents(events, { log: own.log, verify, view, isOverBudget: () => shut })
    assert.deepEqual([await publish(true), checked], [['over-budget'], 0])
    assert.deepEqual([await publish(false), checked], [['stored'], 1])
    assert.deepEqual([await publish(true), checked], [['duplicate'], 1])
  })

  it('is not told to be stored by a disk that is full', async () => {
    await using own = await openSmallLog()
    own.disk.isFull = true
    const events = await new Author(1).publishes('quiet orbit')
    await assert.rejects(
      ingestIndexEvents(events, { log: own.log, verify: verifySignature, view, isOverBudget }),
      /no space left/,
    )
    own.disk.isFull = false
    assert.deepEqual(await ingestIndexEvents(events, { log: own.log, verify: verifySignature, view, isOverBudget }), ['stored'])
    assert.deepEqual(await ingestIndexEvents(events, { log: own.log, verify: verifySignature, view, isOverBudget }), [
      'duplicate',
    ])
  })
})

describe('a comparison with another owner', () => {
  const author = new Author(1)
  const namesOf = (count: number, from = 0) =>
    Array.from({ length: count }, (_, at): EventName => ({ author: author.id, authorSeq: from + at + 1 }))
  let held: Map<number, readonly EventName[]>
  let turns: number
  let slow: Promise<void>
  let ask: (sections: readonly SectionDigest[], asker?: NodeId) => Promise<CompareReply>
  const digestOf = (partition: number): string => partition.toString(16).padStart(4, '0')
  beforeEach(async () => {
    held = new Map()
    turns = 0
    slow = Promise.resolve()
    const handlers = new Map<string, RequestHandler>()
    const view = {
      ...{ isIndexKind, partitionDigest: (partition: number) => slow.then(() => digestOf(partition)) },
      partitionEvents: async (partition: number) => [...(held.get(partition) ?? [])],
    } as unknown as IndexView
    serveIndexRequests({
      ...{ log: undefined as never, view, verify: verifySignature, upcast: noUpcast },
      ...{ isOverBudget: () => false, untilAdmitted: async (attempt) => void (await attempt()) },
      sections: new PartitionSections(view, newSha256),
      levels: { isLevel: () => true, isLevelInAll: true, bits: () => new Uint8Array() },
      overlay: { serve: (method: string, handler: RequestHandler) => handlers.set(method, handler) } as unknown as Overlay,
      async yieldToEventLoop() {
        turns += 1
      },
    })
    ask = async (sections, asker = signerOf(1).id) => {
      const body = encodeCompare(sections)
      return decodeCompareReply((await handlers.get(INDEX_METHODS.compare)?.(asker, body)) ?? body)
    }
  })
  const section = (partition: number, digest = 'ff') => ({ partition, depth: 0, prefix: 0, digest })

  it('says how many sections were compared, and lists those that are another here', async () => {
    held.set(2, namesOf(2))
    const asked = [section(1, digestOf(1)), section(2), section(3), section(4, digestOf(4))]
    assert.deepEqual(await ask(asked), {
      differing: [
        { partition: 2, depth: 0, prefix: 0, events: [...namesOf(2)].sort(byHash), split: false },
        { partition: 3, depth: 0, prefix: 0, events: [], split: false },
      ],
      compared: 4,
    })
    assert.deepEqual(await ask([]), { differing: [], compared: 0 })
  })

  it('lists a section of 64 events, and splits one of 65', async () => {
    held.set(1, namesOf(64)).set(2, namesOf(65))
    const { differing } = await ask([section(1), section(2)])
    assert.deepEqual(
      differing.map(({ events, split }) => [events.length, split]),
      [
        [64, false],
        [0, true],
      ],
    )
  })

  it('ends where a message has no room for the names of the next section, and says so', async () => {
    for (let partition = 0; partition < 20; partition++) held.set(partition, namesOf(64, partition * 100))
    const asked = Array.from({ length: 20 }, (_, partition) => section(partition))
    const { differing, compared } = await ask(asked)
    assert.deepEqual([differing.length, compared], [Math.floor(EVENT_NAMES_MAX / 64), Math.floor(EVENT_NAMES_MAX / 64)])
    // Just as many as there is room for.
    held.set(14, namesOf(EVENT_NAMES_MAX % 64, 1_400))
    assert.equal((await ask(asked)).compared, 15)
    held.set(14, namesOf((EVENT_NAMES_MAX % 64) + 1, 1_400))
    assert.equal((await ask(asked)).compared, 14)
  })

  it('is refused to one that has begun 32 and called them off or not, and to nobody else', async () => {
    let answer = () => {}
    const waiting = new Promise<void>((resolve) => {
      answer = resolve
    })
    slow = waiting
    const begun = Array.from({ length: 32 }, () => ask([section(1)]))
    await assert.rejects(ask([section(1)]), /too many requests/)
    slow = Promise.resolve()
    assert.equal((await ask([section(1)], signerOf(2).id)).compared, 1)
    answer()
    await Promise.all(begun)
    assert.equal((await ask([section(1)])).compared, 1)
  })

  it('makes 32 digests at a time, and gives others their turn in between', async () => {
    const asked = (count: number) => Array.from({ length: count }, (_, partition) => section(partition, digestOf(partition)))
    await ask(asked(32))
    assert.equal(turns, 0)
    await ask(asked(33))
    assert.equal(turns, 1)
    await ask(asked(65))
    assert.equal(turns, 3)
  })
})

/** In the order of the sha-256 of their names. */
function byHash(a: EventName, b: EventName): number {
  const hashOf = ({ author, authorSeq }: EventName) => createHash('sha256').update(`${author}/${authorSeq}`).digest('hex')
  return hashOf(a) < hashOf(b) ? -1 : 1
}
