import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Millis, NodeId, NodeRole } from '../../src/events/index.ts'
import { signRevocation } from '../../src/events/index.ts'
import { startNode } from '../../src/roles/compose.ts'
import type { RunningNode } from '../../src/roles/start.ts'
import { joiningAs, TEST_OWNER } from '../events/test-network.ts'
import { resultOf } from './result-of.ts'
import { until } from './until.ts'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

describe('nodes that the owner puts out', () => {
  let root: string
  let running: RunningNode[]

  beforeEach(async () => {
    running = []
    root = await mkdtemp(join(tmpdir(), 'p2pt-revoked-'))
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

  it('own nothing, publish nothing and are shown as put out, within ten seconds and after a restart', async () => {
    const bootstrap = await start('bootstrap', 'bootstrap', [])
    const { endpoint } = await bootstrap.node.status()
    assert.ok(endpoint)
    const indexNodes = await Promise.all(['one', 'two', 'turned'].map((name) => start('index', name, [endpoint])))
    const [one, two, turned] = indexNodes as [RunningNode, RunningNode, RunningNode]
    const [honest, spammer] = await Promise.all(['honest', 'spammer'].map((name) => start('client', name, [endpoint])))
    assert.ok(honest?.client && spammer?.client && one.index && two.index)
    const ids = new Map<RunningNode, NodeId>()
    for (const node of running) ids.set(node, (await node.node.status()).id)
    const knowsAll = async (node: RunningNode) => {
      const alive = (await node.node.members()).filter(({ state }) => state === 'alive').map(({ id }) => id)
      return [bootstrap, ...indexNodes].every((member) => alive.includes(ids.get(member) as NodeId))
    }
    for (const node of running) await until('everybody to know the members', () => knowsAll(node))

    await writeFile(join(root, 'a'), 'honest words')
    await writeFile(join(root, 'b'), 'other words')
    await resultOf(honest.client.publish({ path: join(root, 'a'), title: 'quiet orbit' }))
    await resultOf(spammer.client.publish({ path: join(root, 'b'), title: 'loud orbit' }))
    const found = async () => (await honest.client?.search({ text: 'orbit' }))?.hits.map(({ title }) => title).sort()
    assert.deepEqual(await found(), ['loud orbit', 'quiet orbit'])

    const out = [turned, spammer]
    for (const node of out) {
      const word = signRevocation({ key: ids.get(node) as NodeId, at: Date.now() as Millis, reason: 'turned' }, TEST_OWNER)
      await bootstrap.node.revoke(base64(word.revocation), base64(word.ownerSignature))
    }
    const since = performance.now()
    for (const node of [bootstrap, one, two, honest]) {
      await until('it to be shown as put out', async () => {
        const states = new Map((await node.node.members()).map(({ id, state }) => [id, state]))
        return states.get(ids.get(turned) as NodeId) === 'revoked'
      })
    }
    for (const { index } of [one, two]) {
      assert.ok(index)
      await until('two owners to be left', async () => (await index.indexStatus({ partitions: false })).indexNodesAlive === 2)
      const titles = async () => (await index.searchHere({ text: 'orbit' })).hits.map(({ title }) => title)
      await until('what it published to be gone', async () => (await titles()).join() === 'quiet orbit')
    }
    assert.deepEqual(await found(), ['quiet orbit'])
    const tookMs = performance.now() - since
    assert.ok(tookMs < 10_000, `${tookMs} ms`)
    const turnedNow = (await honest.node.members()).find(({ id }) => id === ids.get(turned))
    assert.equal(turnedNow?.state, 'revoked')

    await one[Symbol.asyncDispose]()
    running.splice(running.indexOf(one), 1)
    const again = await start('index', 'one', [endpoint])
    assert.deepEqual(
      (await again.index?.searchHere({ text: 'orbit' }))?.hits.map(({ title }) => title),
      ['quiet orbit'],
    )
  })
})
