import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { repairLog } from '../../../src/events/damage/repair-log.level.ts'
import { verifyLog } from '../../../src/events/damage/verify-log.fs.ts'
import type { Event, Lamport, Millis, NodeId, SignedEvent, Signer, UnsignedEvent } from '../../../src/events/index.ts'
import { signEvent } from '../../../src/events/index.ts'
import { openLevelLog, readLevelLog } from '../../../src/events/log/event-log.level.ts'
import { SUMMARIES } from '../../../src/events/segments/segment-keys.ts'
import { allProjections, type ProjectionStates } from '../../../src/projections/all.ts'
import { createProjectionRunner, type ProjectionStore } from '../../../src/projections/index.ts'
import { openMemoryProjectionStore } from '../../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { RETAIN_LIVENESS_DAYS, startRetention } from '../../../src/roles/node/retention.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'
import { TEST_KEYS, TEST_NETWORK } from '../../events/test-network.ts'

const DAY_MS = 86_400_000
const STILL = { after: () => () => {} }
const ME = signerOf(1)
const PEERS = Array.from({ length: 6 }, (_, index) => signerOf(10 + index))

describe('retention', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-retention-'))
  let directories = 0
  let now = 1_800_000_000_000
  const clock = { now: () => now as Millis }
  after(() => rmSync(root, { recursive: true }))

  async function start(directory: string, store: ProjectionStore = openMemoryProjectionStore()) {
    const log = await openLevelLog({ directory, signer: ME, clock, upcast: noUpcast, create: true })
    const states = createProjectionRunner<ProjectionStates>({
      ...{ log, store, projections: allProjections(ME.id, TEST_KEYS), timers: STILL, newSha256 },
    })
    await states.open()
    const posted: string[] = []
    const texts: string[] = []
    const notices = {
      post(_level: string, code: string, text: string) {
        posted.push(code)
        texts.push(text)
      },
    }
    const nobody = { budgets: { recount: () => {} }, isRevoked: () => false }
    return { log, states, posted, texts, parts: { ...nobody, log, states, clock, timers: STILL, notices } }
  }

  /** What a node hears and does in a day: changes of members, roll-ups, verdicts. */
  class Story {
    readonly #next = new Map<NodeId, number>()
    #lamport = 0

    signed(signer: Signer, event: Event): SignedEvent {
      const authorSeq = (this.#next.get(signer.id) ?? 0) + 1
      this.#next.set(signer.id, authorSeq)
      const draft: UnsignedEvent = { stream: 'gossip', event }
      return signEvent(draft, { lamport: ++this.#lamport as Lamport, authorSeq, at: now as Millis }, signer)
    }

    async day(log: Awaited<ReturnType<typeof start>>['log'], number: number): Promise<void> {
      const events: SignedEvent[] = []
      for (let round = 0; round < 20; round++) {
        for (const [index, signer] of PEERS.entries()) {
          const subject = (PEERS[(index + round) % PEERS.length] ?? signer).id
          const where = { host: '127.0.0.1', port: 4000 + index, dhtPort: 0, role: 'client' as const }
          const incarnation = number * 20 + round
          const kind = subject === signer.id ? 'member.alive' : round % 3 === 0 ? 'member.dead' : 'member.suspect'
          events.push(this.signed(signer, { kind, subject, incarnation, ...where }))
          if (round % 5 === 0) {
            const infoHash = '1'.repeat(40) as Extract<Event, { kind: 'piece.judged' }>['infoHash']
            events.push(
              this.signed(signer, { kind: 'piece.judged', subject, infoHash, good: [{ first: round, count: 2 }], bad: [] }),
            )
          }
        }
      }
      await log.ingest(events)
      const rollUps = PEERS.flatMap(({ id }) =>
        Array.from({ length: 30 }, (_, index): UnsignedEvent => {
          const micros = { roundTripMicrosMin: 1, roundTripMicrosMedian: 100 + index, roundTripMicrosMax: 900 }
          const event: Event = {
            kind: 'heartbeat.rolled-up',
            subject: id,
            beatsSeen: 29,
            beatsMissed: 1,
            ...micros,
            firstAt: now,
            lastAt: now + index,
          }
          return { stream: 'local', event }
        }),
      )
      for (let from = 0; from < rollUps.length; from += 60) await log.append(rollUps.slice(from, from + 60))
      now += DAY_MS
    }
  }

  async function lived(days: number) {
    const directory = join(root, String(directories++))
    const node = await start(directory)
    const story = new Story()
    for (let day = 0; day < days; day++) await story.day(node.log, day)
    return { directory, story, ...node }
  }

  const digests = (states: Awaited<ReturnType<typeof start>>['states']) => ({
    liveness: states.digest('liveness'),
    reputation: states.digest('reputation'),
  })

  it('lets go of old liveness events and of nothing else, and every replay comes to the same states', async () => {
    const { directory, log, states, parts, posted } = await lived(12)
    const before = digests(states)
    const verdicts = async () => {
      const found: number[] = []
      for await (const { seq } of log.read({ kinds: ['piece.judged'] })) found.push(seq)
      return found
    }
    const [judged, head, vector, mark] = [
      await verdicts(),
      log.head,
      new Map(log.versionVector()),
      (await log.verify()).headDigest,
    ]
    const retention = startRetention(parts, {})
    const gone = await retention.run()
    assert.ok(gone > (12 - RETAIN_LIVENESS_DAYS - 2) * 280, `${gone} went`)
    assert.deepEqual(posted, ['log.pruned'])
    assert.equal(await retention.run(), 0)
    await retention[Symbol.asyncDispose]()

    assert.deepEqual(await verdicts(), judged)
    assert.deepEqual([log.head, new Map(log.versionVector())], [head, vector])
    for (const name of ['liveness', 'reputation'] as const) {
      assert.equal(await states.digestAt(name), before[name])
      assert.equal((await states.rebuild(name)).digestAfter, before[name])
    }
    const live = await log.verify({ signaturesOf: TEST_NETWORK })
    assert.deepEqual([live.ranges, live.pruned, live.events, live.headDigest], [[], gone, head - gone, mark])

    await log[Symbol.asyncDispose]()
    const verdict = await verifyLog(directory, { signaturesOf: TEST_NETWORK })
    assert.deepEqual([verdict.ranges, verdict.problems, verdict.pruned, verdict.headDigest], [[], [], gone, mark])
    const again = await start(directory)
    assert.deepEqual(digests(again.states), before)
    assert.deepEqual([again.log.head, new Map(again.log.versionVector())], [head, vector])
    // And what comes after goes on in both.
    const story = new Story()
    assert.equal(
      (
        await again.log.ingest([
          story.signed(PEERS[0] ?? ME, {
            kind: 'member.left',
            subject: ME.id,
            incarnation: 1,
            host: '',
            port: 0,
            dhtPort: 0,
            role: 'client',
          }),
        ])
      )[0]?.outcome,
      'duplicate',
    )
    await again.log[Symbol.asyncDispose]()
  })

  it('keeps what is left of it through the loss of every summary', async () => {
    const { directory, log, parts } = await lived(12)
    const retention = startRetention(parts, {})
    await retention.run()
    await retention[Symbol.asyncDispose]()
    const left = (await log.verify()).events
    await log[Symbol.asyncDispose]()
    const database = new Level<Uint8Array, Buffer>(join(directory, 'log'), {
      keyEncoding: 'view',
      valueEncoding: 'buffer',
      compression: false,
    })
    await database.open()
    await database.clear(SUMMARIES)
    await database.close()
    const { after, lost } = await repairLog(directory, { author: ME.id, network: TEST_NETWORK })
    assert.deepEqual([after.intact, after.events], [true, left])
    // Of stretches of which nothing was left the summary was all there was.
    assert.ok(lost.every(({ known }) => known.length === 0))
  })

  it('keeps what a peer has to know of the present, as its author signed it', async () => {
    const { log, states, parts } = await lived(3)
    now += 30 * DAY_MS
    await log.append([{ event: { kind: 'node.stopped', reason: 'to move the clock' } }])
    now += 30 * DAY_MS
    await startRetention(parts, {}).run()
    const fold = createProjectionRunner<ProjectionStates>({
      log: {
        head: log.head,
        readBatches: (range) => log.readBatches(range),
        onAppended: () => () => {},
        snapshot: async () => [],
      },
      ...{ store: openMemoryProjectionStore(), projections: allProjections(ME.id, TEST_KEYS), timers: STILL, newSha256 },
    })
    await fold.open()
    const seen = (state: ProjectionStates['liveness']) =>
      [...state.entries].map(([id, entry]) => [id, entry.words, entry.whereabouts]).sort()
    assert.deepEqual(seen(fold.state('liveness')), seen(states.state('liveness')))
    await log[Symbol.asyncDispose]()
  })

  it('keeps fewer days when told to, and above the disk limit lets go of roll-ups first', async () => {
    const { log, parts, posted, texts } = await lived(4)
    const count = async (kind: 'heartbeat.rolled-up' | 'member.suspect') => {
      let events = 0
      for await (const _ of log.read({ kinds: [kind] })) events++
      return events
    }
    const [rollUps, changes] = [await count('heartbeat.rolled-up'), await count('member.suspect')]
    const bytes = await log.bytesOnDisk()
    await startRetention(parts, { diskLimitBytes: bytes }).run()
    assert.deepEqual([await count('heartbeat.rolled-up'), await count('member.suspect')], [rollUps, changes])
    await startRetention(parts, { diskLimitBytes: bytes - 1 }).run()
    assert.ok((await count('heartbeat.rolled-up')) < rollUps)
    assert.equal(await count('member.suspect'), changes)
    await startRetention(parts, { retainLivenessDays: 1 }).run()
    assert.ok((await count('member.suspect')) < changes)
    await startRetention(parts, { diskLimitBytes: 1 }).run()
    assert.ok(posted.includes('log.over-limit'))
    assert.match(texts.join('\n'), /the log takes [\d.]+ [kM]B, above the limit of 1 B,/)
    await log[Symbol.asyncDispose]()
  })

  it('leaves a few rows of years, and a log that can be repaired, copied and read', async () => {
    const { directory, log, states, parts } = await lived(10)
    const liveness = states.digest('liveness')
    for (let round = 0; round < 3; round++) {
      now += 4 * DAY_MS
      await log.append([{ event: { kind: 'node.stopped', reason: 'a day' } }])
      await startRetention(parts, {}).run()
    }
    const { pruned } = await log.verify()
    await log[Symbol.asyncDispose]()
    rmSync(join(directory, 'head'))
    const repaired = await repairLog(directory, { author: ME.id, network: TEST_NETWORK })
    assert.deepEqual([repaired.lost, repaired.after.pruned, repaired.after.intact], [[], pruned, true])
    const view = await readLevelLog({ directory, upcast: noUpcast })
    assert.ok((await view.snapshot('liveness')).length)
    await view[Symbol.asyncDispose]()
    const again = await start(directory)
    assert.equal(again.states.digest('liveness'), liveness)
    await again.log[Symbol.asyncDispose]()
  })

  it('ends only when the round that is under way has ended, and begins no other', async () => {
    const { log, parts } = await lived(1)
    const { promise: size, resolve: sized } = Promise.withResolvers<void>()
    const slow = new Proxy(log, {
      get(target, name) {
        if (name === 'bytesOnDisk') return () => size.then(() => target.bytesOnDisk())
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const retention = startRetention({ ...parts, log: slow }, { diskLimitBytes: 1e12 })
    const turns = async () => {
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    const round = retention.run()
    await turns()
    let isOver = false
    const over = retention[Symbol.asyncDispose]().then(() => {
      isOver = true
    })
    await turns()
    assert.equal(isOver, false)
    sized()
    await over
    assert.equal(await round, 0)
    assert.equal(await retention.run(), 0)
    await log[Symbol.asyncDispose]()
  })
})
