import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { upcastSteps } from '../../migrations/index.ts'
import { type Millis, type NodeId, type NodeRole, readCredential, signRevocation, upcaster } from '../../src/events/index.ts'
import { openLevelLog } from '../../src/events/log/event-log.level.ts'
import { allProjections, type ProjectionStates } from '../../src/projections/all.ts'
import { createProjectionRunner, isRevoked } from '../../src/projections/index.ts'
import { openLevelProjectionStore } from '../../src/projections/projection-store.level.ts'
import { newSha256 } from '../../src/projections/sha256.system.ts'
import { startNode } from '../../src/roles/compose.ts'
import { openDataDirectory } from '../../src/roles/directory/data-directory.fs.ts'
import { startRetention } from '../../src/roles/node/retention.ts'
import type { RunningNode } from '../../src/roles/start.ts'
import { joiningAs, TEST_KEYS, TEST_NETWORK, TEST_OWNER, verifySignature } from '../events/test-network.ts'
import { resultOf } from './result-of.ts'
import { until } from './until.ts'

const DAY_MS = 86_400_000
const STILL = { after: () => () => {} }
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

describe('titles of a guest whose invitation is revoked', () => {
  let root: string
  let running: RunningNode[]

  beforeEach(async () => {
    running = []
    root = await mkdtemp(join(tmpdir(), 'p2pt-evicted-'))
  })
  afterEach(async () => {
    await Promise.all(running.map((node) => node[Symbol.asyncDispose]()))
    await rm(root, { recursive: true, force: true })
  })

  const start = async (role: NodeRole, name: string, bootstrap: { host: string; port: number }[]): Promise<RunningNode> => {
    const options = {
      ...{ role, joining: joiningAs(role, { name }), dataDirectory: join(root, name), host: '127.0.0.1', port: 0, bootstrap },
      logLevel: 'silent',
    } as const
    const node = await startNode(options, new AbortController().signal)
    running.push(node)
    return node
  }

  const stop = async (node: RunningNode): Promise<void> => {
    running.splice(running.indexOf(node), 1)
    await node[Symbol.asyncDispose]()
  }

  const onDisk = (name: string, words: string): boolean => {
    const folder = join(root, name, 'log')
    return readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes(words))
  }

  /** The stopped node's own log and projections, with its retention at a time of the test's. */
  async function retentionOf(name: string, at: number): Promise<{ evicted: number; digests: string[]; replayed: string[] }> {
    const clock = { now: () => at as Millis }
    using directory = await openDataDirectory(join(root, name), { role: 'index' })
    const { signer, paths } = directory
    await using log = await openLevelLog({ directory: join(root, name), signer, clock, upcast: upcaster(upcastSteps) })
    await using store = await openLevelProjectionStore({
      ...{ directory: paths.projections, owner: { author: signer.id, network: TEST_NETWORK } },
      onDiscarded: (reason) => assert.fail(reason),
    })
    const projections = allProjections(signer.id, TEST_KEYS)
    await using states = createProjectionRunner<ProjectionStates>({ log, store, projections, timers: STILL, newSha256 })
    await states.open()
    const parts = { log, states, clock, timers: STILL, notices: { post: () => {} }, budgets: { recount: () => {} } }
    const isOut = (author: NodeId) => isRevoked(states.state('admissions'), author)
    await using retention = startRetention({ ...parts, isRevoked: isOut }, {})
    const evicted = await retention.run()
    const names = ['keyword-index', 'kept'] as const
    const digests = names.map((projection) => states.digest(projection))
    return { evicted, digests, replayed: await Promise.all(names.map((projection) => states.digestAt(projection))) }
  }

  it('are gone from the disk of an index node after a day, and do not come back from one that still has them', async () => {
    const bootstrap = await start('bootstrap', 'bootstrap', [])
    const { endpoint } = await bootstrap.node.status()
    assert.ok(endpoint)
    const [one, two] = await Promise.all(['one', 'two'].map((name) => start('index', name, [endpoint])))
    const [honest, guest] = await Promise.all(['honest', 'guest'].map((name) => start('client', name, [endpoint])))
    assert.ok(one?.index && two?.index && honest?.client && guest?.client)
    for (const client of [honest, guest])
      await until('both index nodes to be known', async () => (await client.node.status()).members.alive >= 3)
    await writeFile(join(root, 'a'), 'honest words')
    await writeFile(join(root, 'b'), 'other words')
    await resultOf(honest.client.publish({ path: join(root, 'a'), title: 'quiet orbit' }))
    await resultOf(guest.client.publish({ path: join(root, 'b'), title: 'loud orbit' }))
    const titlesAt = async (node: RunningNode) =>
      (await node.index?.searchHere({ text: 'orbit' }))?.hits.map(({ title }) => title).sort()
    for (const node of [one, two])
      await until('both titles to be held', async () => (await titlesAt(node))?.join() === 'loud orbit,quiet orbit')

    const { id } = await guest.node.status()
    const credential = joiningAs('client', { name: 'guest' }).credentialOf(id)
    const { key } = readCredential(credential, id, TEST_OWNER.id, verifySignature)
    const at = Date.now() as Millis
    const word = signRevocation({ key, at, reason: 'spam' }, TEST_OWNER)
    await bootstrap.node.revoke(base64(word.revocation), base64(word.ownerSignature))
    for (const node of [one, two])
      await until('what it published to be found no more', async () => (await titlesAt(node))?.join() === 'quiet orbit')

    await stop(one)
    assert.deepEqual((await retentionOf('one', at + DAY_MS - 1)).evicted, 0)
    assert.equal(onDisk('one', 'loud orbit'), true)
    const { evicted, digests, replayed } = await retentionOf('one', at + DAY_MS)
    assert.ok(evicted >= 1, `${evicted} went`)
    assert.deepEqual(digests, replayed)
    assert.deepEqual([onDisk('one', 'loud orbit'), onDisk('one', 'quiet orbit')], [false, true])

    // The other one still has them: its own clock says that it is not time.
    const again = await start('index', 'one', [endpoint])
    const isLevel = async () => {
      const repair = (await again.index?.indexStatus({ partitions: false }))?.repair
      return repair?.inSync === true && repair.fetched === 0
    }
    await until('it to have compared with the other', isLevel, 20_000)
    assert.deepEqual(await titlesAt(again), ['quiet orbit'])
    const { projections } = await resultOf(again.node.rebuild({ projections: ['keyword-index', 'kept'] }))
    for (const { name, digestBefore, digestAfter } of projections) assert.equal(digestAfter, digestBefore, name)
    assert.equal(projections[0]?.digestAfter, digests[0])
    await stop(again)
    assert.deepEqual([onDisk('one', 'loud orbit'), onDisk('two', 'loud orbit')], [false, true])
  })
})
