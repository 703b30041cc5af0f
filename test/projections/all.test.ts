import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { upcastSteps } from '../../migrations/index.ts'
import {
  ALL_KINDS,
  type EventLog,
  type Lamport,
  type Millis,
  signEvent,
  type UnsignedEvent,
  upcaster,
} from '../../src/events/index.ts'
import { signerFromSeed } from '../../src/events/keys/signer.sodium.ts'
import { openMemoryLog } from '../../src/events/log/event-log.memory.ts'
import { systemTimers } from '../../src/events/model/time.system.ts'
import {
  allProjections,
  createProjectionRunner,
  downloadsIn,
  judge,
  liveMembers,
  type ProjectionStates,
  type ProjectionStore,
  type RunnerNotice,
  search,
  standingIn,
} from '../../src/projections/index.ts'
import { openLevelProjectionStore } from '../../src/projections/projection-store.level.ts'
import { newSha256 } from '../../src/projections/sha256.system.ts'
import { joiningAs, TEST_KEYS, TEST_NETWORK } from '../events/test-network.ts'
import { hash, node } from './envelopes.ts'
import { judged } from './reputation/scenes.ts'

const signer = signerFromSeed(new Uint8Array(32).fill(1), TEST_NETWORK)
const owner = { author: signer.id, network: TEST_NETWORK }
const other = signerFromSeed(new Uint8Array(32).fill(2), TEST_NETWORK)
const infoHash = hash('film')
const peer = node('peer')
const files = { infoHash, name: 'film', torrentFile: new Uint8Array([1, 2, 3]) }
const member = { subject: other.id, incarnation: 1, role: 'index', host: '10.0.0.1', port: 1, dhtPort: 0 } as const

const OWN: readonly UnsignedEvent[] = [
  { stream: 'local', event: { kind: 'node.started', role: 'client', software: '1', incarnation: 1 } },
  { stream: 'local', event: { kind: 'policy.adopted', policy: 'seed-v1', parameters: { start: 50 } } },
  { stream: 'gossip', event: { kind: 'member.suspect', ...member } },
  { stream: 'gossip', event: judged(peer, 4, 9) },
  { stream: 'index', event: { kind: 'torrent.published', infoHash, title: 'Big Film', sizeBytes: 3, fileCount: 1, tags: [] } },
  {
    stream: 'local',
    event: { kind: 'download.added', ...files, title: '', directory: '/d', origin: 'publish', magnet: '', overwrite: false },
  },
  { stream: 'local', event: { kind: 'download.verified', infoHash, pieces: [{ first: 0, count: 1 }] } },
  { stream: 'local', event: { kind: 'operator.banned', subject: other.id, reason: 'test' } },
]
const OTHERS: readonly UnsignedEvent[] = [
  { stream: 'gossip', event: { kind: 'node.admitted', credential: joiningAs('index').credentialOf(other.id) } },
  { stream: 'gossip', event: { kind: 'member.refuted', ...member, incarnation: 2 } },
  { stream: 'gossip', event: judged(peer, 0, 3) },
  { stream: 'index', event: { kind: 'torrent.verified', infoHash, title: 'Big Film' } },
]

describe('all projections together', () => {
  let directory: string
  let log: EventLog
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'p2pt-projections-'))
    log = openMemoryLog({ signer, clock: { now: () => 1_700_000_000_000 as Millis }, upcast: upcaster(upcastSteps) })
  })
  after(async () => {
    await log[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  })

  const start = async (store: ProjectionStore) => {
    const notices: RunnerNotice[] = []
    const runner = createProjectionRunner<ProjectionStates>({
      ...{ log, store, newSha256, timers: systemTimers },
      projections: allProjections(signer.id, { ...TEST_KEYS, isOpen: true }),
      onNotice: (notice) => notices.push(notice),
    })
    await runner.open()
    return { runner, notices }
  }
  const NAMES = ['admissions', 'kept', 'liveness', 'reputation', 'keyword-index', 'downloads'] as const

  it('handle events that exist, under their names', () => {
    const projections = allProjections(signer.id, TEST_KEYS)
    assert.deepEqual(Object.keys(projections), NAMES)
    for (const [name, projection] of Object.entries(projections)) {
      assert.equal(projection.name, name)
      for (const kind of projection.handles) assert.ok(ALL_KINDS.includes(kind), kind)
    }
  })

  it('follow a signed log, and stand after a restart where they stood', async () => {
    const digests = new Map<string, string>()
    {
      await using store = await openLevelProjectionStore({ directory, owner })
      const { runner, notices } = await start(store)
      await log.append(OWN)
      const streams = new Map<string, number>()
      const signed = OTHERS.map((draft, index) => {
        const authorSeq = (streams.get(draft.stream) ?? 0) + 1
        streams.set(draft.stream, authorSeq)
        return signEvent(draft, { lamport: (100 + index) as Lamport, authorSeq, at: 5 as Millis }, other)
      })
      assert.ok((await log.ingest(signed)).every(({ outcome }) => outcome === 'appended'))

      assert.equal(standingIn(runner.state('admissions'), other.id, 5), 'member')
      assert.deepEqual(
        liveMembers(runner.state('liveness')).map(({ id, incarnation }) => [id, incarnation]),
        [[other.id, 2]],
      )
      assert.deepEqual(judge(runner.state('reputation'), peer).score, 50 + 4 - 45)
      assert.equal(judge(runner.state('reputation'), other.id).standing, 'banned')
      assert.deepEqual(
        search(runner.state('keyword-index'), 'big').hits.map(({ seeders, evidence }) => [seeders, evidence[0]]),
        [[2, 5]],
      )
      assert.deepEqual(
        downloadsIn(runner.state('downloads')).map(({ verified }) => verified),
        [[{ first: 0, count: 1 }]],
      )
      for (const name of NAMES) {
        digests.set(name, runner.digest(name))
        assert.equal(await runner.digestAt(name), runner.digest(name))
      }
      assert.equal(new Set(digests.values()).size, NAMES.length)
      assert.deepEqual(notices, [])
      await runner.close()
    }
    await using store = await openLevelProjectionStore({ directory, owner })
    const { runner, notices } = await start(store)
    assert.deepEqual(notices, [], 'nothing had to be made again')
    for (const name of NAMES) assert.equal(runner.digest(name), digests.get(name))
    for (const name of NAMES) {
      const { digestBefore, digestAfter, events } = await runner.rebuild(name)
      assert.deepEqual([digestBefore, digestAfter, events], [digests.get(name), digests.get(name), log.head])
    }
    await runner.close()
  })
})
