import { deepEqual, equal } from 'node:assert/strict'
import type { NodeId, SignedEvent } from '../../../src/events/index.ts'
import type { Overlay } from '../../../src/network/overlay.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import {
  type CompareReply,
  decodeCompare,
  decodeFetch,
  EVENT_NAMES_MAX,
  type EventName,
  encodeCompareReply,
  encodeFetchReply,
  INDEX_METHODS,
  SECTIONS_MAX,
  type SectionDigest,
} from '../../../src/roles/index-node/index-messages.ts'
import { isIndexKind } from '../../../src/roles/index-node/index-view.ts'
import { PartitionSections, SECTION_DEPTH_MAX } from '../../../src/roles/index-node/partition-sections.ts'
import { Repair } from '../../../src/roles/index-node/repair.ts'
import type { TitlePlaces } from '../../../src/roles/index-node/title-places.ts'
import { verifySignature } from '../../events/test-network.ts'
import { node } from '../../projections/envelopes.ts'
import { Author } from '../index-network.ts'
import { openSmallLog, type SmallLog } from '../small-log.ts'

const COMPARES_MAX = 256
const FETCHES_MAX = 64
const PARTITION = 3

/** One index node that compares with others that answer as they are told to. */
describe('a round of repair', () => {
  const [bob, carol] = [node('bob'), node('carol')]
  let own: SmallLog
  let author: Author
  let shared: number[]
  let others: NodeId[]
  let asked: { to: NodeId; sections: readonly SectionDigest[] }[]
  let fetched: EventName[][]
  let compare: (sections: readonly SectionDigest[]) => CompareReply
  let fetch: (names: readonly EventName[]) => readonly SignedEvent[]
  let shut: NodeId | undefined
  let repair: Repair
  /** Of the partition, what is kept is the best alone, and these were sent away. */
  let declined: Set<string> | undefined
  beforeEach(async () => {
    own = await openSmallLog()
    author = new Author(1)
    declined = undefined
    ;[shared, others, asked, fetched, shut] = [[PARTITION], [bob], [], [], undefined]
    compare = (sections) => ({ differing: [], compared: sections.length })
    fetch = () => []
    const view = {
      ...{ isIndexKind, partitionDigest: async (partition: number) => partition.toString(16).padStart(4, '0') },
      ...{ partitionEvents: async () => [], partitionsSharedWith: () => shared, otherIndexNodes: () => others },
    }
    const levels = {
      review: async () => {},
      open: [],
      next: () => undefined,
      wantedOf: () => [],
      heard: () => false,
      caughtUp: () => false,
      stalled() {},
      failed() {},
    }
    repair = new Repair({
      ...{ log: own.log, verify: verifySignature, timers: own.time, now: () => own.time.now() },
      view: view as unknown as ConstructorParameters<typeof Repair>[0]['view'],
      sections: new PartitionSections(view, newSha256),
      levels,
      places: {
        takes: ({ author: by, authorSeq }: EventName) => !declined?.has(`${by}/${authorSeq}`),
        isDeclined: ({ author: by, authorSeq }: EventName) => declined?.has(`${by}/${authorSeq}`) === true,
        isCut: () => declined !== undefined,
        during: <T>(work: Promise<T>) => work,
      } as unknown as TitlePlaces,
      ...{ isShut: (id) => id === shut, isOverBudget: () => false, yieldToEventLoop: async () => {} },
      overlay: {
        async request(to: NodeId, method: string, body: Uint8Array) {
          if (method === INDEX_METHODS.compare) {
            const sections = decodeCompare(body)
            asked.push({ to, sections })
            return encodeCompareReply(compare(sections))
          }
          const names = decodeFetch(body)
          fetched.push(names)
          return encodeFetchReply(fetch(names))
        },
      } as unknown as Overlay,
    })
  })
  afterEach(() => own[Symbol.asyncDispose]())

  const section = (more: Partial<SectionDigest> = {}) => ({ partition: PARTITION, depth: 0, prefix: 0, ...more })
  const holding = (events: readonly EventName[]) => () => ({
    ...{ differing: [{ ...section(), events, split: false }], compared: 1 },
  })
  /** What the author has signed, and the names of it. */
  const said = async (count: number) => {
    const events = await author.publishes(...Array.from({ length: count }, (_, at) => `orbit ${at}`))
    return { events, names: events.map((_, at): EventName => ({ author: author.id, authorSeq: at + 1 })) }
  }

  it('is in sync where nothing differs, and says when it looked', async () => {
    equal(await repair.round(), 0)
    deepEqual(repair.status, { lastAt: own.time.now(), fetched: 0, inSync: true })
    deepEqual(asked, [{ to: bob, sections: [{ ...section(), digest: '0003' }] }])
  })

  it('asks nobody where there is nobody else', async () => {
    others = []
    equal(await repair.round(), 0)
    deepEqual([repair.status, asked], [{ lastAt: null, fetched: 0, inSync: false }, []])
  })

  it('fetches what it lacks, once, and is level at the next round', async () => {
    const { events, names } = await said(3)
    await own.log.ingest(events.slice(0, 1))
    compare = holding([...names, ...names])
    fetch = () => events
    equal(await repair.round(), 2)
    deepEqual(fetched, [names.slice(1)])
    deepEqual([repair.status.fetched, repair.status.inSync], [2, false])
    compare = (sections) => ({ differing: [], compared: sections.length })
    equal(await repair.round(), 0)
    deepEqual([repair.status.fetched, repair.status.inSync], [2, true])
  })

  it('asks for nothing of an author of whom nothing is taken', async () => {
    const { names } = await said(2)
    compare = holding(names)
    shut = author.id
    equal(await repair.round(), 0)
    deepEqual(fetched, [])
  })

  it('is in sync where another has what was sent away here, does not ask for it, and compares it again after ten minutes', async () => {
    const { events, names } = await said(3)
    await own.log.ingest(events.slice(0, 2))
    declined = new Set([`${author.id}/3`])
    compare = holding(names)
    equal(await repair.round(), 0)
    deepEqual([fetched, asked.length, repair.status.inSync], [[], 1, true])
    await own.time.advance(10 * 60_000 - 1)
    equal(await repair.round(), 0)
    equal(asked.length, 1)
    await own.time.advance(1)
    await repair.round()
    equal(asked.length, 2)
  })

  it('fetches what another has that was not sent away, and what has no place is not taken', async () => {
    const { events, names } = await said(3)
    declined = new Set([`${author.id}/3`])
    compare = holding(names)
    fetch = () => events
    equal(await repair.round(), 2)
    deepEqual([fetched, repair.status.inSync, own.log.head], [[names.slice(0, 2)], false, 2])
  })

  it('compares a partition of which all is kept each time, however it differs', async () => {
    const { events, names } = await said(1)
    await own.log.ingest(events)
    compare = holding(names)
    await repair.round()
    await repair.round()
    deepEqual([asked.length, repair.status.inSync], [2, false])
  })

  it('fetches 64 times at most from one that gives one event at a time; the next round goes on', async () => {
    const { events, names } = await said(FETCHES_MAX + 3)
    compare = holding(names)
    fetch = ([first]) => events.slice((first?.authorSeq ?? 0) - 1, first?.authorSeq)
    equal(await repair.round(), FETCHES_MAX)
    equal(fetched.length, FETCHES_MAX)
    equal(await repair.round(), 3)
    equal(own.log.head, FETCHES_MAX + 3)
  })

  it('shares its 64 fetches among all that it compares', async () => {
    const { events, names } = await said(FETCHES_MAX + 3)
    const half = FETCHES_MAX / 2
    shared = [PARTITION, PARTITION + 1]
    compare = ([first]) => {
      const isFirst = asked.length === 1
      const differing = [
        { ...section({ partition: first?.partition ?? 0 }), events: isFirst ? names.slice(0, half) : names, split: false },
      ]
      return { differing, compared: 1 }
    }
    fetch = ([first]) => events.slice((first?.authorSeq ?? 0) - 1, first?.authorSeq)
    equal(await repair.round(), FETCHES_MAX)
    equal(asked.length, 2)
  })

  it('asks for as many events at once as a message names, and not one more', async () => {
    const names = Array.from({ length: EVENT_NAMES_MAX + 1 }, (_, at): EventName => ({ author: author.id, authorSeq: at + 1 }))
    compare = ([first]) => ({
      differing: [
        { ...section({ partition: first?.partition ?? 0 }), events: names.slice(0, EVENT_NAMES_MAX), split: false },
        { ...section({ partition: first?.partition ?? 0 }), events: names.slice(EVENT_NAMES_MAX), split: false },
      ],
      compared: 1,
    })
    await repair.round()
    deepEqual(
      fetched.map(({ length }) => length),
      [EVENT_NAMES_MAX],
    )
  })

  it('ends where the other sends nothing new', async () => {
    const { events, names } = await said(3)
    compare = holding(names)
    fetch = () => events.slice(0, 1)
    equal(await repair.round(), 1)
    equal(fetched.length, 2)
  })

  it('takes nothing that nobody has signed', async () => {
    const { events, names } = await said(1)
    compare = holding(names)
    fetch = () => events.map(({ body }) => ({ body, signature: new Uint8Array(64) }))
    equal(await repair.round(), 0)
    deepEqual([own.log.head, repair.status.inSync], [0, false])
  })

  it('compares a section that is too large to list part by part, and no deeper than five levels', async () => {
    compare = (sections) => ({
      differing: sections.slice(0, 1).map((one) => ({ ...one, events: [], split: true })),
      compared: sections.length,
    })
    await repair.round()
    const depths = asked.map(({ sections }) => [sections.length, sections[0]?.depth])
    deepEqual(depths, [[1, 0], ...[1, 2, 3, 4, SECTION_DEPTH_MAX].map((depth) => [64, depth])])
    equal(repair.status.lastAt, own.time.now(), 'it came to its end')
  })

  it('splits nothing that it has not asked for', async () => {
    compare = () => ({ differing: [{ ...section({ depth: 2, prefix: 7 }), events: [], split: true }], compared: 1 })
    await repair.round()
    equal(asked.length, 1)
  })

  it('asks for a thousand sections at once, and again for those the answer left out', async () => {
    shared = Array.from({ length: SECTIONS_MAX }, (_, partition) => partition)
    compare = (sections) => ({ differing: [], compared: Math.min(sections.length, 1_000) })
    await repair.round()
    deepEqual(
      asked.map(({ sections }) => sections.length),
      [SECTIONS_MAX, SECTIONS_MAX - 1_000],
    )
    equal(repair.status.inSync, true)
  })

  it('compares 256 times at most, and is not in sync when sections are left', async () => {
    shared = Array.from({ length: COMPARES_MAX + 1 }, (_, partition) => partition)
    compare = () => ({ differing: [], compared: 1 })
    await repair.round()
    deepEqual([asked.length, repair.status.inSync], [COMPARES_MAX, false])
    shared.pop()
    await repair.round()
    deepEqual([asked.length, repair.status.inSync], [2 * COMPARES_MAX, true])
  })

  it('ends with one that compares nothing', async () => {
    compare = () => ({ differing: [], compared: 0 })
    await repair.round()
    deepEqual([asked.length, repair.status.inSync], [1, false])
  })

  it('goes to each of the others in turn, and begins each time with another partition', async () => {
    others = [bob, carol]
    shared = [1, 2, 3]
    for (let round = 0; round < 3; round++) await repair.round()
    deepEqual(
      asked.map(({ to, sections }) => [to, sections.map(({ partition }) => partition)]),
      [
        [bob, [2, 3, 1]],
        [carol, [3, 1, 2]],
        [bob, [1, 2, 3]],
      ],
    )
  })

  it('is not in sync where the other does not answer, and keeps when it last was', async () => {
    await repair.round()
    const { lastAt } = repair.status
    await own.time.advance(5)
    compare = () => {
      throw new Error('gone')
    }
    equal(await repair.round(), 0)
    deepEqual(repair.status, { lastAt, fetched: 0, inSync: false })
  })

  it('comes every ten seconds, and a second after one that brought something, until it is stopped', async () => {
    const { events, names } = await said(1)
    compare = holding(names)
    fetch = () => events
    repair.start()
    await own.time.advance(999)
    equal(asked.length, 1)
    await own.time.advance(1)
    equal(asked.length, 2)
    await own.time.advance(9_999)
    equal(asked.length, 2)
    await own.time.advance(1)
    equal(asked.length, 3)
    repair.stop()
    await own.time.advance(60_000)
    equal(asked.length, 3)
  })
})
