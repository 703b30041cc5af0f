import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportLog } from '../../src/cli/services/export-log.ts'
import type { NodeRole } from '../../src/events/index.ts'
import { startNode } from '../../src/roles/compose.ts'
import { importLog } from '../../src/roles/compose-import.ts'
import { openStoppedNode } from '../../src/roles/compose-stopped.ts'
import type { EventRow } from '../../src/roles/index.ts'
import type { RunningNode, StartOptions } from '../../src/roles/start.ts'
import { joiningAs, TEST_GENESIS } from '../events/test-network.ts'
import { resultOf } from './result-of.ts'
import { until } from './until.ts'

async function eventsOf(node: { events: RunningNode['node']['events'] }, author: string): Promise<EventRow[]> {
  const rows: EventRow[] = []
  for await (const row of node.events({ author })) if (row.stream !== 'local') rows.push(row)
  return rows
}
const named = (rows: readonly EventRow[]): string[] =>
  rows.map(({ stream, authorSeq, kind, lamport }) => `${stream} ${authorSeq} ${kind} ${lamport}`).sort()

describe('a node restored from a backup', () => {
  let root: string
  let running: Set<RunningNode>
  let network: { bootstrap: RunningNode; index: RunningNode }
  const at = (name: string) => join(root, name)

  const start = async (role: NodeRole, name: string, more: Partial<StartOptions> = {}): Promise<RunningNode> => {
    const options: StartOptions = {
      ...{
        role,
        joining: joiningAs(role),
        dataDirectory: at(name),
        host: '127.0.0.1',
        port: 0,
        logLevel: 'silent',
        bootstrap: [],
      },
      ...more,
    }
    const node = await startNode(options, new AbortController().signal)
    running.add(node)
    return node
  }
  const stop = async (node: RunningNode) => {
    running.delete(node)
    await node[Symbol.asyncDispose]()
  }
  const joined = async (role: NodeRole, name: string, more: Partial<StartOptions> = {}) => {
    const { endpoint } = await network.bootstrap.node.status()
    return start(role, name, { bootstrap: endpoint === null ? [] : [endpoint], ...more })
  }
  const ready = (node: RunningNode) => until('the node is ready', async () => (await node.node.status()).ready)
  const publish = async (node: RunningNode, title: string): Promise<void> => {
    const path = at(`${title}.bin`)
    writeFileSync(path, randomBytes(40_000))
    await until('an index node is known', async () =>
      (await node.node.members()).some(({ role, state }) => role === 'index' && state === 'alive'),
    )
    const published = await resultOf(node.client?.publish({ path, title }) ?? assert.fail('no client'))
    assert.equal(published.pending, 0)
  }
  const noticed = async (node: RunningNode, code: string): Promise<string> => {
    for await (const notice of node.node.notices({ last: 200 })) if (notice.code === code) return notice.text
    return ''
  }

  beforeEach(async () => {
    root = mkdtempSync(join(tmpdir(), 'p2pt-restored-'))
    running = new Set()
    const bootstrap = await start('bootstrap', 'bootstrap')
    network = { bootstrap, index: bootstrap }
    network.index = await joined('index', 'index')
    await ready(network.index)
  })
  afterEach(async () => {
    await Promise.all([...running].map((node) => node[Symbol.asyncDispose]()))
    rmSync(root, { recursive: true, force: true })
  })

  it('is written by one call at a time, and not at all for one that is gone', async () => {
    const node = await joined('client', 'one')
    await publish(node, 'first words')
    const both = [at('copy'), at('copy')].map((directory) => resultOf(node.node.backup({ directory })))
    const [written, refused] = (await Promise.allSettled(both)).sort((a, b) => (a.status < b.status ? -1 : 1))
    assert.ok(written?.status === 'fulfilled' && refused?.status === 'rejected')
    assert.match((refused.reason as Error).message, /a backup to .*copy is being written/)
    {
      await using copy = await openStoppedNode(at('copy'))
      assert.ok((await resultOf(copy.verify({ signatures: true }))).intact)
    }
    const left = node.node.backup({ directory: at('left') })
    void left.next()
    await left.return(undefined as never)
    let refusal = ''
    const again = () =>
      resultOf(node.node.backup({ directory: at('left') })).then(
        ({ head }) => head > 0,
        (error: Error) => {
          refusal = error.message
          return false
        },
      )
    // Until what was begun is cleared away.
    await until('it can be written after all', again)
    assert.doesNotMatch(refusal, /is not empty/, 'the first would have been there')
    assert.ok(!existsSync(at('.left.part')))
  })

  it('has a whole copy of one moment, made while it runs, with its key for nobody else', async () => {
    const node = await joined('client', 'one')
    await publish(node, 'first words')
    const { head, headDigest } = await resultOf(node.node.backup({ directory: at('copy') }))
    assert.equal(statSync(at('copy/key.seed')).mode & 0o777, 0o600)
    await using copy = await openStoppedNode(at('copy'))
    const verdict = await resultOf(copy.verify({ signatures: true }))
    assert.deepEqual(
      [verdict.intact, verdict.events, verdict.signaturesChecked, verdict.headDigest],
      [true, head, head, headDigest],
    )
    const { digests } = await copy.digests({})
    assert.deepEqual(digests, (await node.node.digests({ at: head })).digests)
    await assert.rejects(resultOf(node.node.backup({ directory: at('copy') })), { code: 'usage', message: /is not empty/ })
  })

  it('is not copied into itself, nor to where nothing can be made, and answers all the while', async () => {
    const node = await joined('client', 'one')
    symlinkSync(at('one'), at('link'))
    for (const inside of ['one', 'one/copy', 'one/a/b', 'link/copy']) {
      const refused = { code: 'usage', message: /is not empty|in the data directory of the node itself/ }
      await assert.rejects(resultOf(node.node.backup({ directory: at(inside) })), refused)
    }
    assert.ok(!existsSync(at('one/copy')) && !existsSync(at('one/a')))
    const nowhere = resultOf(node.node.backup({ directory: '/proc/p2pt-copy' }))
    await assert.rejects(nowhere, { code: 'failed', message: /could not be written to \/proc\/p2pt-copy/ })
    assert.equal((await node.node.status()).role, 'client')
  })

  it('takes back what it said after the backup before it says anything: no fork, all events there', async () => {
    const node = await joined('client', 'one')
    const { id } = await node.node.status()
    await publish(node, 'first words')
    await resultOf(node.node.backup({ directory: at('copy') }))
    await publish(node, 'second words')
    await publish(node, 'third words')
    const said = named(await eventsOf(node.node, id))
    await stop(node)
    rmSync(at('one'), { recursive: true })
    renameSync(at('copy'), at('one'))

    const again = await joined('client', 'one')
    assert.match((await again.node.status()).waitingFor ?? '', /what it said after its backup/)
    await assert.rejects(publish(again, 'too early'), { code: 'failed', message: /does not know yet/ })
    assert.match(await noticed(again, 'own-history.recovered'), /2 events of this node were taken back/)
    await ready(again)
    assert.deepEqual(named(await eventsOf(again.node, id)), said)
    assert.ok(!existsSync(at('one/restored.json')))
    await publish(again, 'fourth words')
    const now = named(await eventsOf(again.node, id))
    assert.equal(now.length, said.length + 1)
    assert.deepEqual(
      named(await eventsOf(network.index.node, id)),
      now,
      'the index node holds the same events, and all of them',
    )
  })

  it('and so does one that was moved by export and import, where nobody that holds its events is up: no fork', async () => {
    const node = await joined('client', 'one')
    const { id } = await node.node.status()
    await publish(node, 'first words')
    const file = at('one.bundle')
    await exportLog({ queries: node.node, id, genesis: TEST_GENESIS }, {}, { format: 'bundle', file })
    await publish(node, 'second words')
    await publish(node, 'third words')
    await stop(node)
    await stop(network.index)

    await resultOf(importLog(at('moved'), { file, role: 'client', keyFile: at('one/key.seed') }))
    const moved = await joined('client', 'moved')
    assert.match((await moved.node.status()).waitingFor ?? '', /what it said after its log was exported/)
    await assert.rejects(publish(moved, 'too early'), { code: 'failed', message: /does not know yet/ })
    network.index = await joined('index', 'index')
    await ready(moved)
    await publish(moved, 'fourth words')
    const numbers = (rows: readonly EventRow[]) =>
      rows.flatMap(({ stream, authorSeq }) => (stream === 'index' ? [authorSeq] : [])).sort((a, b) => a - b)
    // The second and third may come back before or after it is ready, or not at all: the fourth is far above them.
    const held = await eventsOf(network.index.node, id)
    assert.deepEqual(numbers(held), [1, 2, 3, 1 + 65_537])
    const here = new Set(named(await eventsOf(moved.node, id)))
    const both = numbers(await eventsOf(moved.node, id))
    assert.deepEqual(
      named(held.filter(({ authorSeq }) => both.includes(authorSeq))).filter((name) => !here.has(name)),
      [],
      'nobody holds another event under one of its numbers',
    )
  })

  it('goes on with its gossip where it had stopped, as an index node does', async () => {
    const { id } = await network.index.node.status()
    await resultOf(network.index.node.backup({ directory: at('copy') }))
    // Two more lives, each of which says things of itself.
    for (let life = 0; life < 2; life++) {
      await stop(network.index)
      network.index = await joined('index', 'index')
      await ready(network.index)
    }
    await stop(network.index)
    const last = (await eventsOf(network.bootstrap.node, id)).at(-1)
    assert.ok(last)
    const before = named(await eventsOf(network.bootstrap.node, id))
    rmSync(at('index'), { recursive: true })
    renameSync(at('copy'), at('index'))

    const again = await joined('index', 'index')
    await noticed(again, 'own-history.recovered')
    await ready(again)
    const isAlive = async () =>
      (await network.bootstrap.node.members()).some((member) => member.id === id && member.state === 'alive')
    await until('the others know that it is back', isAlive)
    const after = await eventsOf(network.bootstrap.node, id)
    assert.deepEqual(
      named(after).filter((name) => before.includes(name)),
      before,
    )
    assert.ok(
      after.some(({ authorSeq }) => authorSeq === last.authorSeq + 1),
      'the next number is the next number',
    )
    const own = named(await eventsOf(again.node, id))
    assert.deepEqual(
      named(after).filter((name) => !own.includes(name)),
      [],
      'nobody holds another event under one of its numbers',
    )
  })

  it('is found out without a mark, as soon as a peer holds more than it has', async () => {
    const node = await joined('client', 'one')
    const { id } = await node.node.status()
    await publish(node, 'first words')
    await stop(node)
    cpSync(at('one'), at('plain'), { recursive: true })
    const later = await joined('client', 'one')
    await publish(later, 'second words')
    const said = named(await eventsOf(later.node, id))
    await stop(later)

    const old = await joined('client', 'plain')
    await noticed(old, 'own-history.recovered')
    assert.deepEqual(named(await eventsOf(old.node, id)), said)
  })

  it('says no more, and tells what to do, once two of its events have the same number', async () => {
    const node = await joined('client', 'one')
    await publish(node, 'first words')
    await stop(node)
    cpSync(at('one'), at('twin'), { recursive: true })
    const first = await joined('client', 'one')
    await publish(first, 'second words')
    await stop(first)
    // The twin meets nobody who could know better, and gives the same number to other words.
    await stop(network.index)
    await stop(network.bootstrap)
    const alone = await start('client', 'twin')
    const publishing = resultOf(alone.client?.publish({ path: at('first words.bin'), title: 'other words' }) ?? assert.fail())
    const { id } = await alone.node.status()
    await until('it has said so', async () => (await eventsOf(alone.node, id)).some(({ authorSeq }) => authorSeq === 2))
    await stop(alone)
    // Announcing it goes on for a while, in vain.
    await publishing.catch(() => {})
    network.bootstrap = await start('bootstrap', 'bootstrap')
    network.index = await joined('index', 'index')
    await ready(network.index)
    const back = await joined('client', 'twin')
    const text = await noticed(back, 'own-history.forked')
    assert.match(text, /number 2 of its index stream to two events[\s\S]*another --data directory/)
    const more = resultOf(back.client?.publish({ path: at('second words.bin'), title: 'more words' }) ?? assert.fail())
    await assert.rejects(more, /number 2/)
    await stop(back)
    const still = await joined('client', 'twin')
    assert.match((await still.node.status()).waitingFor ?? '', /a new key/)
  })
})
