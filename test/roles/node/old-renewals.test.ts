import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Event, InfoHash, Lamport, Millis, NodeId, SignedEvent, Signer } from '../../../src/events/index.ts'
import { signEvent } from '../../../src/events/index.ts'
import { openLevelLog } from '../../../src/events/log/event-log.level.ts'
import { allProjections, type ProjectionStates } from '../../../src/projections/all.ts'
import { createProjectionRunner } from '../../../src/projections/index.ts'
import { Renewals } from '../../../src/projections/keyword-index/renewals.ts'
import { openMemoryProjectionStore } from '../../../src/projections/projection-store.memory.ts'
import { newSha256 } from '../../../src/projections/sha256.system.ts'
import { OldRenewals, RECOUNT_AFTER } from '../../../src/roles/node/old-renewals.ts'
import { noUpcast, signerOf } from '../../events/samples.ts'
import { TEST_KEYS } from '../../events/test-network.ts'

const DAY_MS = 86_400_000
const STILL = { after: () => () => {} }
const ME = signerOf(1)
const PEERS = [signerOf(10), signerOf(11)]

describe('old renewals', () => {
  const root = mkdtempSync(join(tmpdir(), 'p2pt-renewals-'))
  after(() => rmSync(root, { recursive: true }))
  let now = 1_800_000_000_000
  let directories = 0

  async function start() {
    const clock = { now: () => now as Millis }
    const directory = join(root, String(directories++))
    const log = await openLevelLog({ directory, signer: ME, clock, upcast: noUpcast, create: true })
    const states = createProjectionRunner<ProjectionStates>({
      ...{ log, store: openMemoryProjectionStore(), timers: STILL, newSha256 },
      projections: allProjections(ME.id, TEST_KEYS),
    })
    await states.open()
    const recounts: number[] = []
    const budgets = {
      recount: (held: ProjectionStates['kept']['authors']) =>
        void recounts.push([...held.values()].reduce((sum, { index }) => sum + index.events, 0)),
    }
    const numbers = new Map<NodeId, number>()
    let lamport = 0
    const signed = (signer: Signer, event: Event): SignedEvent => {
      const authorSeq = (numbers.get(signer.id) ?? 0) + 1
      numbers.set(signer.id, authorSeq)
      return signEvent({ stream: 'index', event }, { lamport: ++lamport as Lamport, authorSeq, at: now as Millis }, signer)
    }
    const hear = async (...events: SignedEvent[]) => {
      await log.ingest(events)
    }
    const inLog = async () => {
      const [found, renewals] = [[] as string[], new Renewals()]
      for await (const { author, authorSeq, at, event } of log.read()) {
        const who = PEERS.findIndex(({ id }) => id === author)
        found.push(`${event.kind === 'offers.renewed' ? 'r' : 'p'}${who}`)
        if (event.kind === 'offers.renewed') renewals.add(author, { authorSeq, at })
      }
      const count = (what: string) => found.filter((each) => each === what).length
      return { count, renewals: [...renewals.entries()].sort(([a], [b]) => (a < b ? -1 : 1)) }
    }
    return { log, states, hear, signed, inLog, recounts, old: new OldRenewals({ log, states, budgets, clock }) }
  }
  const published = (name: number): Event => ({
    ...{ kind: 'torrent.published', infoHash: name.toString(16).padStart(40, '0') as InfoHash, title: `orbit ${name}` },
    ...{ sizeBytes: 1, fileCount: 1, tags: [] },
  })

  /** Both publish and renew through a day each; the second falls silent after half of the days. */
  async function lived(days: number) {
    const node = await start()
    for (let day = 0; day < days; day++) {
      const events: SignedEvent[] = []
      for (let round = 0; round < 300; round++) {
        for (const [index, signer] of PEERS.entries()) {
          if (index === 1 && day >= days / 2) continue
          events.push(node.signed(signer, round % 3 === 0 ? published(day * 1_000 + round) : { kind: 'offers.renewed' }))
        }
      }
      await node.hear(...events)
      now += DAY_MS
    }
    return node
  }

  it('go a day after they came, but for the last of each author, and a replay tells the same', async () => {
    const { log, old, inLog, states, recounts } = await lived(4)
    const before = await inLog()
    assert.deepEqual([before.count('r0'), before.count('r1')], [800, 400])
    const head = log.head
    const gone = await old.prune()
    assert.ok(gone > 600, `${gone} went`)
    const after = await inLog()
    assert.deepEqual(after.renewals, before.renewals)
    assert.deepEqual([after.count('p0'), after.count('p1')], [before.count('p0'), before.count('p1')])
    assert.equal(after.count('r0') + after.count('r1'), 1_200 - gone)
    // The last of one that fell silent, however old.
    assert.ok(after.count('r1') >= 1)
    assert.ok(after.count('r0') >= 200, 'what came within a day stays')
    assert.deepEqual([log.head, await old.prune()], [head, 0])
    // What is counted against budgets is what is there.
    assert.deepEqual(recounts, [1_800 - gone])
    assert.equal(states.digest('kept'), await states.digestAt('kept'))
    await states.close()
    await log[Symbol.asyncDispose]()
  })

  it('are counted anew for the first that go, and then for so many', async () => {
    const { log, old, hear, signed, states, recounts } = await lived(3)
    await old.prune()
    assert.equal(recounts.length, 1)
    const renewAll = async (count: number) => {
      const renewals = (many: number) => Array.from({ length: many }, () => signed(PEERS[0] ?? ME, { kind: 'offers.renewed' }))
      for (let left = count; left > 0; left -= 2_000) await hear(...renewals(Math.min(left, 2_000)))
      now += DAY_MS
      await hear(...renewals(1))
      now += DAY_MS
      return old.prune()
    }
    assert.ok((await renewAll(1_000)) > 0)
    assert.equal(recounts.length, 1)
    assert.ok((await renewAll(RECOUNT_AFTER)) > 0)
    assert.equal(recounts.length, 2)
    await states.close()
    await log[Symbol.asyncDispose]()
  })

  it('of a log without any are not looked for in vain', async () => {
    const { log, old, hear, signed, states } = await start()
    assert.equal(await old.prune(), 0)
    await hear(signed(PEERS[0] ?? ME, published(1)))
    now += 3 * DAY_MS
    await hear(signed(PEERS[0] ?? ME, published(2)))
    assert.equal(await old.prune(), 0)
    await states.close()
    await log[Symbol.asyncDispose]()
  })
})
